"""A source meter's own list sweep: upload, run, poll, read back once.

A query a point would cost a round trip a point; this is what makes training in the loop possible.
"""

from __future__ import annotations

from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from labtrain.clock import Clock
from labtrain.errors import InstrumentError
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.readings import Sweep, judge
from labtrain.roles.source_state import SourceState

_LOOK_SECONDS = 1.0
_PATIENCE = 100
"""Polls without progress after which a list is given up."""

OVERHEAD_SECONDS = 1.5e-3
"""A 2450 needs 1-2 ms a point beside its aperture."""


@final
class ListRun:
    """One sweep: loaded, started, waited for and read back, in as many lists as the instrument needs.

    Each list ends at zero. Whoever holds it stops the instrument where anything goes wrong
    (:meth:`SourceMeter.sweeping` does).

    Parameters
    ----------
    state
        The source's settings.
    levels
        ``[n]``, as they will be sent.
    nplc, delay, full_scale
        Aperture, extra seconds a point, and the measure range.
    """

    __slots__ = (
        "_abort", "_capacity", "_clock", "_delay", "_done", "_driver", "_full_scale", "_levels", "_loaded",
        "_name", "_point", "_started", "_state", "_sweep",
    )  # fmt: skip

    def __init__(
        self,
        driver: SourceMeterDialect,
        state: SourceState,
        levels: NDArray[np.float64],
        *,
        clock: Clock,
        nplc: float,
        delay: float,
        full_scale: float,
        abort_on_compliance: bool,
        name: str,
    ) -> None:
        self._driver, self._state, self._levels = driver, state, levels
        self._clock, self._delay, self._abort, self._name = clock, delay, abort_on_compliance, name
        self._full_scale = full_scale
        self._capacity = driver.list_capacity - 1  # one place for the zero at the end
        self._point = nplc * driver.line_seconds + delay + OVERHEAD_SECONDS
        self._loaded = self._started = False
        self._done = 0
        self._sweep: Sweep | None = None

    def load(self) -> None:
        """Upload the first list."""
        self._upload(0)

    def start(self) -> None:
        """Start what has been loaded; returns at once."""
        self._driver.start_list(self._state.mode, self._delay, self._abort)
        self._done = self._driver.list_progress()  # answered at once: it has begun before time passes
        self._started = True

    def look(self) -> None:
        """Ask how far a started sweep has come: waiting begins from there."""
        self._done = self._driver.list_progress()

    def finish(self) -> Sweep:
        """Wait until the sweep is over and read it back; a second call returns the same."""
        if self._sweep is None:
            parts: list[tuple[NDArray[np.float64], ...]] = []
            for place in range(0, len(self._levels), self._capacity):
                length = min(self._capacity, len(self._levels) - place)
                done = self._run(place, length)
                parts.append(_padded(self._driver.read_list(min(done, length)), length))
                if done <= length:
                    break
            source, readings, seconds = (
                _joined(column, len(self._levels)) for column in zip(*parts, strict=True)
            )
            self._sweep = _as_sweep(self._state, self._levels, source, readings, seconds, self._full_scale)
        return self._sweep

    def _run(self, place: int, length: int) -> int:
        """Run one list from where it stands; return how many of its points are done."""
        if not self._loaded:
            self._upload(place)
        if not self._started:
            self.start()
        self._loaded = self._started = False
        return wait_for_points(self._driver, length + 1, self._done, self._point, self._clock, self._name)

    def _upload(self, place: int) -> None:
        _upload(self._driver, self._state, np.append(self._levels[place : place + self._capacity], 0.0))
        self._loaded = True


def _upload(driver: SourceMeterDialect, state: SourceState, levels: NDArray[np.float64]) -> None:
    for start in range(0, len(levels), driver.list_chunk):
        driver.load_list(state.mode, levels[start : start + driver.list_chunk], append=start > 0)


class Counting(Protocol):
    """An instrument that takes points by itself."""

    def list_progress(self) -> int:
        """How many points are done."""

    def list_running(self) -> bool:
        """Whether more are to come."""


def wait_for_points(driver: Counting, count: int, done: int, point: float, clock: Clock, name: str) -> int:
    """Poll until ``count`` points are done or the instrument has aborted; return how many are.

    Polled, never waited for inside the instrument: ``*WAI`` would block an output-off too. A long run is
    looked at every second, so that a lost connection does not show at its end only.
    """
    idle = 0
    while idle < _PATIENCE:
        clock.sleep(min(max(count - done, 0) * point, max(_LOOK_SECONDS, 2 * point)))
        progress = driver.list_progress()
        if progress >= count:
            return count
        if not driver.list_running():
            return min(driver.list_progress(), count)  # the last points may have come in between
        idle = idle + 1 if progress == done else 0
        done = progress
    raise InstrumentError(
        f"its list sweep stands still at point {done} of {count}",
        instrument=name,
        remedy="is it waiting for a trigger or for an interlock?",
    )


def _padded(columns: tuple[NDArray[np.float64], ...], length: int) -> tuple[NDArray[np.float64], ...]:
    return tuple(_joined((column,), length) for column in columns)


def _joined(parts: tuple[NDArray[np.float64], ...], length: int) -> NDArray[np.float64]:
    """Put parts together; what an aborted sweep did not come to is NaN."""
    whole = np.concatenate(parts)
    if len(whole) == length:
        return whole
    return np.concatenate([whole, np.full(length - len(whole), np.nan)])


def _as_sweep(
    state: SourceState,
    levels: NDArray[np.float64],
    source: NDArray[np.float64],
    readings: NDArray[np.float64],
    seconds: NDArray[np.float64],
    full_scale: float,
) -> Sweep:
    measured = ~np.isnan(seconds)
    readings, flags = judge(readings, state.compliance, full_scale)
    readings = np.where(measured, readings, np.nan)
    volts, amperes = (source, readings) if state.mode == "voltage" else (readings, source)
    return Sweep(programmed=levels, volts=volts, amperes=amperes, seconds=seconds, flags=flags)
