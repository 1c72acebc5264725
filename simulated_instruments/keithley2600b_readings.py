"""What a 2600B measures, by the letters of its functions, and how it goes into reading buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from simulated_instruments.smu_accuracy import Floats, Quantity
from simulated_instruments.smu_points import Point, Points
from simulated_instruments.smu_specifications import KEITHLEY_2602B
from simulated_instruments.tsp_buffers import TspBuffer
from simulated_instruments.tsp_errors import runtime

LIMITED_STATUS: Final[Mapping[Quantity, float]] = {"CURR": 1.0, "VOLT": 2.0}
"""Bit 0: at the voltage limit (current is sourced); bit 1: at the current limit."""

_IN_COMPLIANCE: Final = 64.0
"""Bit 6 of a buffer's statuses."""


def as_buffers(arguments: list[Any], most: int) -> list[TspBuffer]:
    """Read the buffers that a measurement is given."""
    if len(arguments) > most or not all(isinstance(one, TspBuffer) for one in arguments):
        raise runtime(f"a measurement takes up to {most} reading buffers")
    return arguments


def readings(name: str, points: Points) -> list[Floats]:
    """Return what ``measure.<name>`` measures, each ``[B]``."""
    volts, amperes = points.volts, points.amperes
    if name == "r":
        still = amperes == 0.0
        return [np.where(still, KEITHLEY_2602B.overflow, volts / np.where(still, 1.0, amperes))]
    if name == "p":
        return [volts * amperes]
    return [{"v": volts, "i": amperes}[letter] for letter in name]


def readings_once(name: str, point: Point) -> list[float]:
    """Do what :func:`readings` does for one point."""
    volts, amperes = point.volts, point.amperes
    if name == "iv":
        return [amperes, volts]
    if name == "r":
        return [volts / amperes if amperes else KEITHLEY_2602B.overflow]
    return [{"v": volts, "i": amperes, "p": volts * amperes}[name]]


def store_once(buffers: list[TspBuffer], values: list[float], point: Point) -> None:
    """Put one point's readings into buffers, one a quantity."""
    status = _IN_COMPLIANCE if point.limited else 0.0
    for buffer, value in zip(buffers, values, strict=False):
        buffer.store_one(value, point.time_ns, point.level, status)


def store(name: str, buffers: list[TspBuffer], points: Points) -> None:
    """Put points into buffers, one a quantity."""
    status = np.where(points.limited, _IN_COMPLIANCE, 0.0)
    for buffer, values in zip(buffers, readings(name, points), strict=False):
        buffer.store(values, points.times_ns, points.levels, status)
