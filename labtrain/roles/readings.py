"""What a source meter returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labtrain.roles.flags import Flag

_NO_NUMBER = 9.0e37
"""SCPI's NaN is 9.91e37 and its infinity 9.9e37; any reading from here on is none."""

_GAIN_ERROR, _OFFSET_ERROR = 2e-3, 2.5e-4
"""In compliance a reading sits at the limit, to within errors of reading and of range (2450 data sheet:
0.012 % + 300 uV on 2 V at 1 PLC, some times more at 0.01 PLC; both rounded up)."""


class SourceReading(NamedTuple):
    """One measurement; a tuple, which costs a third of a frozen dataclass.

    Attributes
    ----------
    volts, amperes
        One was sourced (as read back by the instrument), the other measured.
    seconds
        The instrument's own time of the reading.
    flags
        Bits of :class:`labtrain.roles.Flag`. In compliance the true level is below the programmed one.
    programmed
        The level that was asked for, in V or A.
    """

    volts: float
    amperes: float
    seconds: float
    flags: Flag
    programmed: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sequence of measurements by the instrument's own list sweep.

    Attributes
    ----------
    programmed
        The levels that were sent, rounded to the source's resolution, in V or A; ``[n]``.
    volts, amperes
        One was sourced (as read back), the other measured; ``[n]``. NaN where an aborted sweep did not
        come to; where a reading was out of range, the range's maximum.
    seconds
        The instrument's own time of each reading; ``[n]``.
    flags
        uint8, bits of :class:`labtrain.roles.Flag`; ``[n]``.
    """

    programmed: NDArray[np.float64]
    volts: NDArray[np.float64]
    amperes: NDArray[np.float64]
    seconds: NDArray[np.float64]
    flags: NDArray[np.uint8]


def quiet_below(compliance: float, full_scale: float) -> float:
    """Return the magnitude below which :func:`judge` finds nothing to flag."""
    return min((1 - _GAIN_ERROR) * compliance - _OFFSET_ERROR * full_scale, _NO_NUMBER)


def judge(
    readings: NDArray[np.float64], compliance: float, full_scale: float
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Flag readings at the compliance or out of range, and bring the latter back to the range's end."""
    size = np.abs(readings)
    at_limit = size >= (1 - _GAIN_ERROR) * compliance - _OFFSET_ERROR * full_scale
    flags = at_limit * np.uint8(Flag.COMPLIANCE)
    over = ~(size < _NO_NUMBER)
    if over.any():
        flags[over] = Flag.OVERRANGE
        # an infinity has no sign that could be trusted as a number, but its direction can
        readings = np.where(over, np.copysign(full_scale, readings), readings)
    return readings, flags
