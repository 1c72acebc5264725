"""The digitiser of a bench: many readings at one bias, evenly spaced, as fast as the source meter can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import UsageError
from labtrain.roles.dialects import FastBufferDialect
from labtrain.roles.list_sweep import OVERHEAD_SECONDS, wait_for_points
from labtrain.roles.readings import judge
from labtrain.roles.role import Role
from labtrain.roles.source_meter import SourceMeter

_QUERY = 5000
"""Readings that one query asks for: some 200 kB of text."""

_LIST = 2000
"""Readings that one list takes, whatever the source meter."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Readings at one bias.

    Attributes
    ----------
    volts, amperes
        One was sourced (as read back), the other measured; ``[n]``.
    seconds
        The instrument's own time of each reading, from its first one; ``[n]``.
    flags
        uint8, bits of :class:`labtrain.roles.Flag`; ``[n]``.
    """

    volts: NDArray[np.float64]
    amperes: NDArray[np.float64]
    seconds: NDArray[np.float64]
    flags: NDArray[np.uint8]


@final
class Digitizer(Role):
    """Reads a source meter that stands at a bias, into the instrument's buffer.

    A Keithley 2602B fills its buffer by its trigger model (up to 5000 readings a second at 0.001 power line
    cycles, data sheet); another source meter runs a list of equal levels (500 a second). The source meter
    is set up before, by :meth:`labtrain.roles.SourceMeter.configure`; the bias passes through it and so
    through its limits.

    Parameters
    ----------
    meter
        The role of the same channel.
    buffer
        The channel's driver where it has a fast buffer, else None.
    line_seconds
        One power line cycle.
    port, clock, alias, channel
        Of the channel.

    Raises
    ------
    LimitExceeded
        For a bias beyond what the channel's worst reachable terminal allows.
    """

    __slots__ = ("_buffer", "_line_seconds", "_meter")

    def __init__(
        self,
        meter: SourceMeter,
        buffer: FastBufferDialect | None,
        line_seconds: float,
        port: Port,
        clock: Clock,
        alias: str,
        channel: str = "",
    ) -> None:
        super().__init__(port, clock, alias, channel)
        self._meter, self._buffer, self._line_seconds = meter, buffer, line_seconds

    @property
    def capacity(self) -> int:
        """The most readings of one acquisition."""
        return _LIST if self._buffer is None else self._buffer.buffer_capacity

    @property
    def overhead(self) -> float:
        """Seconds of a reading beside its aperture."""
        return OVERHEAD_SECONDS if self._buffer is None else self._buffer.buffer_overhead

    @property
    def aperture(self) -> float:
        """Seconds over which a reading averages."""
        return self._meter.nplc * self._line_seconds

    def acquire(self, level: float, count: int, interval: float = 0.0) -> Trace:
        """Stand at a level and read ``count`` times.

        Parameters
        ----------
        level
            In V or A by the source's mode.
        count
            Readings.
        interval
            From one to the next, in s; at least the aperture and :attr:`overhead`, which an interval of 0
            asks for. The times in the trace are the instrument's own.

        Raises
        ------
        UsageError
            For a count outside 1 to :attr:`capacity`, or an interval that is no number.
        """
        if not 1 <= count <= self.capacity:
            raise UsageError(
                f"{self.name}: {count} readings in one acquisition", remedy=f"ask for 1 to {self.capacity}"
            )
        if not 0 <= interval < float("inf"):
            raise UsageError(f"{self.name}: an interval of {interval} s", remedy="give seconds, 0 or more")
        with self._call:
            point = self.aperture + self.overhead
            delay = max(interval - point, 0.0)
            if self._buffer is None:
                return self._by_list(level, count, delay)
            return self._by_buffer(self._buffer, level, count, delay, max(point, interval))

    def _by_list(self, level: float, count: int, delay: float) -> Trace:
        sweep = self._meter.sweep(np.full(count, level), delay=delay, abort_on_compliance=False)
        return Trace(sweep.volts, sweep.amperes, sweep.seconds - sweep.seconds[0], sweep.flags)

    def _by_buffer(
        self, buffer: FastBufferDialect, level: float, count: int, delay: float, point: float
    ) -> Trace:
        self._stand_at(level)
        try:
            buffer.start_readings(count, delay)
            done = wait_for_points(buffer, count, buffer.list_progress(), point, self._clock, self.name)
        except BaseException:
            buffer.abort()
            raise
        starts = range(1, done + 1, _QUERY)
        parts = [buffer.read_readings(first, min(first + _QUERY - 1, done)) for first in starts]
        volts, amperes, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
        return self._trace(volts, amperes, seconds)

    def _stand_at(self, level: float) -> None:
        meter = self._meter
        if meter.source_mode == "voltage":
            meter.source_voltage = level
        else:
            meter.source_current = level
        meter.output_enabled = True

    def _trace(
        self, volts: NDArray[np.float64], amperes: NDArray[np.float64], seconds: NDArray[np.float64]
    ) -> Trace:
        state, in_voltage = self._meter.state, self._meter.source_mode == "voltage"
        measured = amperes if in_voltage else volts
        full_scale = self._meter.current_range if in_voltage else self._meter.voltage_range
        measured, flags = judge(measured, state.compliance, full_scale)
        if in_voltage:
            amperes = measured
        else:
            volts = measured
        return Trace(volts, amperes, seconds - seconds[0], flags)
