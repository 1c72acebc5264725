"""A source meter's list sweep, as it runs by itself while the instrument goes on answering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from simulated_instruments.smu_accuracy import Floats

if TYPE_CHECKING:
    from simulated_instruments.smu_channel import SmuChannel


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
    start_ns, done
        Its progress.
    """

    levels: Floats
    point_seconds: float
    fail_abort: bool
    start_ns: int = 0
    done: int = 0

    @property
    def end_ns(self) -> int:
        """When the last point is measured."""
        return self._time(len(self.levels))

    def _time(self, points: int) -> int:
        return self.start_ns + round(points * self.point_seconds * 1e9)

    def started(self, now_ns: int) -> RunningSweep:
        """Return the same sweep, starting now."""
        return replace(self, start_ns=now_ns, done=0)

    def run_until(self, channel: SmuChannel, now_ns: int) -> bool:
        """Take the points that are due; return whether the sweep is over."""
        if self.done == 0:
            channel.log.clear()
        if now_ns >= self.end_ns:
            due = len(self.levels)
        else:
            due = int((now_ns - self.start_ns) / (self.point_seconds * 1e9))
        stop = self._first_limited(channel, due) if self.fail_abort else due
        if stop > self.done:
            self._take(channel, stop)
        return stop < due or self.done == len(self.levels)

    def _take(self, channel: SmuChannel, end: int) -> None:
        times = self.start_ns + np.arange(self.done + 1, end + 1) * (self.point_seconds * 1e9)
        channel.take(self.levels[self.done : end], times, self.point_seconds)
        self.done = end

    def _first_limited(self, channel: SmuChannel, due: int) -> int:
        """Return how many points are taken: those due, up to the first that meets the limit."""
        if due <= self.done:
            return due
        limited = channel.limited_by(self.levels[self.done : due])
        return self.done + int(np.argmax(limited)) + 1 if limited.any() else due
