"""What a source meter's role accepts: levels rounded, within range, limits, power, steps and slew."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.limits import Limits
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.envelope import Envelope
from labtrain.roles.permit import NOTHING, Permit, largest_level, largest_step
from labtrain.roles.source_control import CHANGING, SourceControl
from labtrain.roles.source_settings import number, positive
from labtrain.roles.source_state import SourceState
from labtrain.roles.worst_case import Mode, check_compliance, check_level, check_source, check_steps
from labtrain.wiring import Crosspoint


@final
class SourceChecks:
    """Accepts or refuses what :class:`labtrain.roles.SourceMeter` is asked; sends nothing.

    Raises
    ------
    LimitExceeded
        Beyond what the channel's worst reachable terminal allows.
    UsageError
        Beyond the instrument's range.
    """

    __slots__ = ("_control", "_driver", "_envelope", "_name")

    def __init__(
        self, driver: SourceMeterDialect, envelope: Envelope, control: SourceControl, name: str
    ) -> None:
        self._driver, self._envelope, self._control, self._name = driver, envelope, control, name

    def level(self, mode: Mode, level: float, state: SourceState) -> float:
        """Round a level and accept it as it would act after the call; note what else would be accepted."""
        closed = self._envelope.routes.closed  # before the question: what it says of others holds for less
        limits, where = self._envelope.limits()
        level = number(level, f"a source {mode}")
        check_level(mode, level, limits, where)  # before rounding: a NaN has no rounding
        full_scale = state.source_voltage_range if mode == "voltage" else state.source_current_range
        per_unit = self._steps_a_unit(mode, full_scale)
        rounded = round(level * per_unit) / per_unit + 0.0
        self._fits(mode, rounded, full_scale)
        check_level(mode, rounded, limits, where)
        if state.output and mode == state.mode:
            check_source(mode, rounded, state.compliance, limits, where)
            if mode == "current":
                self._control.before_remote_sense(abs(rounded))
            steps = np.array([state.level, rounded])
            check_steps(mode, steps, state.compliance, self._driver.settle_seconds, limits, where)
        self._control.memory.permit = self._permit(mode, full_scale, state, closed, limits)
        return rounded

    def _permit(
        self, mode: Mode, full_scale: float, state: SourceState, closed: frozenset[Crosspoint], limits: Limits
    ) -> Permit:
        """Return the window in which levels need not be checked one by one."""
        if self._control.memory.remote:
            return NOTHING  # relays of the sense route may open at any time: asked level by level
        bound, allowed, compliance = (
            (limits.voltage, limits.current, state.compliance_current)
            if mode == "voltage"
            else (limits.current, limits.voltage, state.compliance_voltage)
        )
        if not 0 < compliance <= min(allowed, math.nextafter(math.inf, 0.0)):
            return NOTHING
        per_unit = self._steps_a_unit(mode, full_scale)
        bound = min(bound, self._driver.range_maximum(mode, full_scale))
        largest = largest_level(bound, compliance, limits.power, per_unit)
        step = largest_step(mode, compliance, self._driver.settle_seconds, limits)
        return Permit(mode, closed, state, largest, per_unit, step)

    def target(self, mode: Mode, target: float) -> float:
        """Accept the end of a ramp."""
        limits, where = self._envelope.limits()
        target = number(target, f"a source {mode}")
        check_level(mode, target, limits, where)
        return target

    def sweep(self, wanted: NDArray[np.float64], delay: float, state: SourceState) -> NDArray[np.float64]:
        """Round the levels of a sweep and accept each of them, each step, and the return to zero."""
        limits, where = self._envelope.limits()
        check_level(state.mode, float(np.max(np.abs(wanted))), limits, where)
        programmed = self.rounded(wanted, state.mode, state.full_scale)
        largest = float(np.max(np.abs(programmed)))
        self._fits(state.mode, largest, state.full_scale)
        check_source(state.mode, largest, state.compliance, limits, where)
        self._control.before_remote_sense(largest if state.mode == "current" else state.compliance)
        path = np.concatenate([[state.level], programmed, [0.0]])
        interval = self._control.nplc() * self._driver.line_seconds + delay + self._driver.settle_seconds
        check_steps(state.mode, path, state.compliance, interval, limits, where)
        return programmed

    def compliance(self, mode: Mode, value: float) -> None:
        """Accept a limit that is about to be set."""
        limits, where = self._envelope.limits()
        positive(value, "a compliance")
        check_compliance(mode, value, limits, where)
        state = self._control.believed()
        if state.output and state.mode == mode:
            check_source(mode, state.level, value, limits, where)
            if mode == "voltage":
                self._control.before_remote_sense(value)
        self._control.memory.seen = CHANGING

    def rounded(self, levels: NDArray[np.float64], mode: Mode, full_scale: float) -> NDArray[np.float64]:
        """Round to the source's resolution on a range."""
        per_unit = self._steps_a_unit(mode, full_scale)
        rounded: NDArray[np.float64] = np.rint(levels * per_unit) / per_unit
        return rounded + 0.0  # no negative zero on the wire

    def _steps_a_unit(self, mode: Mode, full_scale: float) -> int:
        # steps a unit, not units a step: whole numbers divided by it print as short decimals
        return round(1 / self._driver.resolution(mode, full_scale))

    def _fits(self, mode: Mode, level: float, full_scale: float) -> None:
        maximum = self._driver.range_maximum(mode, full_scale)
        if not abs(level) <= maximum:
            unit = "V" if mode == "voltage" else "A"
            raise UsageError(
                f"{self._name}: {level:g} {unit} does not fit the source range of {full_scale:g} {unit}",
                remedy=f"configure() with level_range >= {abs(level):g}",
            )
