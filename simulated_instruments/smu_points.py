"""Points that a source meter's channel measures: one in plain numbers, or B in arrays; and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulated_instruments.smu_accuracy import Floats


class Point(NamedTuple):
    """One point: level (V or A), readings in V and A, its time, and whether the limit held the source."""

    level: float
    volts: float
    amperes: float
    time_ns: int
    limited: bool


@dataclass(frozen=True, slots=True)
class Points:
    """Points, ``[B]`` each, as :class:`Point` has one."""

    levels: Floats
    volts: Floats
    amperes: Floats
    times_ns: Floats
    limited: NDArray[np.bool_]


class Log(Protocol):
    """Where a sweep puts its points."""

    def clear(self) -> None:
        """Called once, as the sweep starts."""

    def append(self, points: Points) -> None:
        """Take points, in order."""

    def finished(self, stopped: bool) -> None:
        """Called once, as the sweep ends or is stopped; may put the source's level or output elsewhere."""
