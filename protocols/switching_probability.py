"""Switching probability of a bistable device: reset, verify, pulse, read, many times."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter

from labtrain.arrays.probes import Probe
from labtrain.arrays.two_states import TwoStates, two_states
from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select
from labtrain.session.sink import Column
from protocols.pulsed import PulsedProcedure
from protocols.switching_analysis import ATTEMPT, CALIBRATION, DISTURB, device_summary
from protocols.switching_attempts import DOWN, UP, Outcome, ResetPulse, attempt, require_clear
from protocols.switching_schedule import AdaptiveSchedule, Attempt, GridSchedule, Schedule


class SwitchingProbability(PulsedProcedure):
    """Counts how often a pulse switches a device, against amplitude and width, for one or both directions.

    Every attempt resets the device with a strong pulse, verifies by a read, applies the pulse and reads
    again. Attempts whose reset failed are recorded, counted and left out of the probability. The
    threshold between the states comes from the device's own readings after reset pulses of both
    polarities; further reads of each state, without a pulse, say how often reading alone changes it.
    Amplitudes come in random order, so that drift cannot pass for a voltage dependence: all of them once
    in each repeat (``sampling=grid``), or those where the curve is least certain, until v50 is known to
    ``precision`` (``sampling=adaptive``).
    """

    NAME = "switching-probability"
    PLOT = ("volts", "ohm_after")
    COLUMNS = DEVICE | {
        "order": Column("int64", "", "attempt"),
        "kind": Column("str", "", "calibration, disturb or attempt"),
        "direction": Column("str", "", "direction that the pulse drives"),
        "volts": Column("float64", "V", "pulse amplitude at the device"),
        "pulse_seconds": Column("float64", "s", "pulse width"),
        "ohm_before": Column("float64", "ohm", "resistance after reset"),
        "ohm_after": Column("float64", "ohm", "resistance after the pulse"),
        "threshold": Column("float64", "ohm", "threshold between the states"),
        "resets": Column("int64", "", "reset pulses needed"),
        "valid": Column("bool", "", "reset verified"),
        "switched": Column("bool", "", "switched"),
        "flags": Column("uint8", "", "flags of both reads"),
    }
    FIT = {
        "model": "logistic",
        "models": ["logistic", "plateaued-logistic"],
        "map": {
            "columns": {
                "voltage": {"name": "volts", "unit": "V"},
                "switched": {"name": "switched"},
                "width": {"name": "pulse_seconds", "unit": "s"},
            },
            "group_by": ["device", "direction"],
            "where": {"valid": 1},
        },
    }

    direction = ListParameter(
        "Direction", choices=["both", UP, DOWN], default="both", description="which switching is counted"
    )
    start = FloatParameter(
        "Start amplitude",
        units="V",
        default=0.45,
        minimum=1e-3,
        maximum=10.0,
        description="lowest amplitude, at the device",
    )
    stop = FloatParameter(
        "Stop amplitude",
        units="V",
        default=0.75,
        minimum=1e-3,
        maximum=10.0,
        description="highest amplitude, at the device",
    )
    points = IntegerParameter("Amplitudes", default=13, minimum=2, maximum=1000, description="equally spaced")
    repeats = IntegerParameter(
        "Repeats",
        default=20,
        minimum=1,
        maximum=1000000,
        description="attempts at each amplitude; adaptive: points x repeats attempts on a curve at most",
    )
    sampling = ListParameter(
        "Sampling",
        choices=["grid", "adaptive"],
        default="grid",
        description="every amplitude as often, or where the curve is least certain",
    )
    precision = FloatParameter(
        "Precision",
        units="V",
        default=0.005,
        minimum=1e-6,
        maximum=1.0,
        description="adaptive: the standard deviation of v50 at which a curve is known",
    )
    stop_width = FloatParameter(
        "Longest pulse width",
        units="s",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="with widths > 1: widths from width to this, equally spaced in their logarithm",
    )
    widths = IntegerParameter("Widths", default=1, minimum=1, maximum=100, description="pulse widths")
    reset_amplitude = FloatParameter(
        "Reset amplitude", units="V", default=0.9, minimum=1e-3, maximum=10.0, description="of reset pulses"
    )
    reset_attempts = IntegerParameter(
        "Reset attempts", default=3, minimum=1, maximum=100, description="reset pulses before giving up"
    )
    polarity = ListParameter(
        "Polarity", choices=[1, -1], default=1, description="sign of the voltage that drives P to AP"
    )
    calibration = IntegerParameter(
        "Calibration",
        default=10,
        minimum=3,
        maximum=10000,
        description="reads of each state for the threshold, each followed by one that shows read disturb",
    )

    def fit_hint(self) -> Mapping[str, Any]:
        """With several widths the curve is one of voltage and width."""
        if self.widths == 1:
            return self.FIT
        return {**self.FIT, "model": "neel-brown", "models": ["neel-brown"]}

    def _directions(self) -> list[str]:
        return [UP, DOWN] if self.direction == "both" else [self.direction]

    def _widths(self) -> list[float]:
        shortest = self.seconds
        if self.widths == 1:
            return [shortest]
        if not self.stop_width > shortest:
            raise UsageError(
                f"{self.widths} widths from {shortest:g} s to {self.stop_width:g} s cannot be",
                remedy="give a stop_width above width",
                key="stop_width",
            )
        return [float(width) for width in np.geomspace(shortest, self.stop_width, self.widths)]

    def _reset_pulse(self) -> ResetPulse:
        return ResetPulse(self.reset_amplitude, self._widths()[-1], self.reset_attempts, self.polarity)

    def plan(self) -> tuple[Demand, ...]:
        """Pulses on one terminal, gentle reads on the other."""
        if not self.start < self.stop:
            raise UsageError(
                f"start {self.start:g} V is not below stop {self.stop:g} V",
                remedy="amplitudes are magnitudes; the polarity follows from the direction",
                key="start",
            )
        widths = self._widths()
        attempts = self.points * self.repeats * len(self._directions()) * len(widths)
        return self.demands(
            max(self.stop, self.reset_amplitude),
            pulses=2 * self.calibration + attempts * (1 + self.reset_attempts),
            reads=4 * self.calibration + 2 * attempts,
            points=4 * self.calibration + attempts,
            longest=widths[-1],
        )

    def _schedule(self) -> Schedule:
        curves = [(direction, width) for direction in self._directions() for width in self._widths()]
        if self.sampling == "adaptive":
            ends, most = (self.start, self.stop), self.points * self.repeats
            return AdaptiveSchedule(self.seed, self.device.name, curves, ends, self.precision, most)
        levels = np.linspace(self.start, self.stop, self.points).tolist()
        attempts = [Attempt(direction, volts, width) for direction, width in curves for volts in levels]
        return GridSchedule(self.seed, self.device.name, attempts, self.repeats)

    def execute(self) -> None:
        """Calibrate the threshold, then attempt in randomised blocks."""
        largest, schedule = max(self.stop, self.reset_amplitude), self._schedule()
        self._order = 0
        with self.probe(largest) as probe:
            states = self._calibrate(probe)
        for number in count():
            block = schedule.block(number)
            if not block or self.interlude():
                return
            with self.probe(largest) as probe:
                for one in block:
                    if self.should_stop():
                        return
                    found = attempt(
                        self, probe, states, self._reset_pulse(), one.direction, one.volts, one.seconds
                    )
                    self._note_attempt(one, found, states.threshold)
                    if found.valid:
                        schedule.learn(one, found.switched)

    def _calibrate(self, probe: Probe) -> TwoStates:
        """Read each state twice after reset pulses of alternating polarity."""
        pulse, pairs = self._reset_pulse(), []
        for turn in range(2 * self.calibration):
            direction = (UP, DOWN)[turn % 2]
            self.pulse(probe, pulse.towards(direction), seconds=pulse.seconds)
            first, second = self.read(probe), self.read(probe)
            pairs.append((direction, first, second))
        states = two_states([first.ohm for _, first, _ in pairs])
        for direction, first, second in pairs:
            volts = pulse.towards(direction)
            read = Outcome(np.nan, first.ohm, 1, False, False, first.flags)
            self._note(CALIBRATION, direction, volts, pulse.seconds, read, np.nan)
            changed = (first.ohm > states.threshold) != (second.ohm > states.threshold)
            read = Outcome(first.ohm, second.ohm, 0, False, bool(changed), second.flags)
            self._note(DISTURB, direction, volts, pulse.seconds, read, states.threshold)
        require_clear(states, self.device.name, self.reset_amplitude)
        return states

    def _note_attempt(self, one: Attempt, found: Outcome, threshold: float) -> None:
        signed = self._reset_pulse().towards(one.direction, one.volts)
        self._note(ATTEMPT, one.direction, signed, one.seconds, found, threshold)

    def _note(
        self, kind: str, direction: str, volts: float, seconds: float, found: Outcome, threshold: float
    ) -> None:
        self.emit(
            "results",
            {
                "device": self.device.name,
                "terminal": self.where_pulsed(),
                "order": self._order,
                "kind": kind,
                "direction": direction,
                "volts": volts,
                "pulse_seconds": seconds,
                "ohm_before": found.before,
                "ohm_after": found.after,
                "threshold": threshold,
                "resets": found.resets,
                "valid": found.valid,
                "switched": found.switched,
                "flags": found.flags,
            },
        )
        self._order += 1

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return, for each device, its states, its read disturb, and each direction's fit and losses."""
        names = distinct(rows["device"])
        return {"devices": {name: device_summary(select(rows, device=name)) for name in names}}
