"""A source meter's list sweep, as it runs by itself while the instrument goes on answering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulated_instruments.smu_accuracy import Floats


@dataclass(slots=True)
class RunningSweep:
    """A planned or running sweep.

    Attributes
    ----------
    levels
        ``[B]``, in V or A; repeated as often as asked.
    point_seconds
        From one point to the next.
    fail_abort
        Whether it stops at the first point that meets the limit.
    buffer
        Where readings go; emptied at the start.
    start_ns, done, was_on
        Its progress, and whether the output was on before.
    """

    levels: Floats
    point_seconds: float
    fail_abort: bool
    buffer: str
    start_ns: int = 0
    done: int = 0
    was_on: bool = False

    @property
    def end_ns(self) -> int:
        """When the last point is measured."""
        return self._time(len(self.levels))

    def _time(self, points: int) -> int:
        return self.start_ns + round(points * self.point_seconds * 1e9)

    def started(self, now_ns: int, was_on: bool) -> RunningSweep:
        """Return the same sweep, starting now."""
        return replace(self, start_ns=now_ns, done=0, was_on=was_on)

    def run_until(self, instrument: Any, now_ns: int) -> bool:
        """Take the points that are due; return whether the sweep is over."""
        if self.done == 0:
            instrument.buffer(self.buffer).clear()
        if now_ns >= self.end_ns:
            due = len(self.levels)
        else:
            due = int((now_ns - self.start_ns) / (self.point_seconds * 1e9))
        stop = self._first_limited(instrument, due) if self.fail_abort else due
        if stop > self.done:
            self._take(instrument, stop)
        return stop < due or self.done == len(self.levels)

    def _take(self, instrument: Any, end: int) -> None:
        levels = self.levels[self.done : end]
        times = self.start_ns + np.arange(self.done + 1, end + 1) * (self.point_seconds * 1e9)
        instrument.take(levels, instrument.buffer(self.buffer), times, self.point_seconds)
        instrument.source.level = float(levels[-1])
        self.done = end

    def _first_limited(self, instrument: Any, due: int) -> int:
        """Return how many points are taken: those due, up to the first that meets the limit."""
        if due <= self.done:
            return due
        limited = instrument.limited_by(self.levels[self.done : due])
        return self.done + int(np.argmax(limited)) + 1 if limited.any() else due
