"""The source meter of a bench: sources and measures, never above what its terminals allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentError, UsageError
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.envelope import Envelope
from labtrain.roles.flags import Flag
from labtrain.roles.list_sweep import ListRun
from labtrain.roles.readings import SourceReading, Sweep
from labtrain.roles.role import Role
from labtrain.roles.source_checks import SourceChecks
from labtrain.roles.source_control import CHANGING, SourceControl
from labtrain.roles.source_face import SourceFace
from labtrain.roles.source_settings import (
    as_levels,
    positive,
    require_mode,
)
from labtrain.roles.worst_case import Mode, check_compliance

_NOTHING = Flag.NONE  # a look-up of an enumeration's member costs more than the check of a reading
_new = tuple.__new__  # half the price of a named tuple's own


@final
class SourceMeter(SourceFace, Role):
    """Sources voltage or current and measures the other, within the bench's limits.

    Every change is checked before the driver is called, with level, limit and mode as they would be
    after the call and with the worst load; a NaN is refused. The output cannot be turned on before a
    limit has been stated. Names are PyMeasure's.

    Parameters
    ----------
    driver
        The dialect object; private from here on.
    port
        Its port on the bus.
    envelope
        Gives the limits at the channel, as the routes stand.
    clock
        The bench's clock.
    alias, channel
        Names from the bench file.
    allow_auto_range
        Whether the bench file allows automatic ranges: a range change overshoots by up to 250 mV, which
        can switch a magnetic tunnel junction.

    Raises
    ------
    LimitExceeded
        From every method that changes something: nothing was sent.
    InstrumentStateChanged
        When the instrument is no longer set as this role left it; its output has then been turned off.
    """

    __slots__ = ("_allow_auto_range", "_checks", "_control", "_driver", "_envelope", "_memory", "_routes")

    def __init__(
        self,
        driver: SourceMeterDialect,
        port: Port,
        envelope: Envelope,
        clock: Clock,
        alias: str,
        channel: str = "",
        *,
        allow_auto_range: bool = False,
    ) -> None:
        super().__init__(port, clock, alias, channel)
        self._driver = driver
        self._envelope = envelope
        self._allow_auto_range = allow_auto_range
        self._control = SourceControl(driver, port, envelope, self._report, self.name, allow_auto_range)
        self._memory, self._routes = self._control.memory, envelope.routes
        self._checks = SourceChecks(driver, envelope, self._control, self.name)

    def configure(
        self,
        mode: Mode,
        level_range: float,
        limit: float,
        measure_range: float,
        nplc: float = 1.0,
        *,
        remote_sense: bool = False,
    ) -> None:
        """Set the source up in the safe order: output off, function, ranges, limit, level 0; then read back.

        Ranges are fixed. The output stays off. Sends nothing where the source is set up so already.

        Parameters
        ----------
        mode
            What is sourced: ``"voltage"`` or ``"current"``; the other is measured.
        level_range
            The largest level to come, in V or A; the instrument chooses the range that holds it.
        limit
            The compliance: A in voltage mode, V in current mode.
        measure_range
            The largest reading to come, in A or V.
        nplc
            Aperture in power line cycles.
        remote_sense
            By four wires: volts are sourced and measured where the sense leads touch the device. Only inside
            ``bench.route(device, terminal, sense=True)``.
        """
        require_mode(mode)
        for value, what in ((level_range, "a level range"), (limit, "a limit"), (measure_range, "a range")):
            positive(value, what)
        positive(nplc, "an aperture in power line cycles")
        with self._call:
            limits, where = self._envelope.limits()
            check_compliance(mode, limit, limits, where)
            if remote_sense:
                self._envelope.before_remote_sense(limit if mode == "voltage" else 0.0)
            state = self._control.believed()
            setup = (mode, level_range, limit, measure_range, nplc, remote_sense)
            if self._control.memory.setup == setup:
                return
            if state.output:
                self._control.turn_off()
            self._control.forget_setup()
            self._control.set_up(mode, level_range, limit, measure_range, nplc, limits, remote_sense)
            self._control.memory.setup = setup

    def measure(self) -> SourceReading:
        """Measure once, in one query.

        Raises
        ------
        UsageError
            With the output off: there is nothing to measure.
        """
        with self._call:
            memory = self._memory
            state = memory.state
            if state is None or memory.seen != self._port.incidents:
                state = self._control.look()
            if not state.output:
                raise UsageError(
                    f"{self.name}: the output is off, so there is nothing to measure",
                    remedy="set output_enabled = True first",
                )
            source, reading, seconds = self._driver.measure_once()
            flags = _NOTHING
            if not (memory.judged is state and abs(reading) < memory.quiet):
                reading, flags = self._control.judged(reading, state)
            if state.mode == "voltage":
                return _new(SourceReading, (source, reading, seconds, flags, state.source_voltage))
            return _new(SourceReading, (reading, source, seconds, flags, state.source_current))

    @property
    def voltage(self) -> float:
        """One measurement's voltage (read back where it is sourced)."""
        return self.measure().volts

    @property
    def current(self) -> float:
        """One measurement's current (read back where it is sourced)."""
        return self.measure().amperes

    def quantise(self, levels: ArrayLike) -> NDArray[np.float64]:
        """Round levels to the source's resolution on its present range, as they will be sent."""
        with self._call:
            state = self._control.believed()
            return self._checks.rounded(as_levels(levels), state.mode, state.full_scale)

    @property
    def resolution(self) -> float:
        """The source's step on its present range, in V or A."""
        with self._call:
            state = self._control.believed()
            return self._driver.resolution(state.mode, state.full_scale)

    def sweep(self, levels: ArrayLike, *, delay: float = 0.0, abort_on_compliance: bool = True) -> Sweep:
        """Source ``levels`` one after the other and measure at each, by the instrument's own list sweep.

        Parameters
        ----------
        levels
            ``[n]``, in V or A by the present mode; rounded to the source's resolution.
        delay
            Seconds between a change of level and its measurement, beside the source's settling.
        abort_on_compliance
            Whether the instrument stops the sweep at the first point in compliance; what it did not come
            to is NaN.

        Returns
        -------
        Sweep
            The source ends at zero. The output, if it was off, is on during the sweep only.
        """
        with self.sweeping(levels, delay=delay, abort_on_compliance=abort_on_compliance) as run:
            return run.finish()

    @contextmanager
    def sweeping(
        self, levels: ArrayLike, *, delay: float = 0.0, abort_on_compliance: bool = True
    ) -> Iterator[ListRun]:
        """Load a list sweep, to be started and finished inside the block; see :meth:`sweep`.

        So that several source meters can be started one right after the other
        (:func:`labtrain.roles.sweep_together`). The bench is held meanwhile. Leaving the block
        finishes the sweep; an exception stops the instrument.
        """
        wanted = as_levels(levels)
        if wanted.ndim != 1 or not len(wanted):
            raise UsageError(
                f"a sweep of shape {wanted.shape}", remedy="give a one-dimensional list of levels"
            )
        if not delay >= 0:
            raise UsageError(f"a delay of {delay} s", remedy="give a number of seconds, zero or more")
        with self._call:
            state = self._control.believed()
            programmed = self._checks.sweep(wanted, delay, state)
            was_on = state.output
            if not was_on:
                self._control.turn_on()
            memory = self._control.memory
            memory.seen = CHANGING
            run = ListRun(
                self._driver,
                state,
                programmed,
                clock=self._clock,
                nplc=memory.nplc,
                delay=delay,
                full_scale=self._control.full_scale(),
                abort_on_compliance=abort_on_compliance,
                name=self.name,
            )
            try:
                run.load()
                yield run
                run.finish()
            except BaseException:
                with suppress(InstrumentError):  # what went wrong first is what is told
                    self._driver.abort()
                    if not was_on:
                        self._control.turn_off()
                raise
            self._control.note_level(state, 0.0)
            if was_on:
                state.output = self._driver.output_enabled  # a 2450's sweep may end with its output off
            memory.seen = self._port.incidents
            if not was_on:
                self._control.turn_off()

    def ramp_to_voltage(self, volts: float, steps: int = 30, pause: float = 20e-3) -> None:
        """Go to ``volts`` in ``steps`` equal steps with ``pause`` seconds between them."""
        for level in self._ramp("voltage", volts, steps):
            self.source_voltage = level
            self._clock.sleep(pause)

    def ramp_to_current(self, amperes: float, steps: int = 30, pause: float = 20e-3) -> None:
        """Go to ``amperes`` in ``steps`` equal steps with ``pause`` seconds between them."""
        for level in self._ramp("current", amperes, steps):
            self.source_current = level
            self._clock.sleep(pause)

    def shutdown(self) -> None:
        """Go to level zero and turn the output off; never refused."""
        with self._call:
            memory = self._control.memory
            memory.seen = CHANGING
            try:
                with suppress(InstrumentError):
                    self._driver.source_voltage = 0.0
                    self._driver.source_current = 0.0
            finally:
                self._control.turn_off()
            if memory.state is not None:
                memory.state.source_voltage = memory.state.source_current = 0.0

    def _ramp(self, mode: Mode, target: float, steps: int) -> list[float]:
        """Levels from the present one to ``target``, which is accepted before the first is sent."""
        positive(steps, "a number of steps")
        with self._call:
            state = self._control.believed()
            target = self._checks.target(mode, target)
            start = state.source_voltage if mode == "voltage" else state.source_current
        return [start + (target - start) * k / steps for k in range(1, steps + 1)]
