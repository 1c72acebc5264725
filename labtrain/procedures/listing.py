"""The registered protocols, for ``labtrain protocol list``."""

from __future__ import annotations

import inspect
from typing import Any

from labtrain import entry_points
from labtrain.procedures.parameters import describe
from labtrain.procedures.procedure import DeviceProcedure


def describe_protocols() -> list[dict[str, Any]]:
    """Return every protocol as ``{"name", "doc", "parameters": [{"name", "unit", "default", ...}]}``."""
    return [_entry(name) for name in entry_points.names(entry_points.PROTOCOLS)]


def _entry(name: str) -> dict[str, Any]:
    procedure: type[DeviceProcedure] = entry_points.load(entry_points.PROTOCOLS, name)
    first_line = (inspect.getdoc(procedure) or "").partition("\n")[0]
    return {"name": name, "doc": first_line, "parameters": describe(procedure)}
