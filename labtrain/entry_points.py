"""Things found by name: drivers, virtual instruments, protocols, device models, recipes, exporters.

Third parties add their own through Python entry points in the same groups.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from labtrain.errors import UsageError
from labtrain.naming import nearest

DRIVERS = "labtrain.drivers"
VIRTUAL_INSTRUMENTS = "labtrain.virtual_instruments"
WORLDS = "labtrain.worlds"
PROTOCOLS = "labtrain.protocols"
DEVICE_MODELS = "labtrain.device_models"
SIMULATED_DEVICES = "labtrain.simulated_devices"
RECIPES = "labtrain.recipes"
EXPORTERS = "labtrain.exporters"


@cache
def _group(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def names(group: str) -> list[str]:
    """The names registered in ``group``, sorted."""
    return sorted(_group(group))


def load(group: str, name: str) -> Any:
    """Load the object registered as ``name``.

    Raises
    ------
    UsageError
        For an unknown name, with the nearest ones.
    """
    known = _group(group)
    if name in known:
        return known[name].load()
    what = group.removeprefix("labtrain.").rstrip("s").replace("_", " ")
    raise UsageError(f"there is no {what} {name!r}", remedy=nearest(name, known))
