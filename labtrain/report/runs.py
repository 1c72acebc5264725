"""The protocol runs of a recording, each with what its own ``analyse`` makes of it now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labtrain import entry_points
from labtrain.twins import Fit, column_map, fit_rows
from labtrain.units import format_quantity

if TYPE_CHECKING:
    from labtrain.session import Recording
    from labtrain.session.recording import Rows


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its name, rows, and the result computed from them."""

    name: str
    protocol: str
    rows: Rows
    result: dict[str, Any]

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        units = self.rows.attributes.get("parameter_units", {})
        given = self.rows.attributes.get("parameters", {})
        return ", ".join(f"{name} {_text(value, units.get(name, ''))}" for name, value in given.items())

    def fits(self) -> dict[str, Fit]:
        """Fit the rows as the protocol says; empty where it says nothing."""
        hint = self.rows.attributes.get("fit")
        if not hint:
            return {}
        return fit_rows(self.rows.columns, column_map(hint["map"]), model=hint["model"])


def _text(value: Any, unit: str) -> str:
    return format_quantity(value, unit).strip() if isinstance(value, float) else str(value)


def protocol_runs(recording: Recording, protocol: str | None = None) -> Iterator[Run]:
    """Yield the runs with rows, in order; only those of ``protocol`` where one is given."""
    for stream in recording.stream_names():
        parts = stream.split("/")
        if parts[0] != "runs" or parts[-1] != "points":
            continue
        rows = recording.rows(stream)
        name = str(rows.attributes.get("protocol", ""))
        if len(rows) and protocol in (None, name):
            yield Run(parts[1], name, rows, _analysed(recording, parts[1], name, rows))


def _analysed(recording: Recording, run: str, protocol: str, rows: Rows) -> dict[str, Any]:
    """Analyse the rows; of a protocol that is not installed here, take what was noted at the time."""
    if protocol in entry_points.names(entry_points.PROTOCOLS):
        procedure = entry_points.load(entry_points.PROTOCOLS, protocol)
        result: dict[str, Any] = procedure.analyse(rows.columns, rows.attributes)
        return result
    name = f"analysis/{run}"
    return recording.document(name) if name in recording.document_names() else {}
