"""How a source meter's role handles its instrument: what it believes, sets, reads back and turns on.

The instrument is asked as little as possible and believed as little as needed: what a role has set it
remembers; after an incident on the link, and before every output-on, it asks again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import numpy as np

from labtrain.bus import Port
from labtrain.errors import InstrumentStateChanged
from labtrain.limits import Limits
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.envelope import Envelope
from labtrain.roles.flags import Flag
from labtrain.roles.permit import NOTHING
from labtrain.roles.readings import judge, quiet_below
from labtrain.roles.source_settings import other
from labtrain.roles.source_state import SourceState
from labtrain.roles.worst_case import Mode, check_source, check_steps, refuse
from labtrain.units import format_quantity

CHANGING = -1
"""Stands for "seen" while a message is under way: interrupted there, the instrument is asked anew."""

_COARSEST = 10.0
"""Full scale of a source range over the limit: ranges come in decades, and one's error at zero is below a
part in a thousand of it (data sheets, up to 100 mA)."""


class Memory:
    """What the role knows about its instrument without asking.

    Of ``state`` only the output and the levels change in place; where a mode, limit or range changes, or may
    have, it is replaced: ``permit`` and ``quiet`` hold for one state object only.
    """

    __slots__ = (
        "judged", "measure_range", "nplc", "permit", "quiet", "remote", "seen", "setup", "state", "stated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state: SourceState | None = None
        self.permit = NOTHING
        self.judged: SourceState | None = None  # the state that `quiet` was computed for
        self.quiet = math.nan  # readings below are in range and not in compliance
        self.seen = CHANGING
        self.stated: set[Mode] = set()
        self.setup: tuple[Any, ...] | None = None
        self.nplc = math.nan
        self.measure_range = math.nan
        self.remote = False  # four wires: a lost sense lead leaves only the current held


@final
class SourceControl:
    """The private half of :class:`labtrain.roles.SourceMeter`; every call is inside a role call."""

    def __init__(
        self,
        driver: SourceMeterDialect,
        port: Port,
        envelope: Envelope,
        report: Callable[[list[str]], None],
        name: str,
        allow_auto_range: bool,
    ) -> None:
        self.memory = Memory()
        self._driver = driver
        self._port = port
        self._envelope = envelope
        self._report = report
        self._name = name
        self._allow_auto_range = allow_auto_range

    def believed(self) -> SourceState:
        """Return what the source is set to; asks only where that is not known, or after an incident."""
        memory = self.memory
        state = memory.state
        if state is None or memory.seen != self._port.incidents:
            state = self.look()
        return state

    def look(self) -> SourceState:
        """Ask the instrument what it is set to; after an incident it must be as it was left."""
        memory, believed = self.memory, self.memory.state
        ours = memory.seen == CHANGING
        was_off = believed is not None and self._port.lost_power()
        fresh = SourceState.read(self._driver)
        memory.state, memory.seen = fresh, self._port.incidents
        changes = [] if believed is None or ours else believed.differences(fresh)
        if was_off:
            changes.insert(0, "its power has been off")
        if believed is None or ours or changes:
            self.forget_setup()
            memory.stated = set() if was_off else memory.stated
        if changes:
            self.turn_off()
            raise InstrumentStateChanged(
                f"is not set as labtrain left it ({'; '.join(changes)}); its output is off now",
                instrument=self._name,
                remedy="was it switched off and on, or its front panel touched? Configure it anew",
            )
        return fresh

    def set_up(
        self,
        mode: Mode,
        level_range: float,
        limit: float,
        measure_range: float,
        nplc: float,
        limits: Limits,
        remote: bool,
    ) -> None:
        """Set everything in the safe order with the output off, then read it back."""
        driver, memory, measured = self._driver, self.memory, other(mode)
        memory.state = None
        driver.source_mode = mode
        memory.remote = memory.remote or remote  # until it is known to be off
        driver.sense(measured, remote)
        memory.remote = remote
        if mode == "voltage":
            driver.source_voltage_range = level_range
            driver.current_range = measure_range
            driver.protection_voltage = min(level_range, limits.voltage)
            driver.compliance_current = limit
            driver.source_voltage = 0.0
        else:
            driver.source_current_range = level_range
            driver.voltage_range = measure_range
            driver.protection_voltage = limit
            driver.compliance_voltage = limit
            driver.source_current = 0.0
        self.set_nplc(measured, nplc)
        self._report(driver.errors())
        memory.measure_range = measure_range
        state = memory.state = SourceState.read(driver)
        memory.seen = self._port.incidents
        self.require(mode, limit, state)
        memory.stated = {mode}

    def set_nplc(self, measured: Mode, cycles: float) -> None:
        """Set the aperture of what is measured."""
        if measured == "voltage":
            self._driver.voltage_nplc = cycles
        else:
            self._driver.current_nplc = cycles
        self.memory.nplc = cycles

    def require(self, mode: Mode, limit: float, state: SourceState) -> None:
        """Compare what was asked with what the instrument says; limits have been seen to move."""
        if state.mode == mode and math.isclose(state.compliance, limit, rel_tol=1e-3):
            return
        self.memory.stated.discard(mode)
        raise InstrumentStateChanged(
            f"was told to source {mode} with a limit of {limit:g}, but says {state.mode} with"
            f" {state.compliance:g}",
            instrument=self._name,
            remedy="a fixed measure range below the limit moves the limit: choose a range that holds it",
        )

    def compliance_set(self, mode: Mode, value: float) -> None:
        """Read a limit back after it was set."""
        memory = self.memory
        memory.setup = None
        state = memory.state = SourceState.read(self._driver)
        memory.seen = self._port.incidents
        if state.mode == mode:
            self.require(mode, value, state)
        memory.stated.add(mode)

    def turn_on(self) -> None:
        """Turn the output on: with a stated limit that still holds, fixed ranges and allowed levels only."""
        memory, state = self.memory, self.believed()
        if state.output:
            return
        if state.mode not in memory.stated:
            limit = "compliance_current" if state.mode == "voltage" else "compliance_voltage"
            raise refuse(
                f"no limit has been stated for {state.mode} mode (the instrument's own is"
                f" {state.compliance:g})",
                self._name,
                f"set {limit}, or configure(), before turning the output on",
            )
        self.refuse_auto_ranges(state.mode)
        self._envelope.before_drive()
        self.before_remote_sense(state.compliance if state.mode == "voltage" else abs(state.level))
        limits, where = self._envelope.limits()
        check_source(state.mode, state.level, state.compliance, limits, where)
        self.refuse_coarse_range(state, limits, where)
        steps = np.array([0.0, state.level])
        check_steps(state.mode, steps, state.compliance, self._driver.settle_seconds, limits, where)
        in_voltage = state.mode == "voltage"
        says = self._driver.compliance_current if in_voltage else self._driver.compliance_voltage
        self.require(state.mode, state.compliance, replace(state, **_limit_of(state.mode, says)))
        memory.seen = CHANGING
        self._driver.output_enabled = True
        state.output = True
        memory.seen = self._port.incidents

    def before_remote_sense(self, amperes: float) -> None:
        """Have the bench accept ``amperes`` by four wires, should a lead be lost; by two nothing is asked.

        A source that senses nothing drives its output to the end; what it still holds is the current.
        """
        if self.memory.remote:
            self._envelope.before_remote_sense(amperes)

    def refuse_coarse_range(self, state: SourceState, limits: Limits, where: str) -> None:
        """Refuse a source range whose error at zero is of the size of the limit.

        Level 0 of a 2602B's 3 A range may be 1.5 mA (specifications): whatever is asked of a device of 60 uA,
        it gets more. The range that the instrument chooses for a level within the limit is fine enough.
        """
        limit = limits.voltage if state.mode == "voltage" else limits.current
        setup = self.memory.setup
        if state.full_scale <= _COARSEST * limit or (setup is not None and setup[1] <= limit):
            return
        unit = "V" if state.mode == "voltage" else "A"
        raise refuse(
            f"a source range of {format_quantity(state.full_scale, unit)}, whose error at zero can exceed the"
            f" limit of {format_quantity(limit, unit)} at {where}",
            self._name,
            f"configure() with a level_range of at most {format_quantity(limit, unit)}",
        )

    def refuse_auto_ranges(self, mode: Mode) -> None:
        """Refuse ranges that could change by themselves while the output is on."""
        if self.memory.setup is not None or self._allow_auto_range:
            return  # configure() has fixed them
        for name in (f"source_{mode}_range_auto", f"{other(mode)}_range_auto"):
            if getattr(self._driver, name):
                raise refuse(
                    f"{name} is on, and a change of range overshoots by up to 250 mV",
                    self._name,
                    f"configure(), or set {name.removesuffix('_auto')}, before turning the output on",
                )

    def turn_off(self) -> None:
        """Turn the output off; never refused. What was not known before is not known after."""
        memory = self.memory
        sure = memory.seen == self._port.incidents
        memory.seen = CHANGING
        self._driver.output_enabled = False
        if memory.state is not None:
            memory.state.output = False
            if sure:
                memory.seen = self._port.incidents

    def note_level(self, state: SourceState, level: float) -> None:
        """Remember the level that a sweep has left."""
        if state.mode == "voltage":
            state.source_voltage = level
        else:
            state.source_current = level

    def nplc(self) -> float:
        """Return the aperture in power line cycles, remembered."""
        if math.isnan(self.memory.nplc):
            voltage = other(self.believed().mode) == "voltage"
            self.memory.nplc = self._driver.voltage_nplc if voltage else self._driver.current_nplc
        return self.memory.nplc

    def full_scale(self) -> float:
        """Return the measure range, remembered."""
        if math.isnan(self.memory.measure_range):
            measured = other(self.believed().mode)
            voltage = measured == "voltage"
            self.memory.measure_range = self._driver.voltage_range if voltage else self._driver.current_range
        return self.memory.measure_range

    def judged(self, reading: float, state: SourceState) -> tuple[float, Flag]:
        """Flag one reading, and note below which others need not be judged."""
        memory, full_scale = self.memory, self.full_scale()
        memory.judged, memory.quiet = state, quiet_below(state.compliance, full_scale)
        readings, flags = judge(np.array([reading]), state.compliance, full_scale)
        return float(readings[0]), Flag(int(flags[0]))

    def forget_setup(self) -> None:
        """Forget what :meth:`SourceMeter.configure` has set."""
        memory = self.memory
        memory.setup, memory.nplc, memory.measure_range = None, math.nan, math.nan

    def change(self, name: str, value: Any) -> None:
        """Change a range and see that the limit has not moved with it."""
        before = self.believed()
        self.forget_setup()
        self.memory.seen = CHANGING
        setattr(self._driver, name, value)
        state = self.memory.state = SourceState.read(self._driver)
        self.memory.seen = self._port.incidents
        if state.mode in self.memory.stated:
            self.require(state.mode, before.compliance, state)


def _limit_of(mode: Mode, value: float) -> dict[str, Any]:
    return {"compliance_current" if mode == "voltage" else "compliance_voltage": value}
