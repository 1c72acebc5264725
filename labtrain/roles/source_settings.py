"""Small parts of the source meter's face: ranges as properties, and checks of plain arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtrain.errors import UsageError
from labtrain.roles.worst_case import Mode


def other(mode: Mode) -> Mode:
    """What is measured where ``mode`` is sourced."""
    return "current" if mode == "voltage" else "voltage"


def require_mode(mode: str) -> None:
    """Accept the two source modes."""
    if mode not in ("voltage", "current"):
        raise UsageError(f"{mode!r} is no source mode", remedy="give 'voltage' or 'current'")


def number(value: Any, what: str) -> float:
    """Accept a plain number in SI units; NaN passes, for the limits to refuse."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is not {what}", remedy="give a plain number in SI units") from None


def as_levels(levels: ArrayLike) -> NDArray[np.float64]:
    """Accept anything that NumPy reads as numbers."""
    try:
        return np.asarray(levels, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{levels!r} is no list of levels", remedy="give numbers in SI units") from None


def positive(value: Any, what: str) -> None:
    """Accept a finite number above zero."""
    if not 0 < number(value, what) < math.inf:
        raise UsageError(f"{value!r} is not {what}", remedy="give a finite number above zero, in SI units")


def range_setting(name: str, doc: str) -> Any:
    """Make the property of a range; it changes with the output off only."""

    def ask(self: Any) -> float:
        return float(self._ask_setting(name))

    def change(self: Any, full_scale: float) -> None:
        self._set_range(name, full_scale)

    return property(ask, change, doc=doc)


def auto_setting(name: str, doc: str) -> Any:
    """Make the property of an automatic range; on only where the bench file allows it."""

    def ask(self: Any) -> bool:
        return bool(self._ask_setting(name))

    def change(self: Any, on: bool) -> None:
        self._set_auto(name, on)

    return property(ask, change, doc=doc)
