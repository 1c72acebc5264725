"""The record of one run: written as a journal, sealed into one HDF5 file, read, recovered, replayed.

All but the sinks load on first use, so that a bus without a session does not import HDF5.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from labtrain.session.sink import Column, NullSink, RowStream, Sink

if TYPE_CHECKING:
    from labtrain.session.annotation import annotate
    from labtrain.session.exchanges import Exchange
    from labtrain.session.migration import migrate
    from labtrain.session.provenance import register_provenance
    from labtrain.session.record_end import RecordEnds
    from labtrain.session.recording import Recording, Rows
    from labtrain.session.recovery import Recovered, recover
    from labtrain.session.replay import Replay, ReplayReport
    from labtrain.session.resume import Resume
    from labtrain.session.session import Session
    from labtrain.session.tail import Record, Tail
    from labtrain.session.transactions import Transactions

__all__ = [
    "Column",
    "Exchange",
    "NullSink",
    "Recording",
    "Recovered",
    "Replay",
    "Record",
    "RecordEnds",
    "ReplayReport",
    "Resume",
    "RowStream",
    "Rows",
    "Session",
    "Sink",
    "Tail",
    "Transactions",
    "annotate",
    "migrate",
    "recover",
    "register_provenance",
]

_HOMES = {
    "annotation": ("annotate",),
    "exchanges": ("Exchange",),
    "migration": ("migrate",),
    "provenance": ("register_provenance",),
    "recording": ("Recording", "Rows"),
    "recovery": ("Recovered", "recover"),
    "record_end": ("RecordEnds",),
    "replay": ("Replay", "ReplayReport"),
    "resume": ("Resume",),
    "session": ("Session",),
    "tail": ("Record", "Tail"),
    "transactions": ("Transactions",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
