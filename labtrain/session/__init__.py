"""The record of one run: written as a journal, sealed into one HDF5 file, read, recovered, replayed."""

from __future__ import annotations

from labtrain.session.annotation import annotate
from labtrain.session.provenance import register_provenance
from labtrain.session.recording import Exchange, Recording, Rows
from labtrain.session.recovery import Recovered, recover
from labtrain.session.replay import Replay, ReplayReport
from labtrain.session.session import Session
from labtrain.session.sink import Column, NullSink, RowStream, Sink
from labtrain.session.transactions import Transactions

__all__ = [
    "Column",
    "Exchange",
    "NullSink",
    "Recording",
    "Recovered",
    "Replay",
    "ReplayReport",
    "RowStream",
    "Rows",
    "Session",
    "Sink",
    "Transactions",
    "annotate",
    "recover",
    "register_provenance",
]
