"""A source meter's own list sweep: upload, run, poll, read back once.

A query a point would cost a round trip a point; this is what makes training in the loop possible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labtrain.clock import Clock
from labtrain.errors import InstrumentError
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.readings import Sweep, judge
from labtrain.roles.source_state import SourceState

_PATIENCE = 100
"""Polls without progress after which a list is given up."""

_OVERHEAD_SECONDS = 1.5e-3
"""A 2450 needs 1-2 ms a point beside its aperture."""


def run_list(
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
) -> Sweep:
    """Run ``levels`` in as many lists as the instrument needs; each list ends at zero.

    An exception or an interrupt stops the instrument before it is passed on.
    """
    capacity = driver.list_capacity - 1  # one place for the zero at the end
    point = nplc * driver.line_seconds + delay + _OVERHEAD_SECONDS
    parts: list[tuple[NDArray[np.float64], ...]] = []
    try:
        for start in range(0, len(levels), capacity):
            part = levels[start : start + capacity]
            _upload(driver, state, np.append(part, 0.0))
            driver.start_list(state.mode, delay, abort_on_compliance)
            done = _wait(driver, len(part) + 1, point, clock, name)
            parts.append(_padded(driver.read_list(min(done, len(part))), len(part)))
            if done <= len(part):
                break
    except BaseException:
        driver.abort()
        raise
    source, readings, seconds = (_joined(column, len(levels)) for column in zip(*parts, strict=True))
    return _as_sweep(state, levels, source, readings, seconds, full_scale)


def _upload(driver: SourceMeterDialect, state: SourceState, levels: NDArray[np.float64]) -> None:
    for start in range(0, len(levels), driver.list_chunk):
        driver.load_list(state.mode, levels[start : start + driver.list_chunk], append=start > 0)


def _wait(driver: SourceMeterDialect, count: int, point: float, clock: Clock, name: str) -> int:
    """Poll until ``count`` points are done or the instrument has aborted; return how many are.

    Polled, never waited for inside the instrument: ``*WAI`` would block an output-off too.
    """
    idle, done = 0, driver.list_progress()  # answered at once: the list has begun before time passes
    while idle < _PATIENCE:
        clock.sleep((count - done) * point)
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
