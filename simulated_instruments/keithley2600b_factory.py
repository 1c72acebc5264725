"""The sweeps that a 2600B brings along as scripts: ``SweepVLinMeasureI(smua, 0, 1, 0.01, 11)`` and so on.

Series 2600B Reference Manual (2600BS-901-01), "KISweep factory script": the source function is chosen, the
first reading buffer emptied and told to collect source values, each level sourced, and measured ``stime``
seconds later. The output is the caller's to switch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_values import Table, TspObject, as_number, bounded

_MEASURES = {"V": "I", "I": "V"}


def factory_scripts() -> dict[str, Any]:
    """Return the six sweeps: linear, logarithmic and by a list, of either source."""
    found: dict[str, Any] = {}
    for source, measured in _MEASURES.items():
        found[f"Sweep{source}LinMeasure{measured}"] = _ramp(source, np.linspace)
        found[f"Sweep{source}LogMeasure{measured}"] = _ramp(source, _log)
        found[f"Sweep{source}ListMeasure{measured}"] = _list(source)
    return found


def _log(start: float, stop: float, points: int) -> Any:
    if not start * stop > 0:
        raise runtime("a logarithmic sweep does not pass zero")
    return np.geomspace(start, stop, points)


def _ramp(source: str, levels: Callable[[float, float, int], Any]) -> Callable[[list[Any]], list[Any]]:
    """``(smu, start, stop, stime, points)``."""

    def sweep(arguments: list[Any]) -> list[Any]:
        if len(arguments) != 5:
            raise runtime("the sweep takes a channel, start, stop, settling time and points")
        start, stop = (_finite(value) for value in arguments[1:3])
        points = round(bounded(arguments[4], 2.0, 60_000.0, "points"))
        return _go(source, arguments[0], levels(start, stop, points).tolist(), arguments[3])

    return sweep


def _list(source: str) -> Callable[[list[Any]], list[Any]]:
    """``(smu, levels, stime, points)``."""

    def sweep(arguments: list[Any]) -> list[Any]:
        if len(arguments) != 4 or not isinstance(arguments[1], Table):
            raise runtime("the sweep takes a channel, a table of levels, settling time and points")
        levels = arguments[1].numbers()
        points = round(bounded(arguments[3], 1.0, float(len(levels)), "points"))
        return _go(source, arguments[0], levels[:points], arguments[2])

    return sweep


def _go(source: str, smu: Any, levels: list[float], settling: Any) -> list[Any]:
    """Source each level and measure it into the channel's first buffer, by its own commands."""
    if not isinstance(smu, TspObject) or "nvbuffer1" not in smu.members:
        raise runtime("the sweep takes a channel: smua or smub")
    letter, buffer = source.lower(), smu.members["nvbuffer1"]
    measure = smu.members["measure"].read(_MEASURES[source].lower())
    smu.members["source"].write("func", 1.0 if source == "V" else 0.0)
    buffer.clear()
    for name in ("appendmode", "collecttimestamps", "collectsourcevalues"):
        buffer.write(name, 1.0)
    before = smu.members["source"].read("delay")
    smu.members["source"].write("delay", bounded(settling, 0.0, 3600.0, "settling time"))
    try:
        for level in levels:
            smu.members["source"].write(f"level{letter}", level)
            measure([buffer])
    finally:
        smu.members["source"].write("delay", before)
    return []


def _finite(value: Any) -> float:
    number = as_number(value)
    if not math.isfinite(number):
        raise runtime("a level must be a finite number")
    return number
