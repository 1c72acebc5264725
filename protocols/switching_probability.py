"""Switching probability of a three-terminal MTJ: reset, verify, pulse, read, many times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter, Parameter

from labtrain import noise
from labtrain.arrays.two_states import TwoStates, two_states
from labtrain.errors import CheckFailed, UsageError
from labtrain.procedures import DEVICE, Demand, DeviceProcedure, Rows, distinct, select, terminal_of
from labtrain.session.sink import Column
from labtrain.twins import counts_of, fit_switching
from protocols.terminals import compliance_current

if TYPE_CHECKING:
    from labtrain.bench import PulsePath

_USUAL_AMPERES = 100e-6
_CALIBRATION, _ATTEMPT = "calibration", "attempt"
_UP, _DOWN = "P->AP", "AP->P"


class SwitchingProbability(DeviceProcedure):
    """Counts how often a pulse switches a device, against its amplitude, for one or both directions.

    Every attempt resets the device with a strong pulse, verifies by a read, applies the pulse and reads
    again. Attempts whose reset failed are recorded, counted and left out of the probability. The
    threshold between the states comes from the device's own readings after reset pulses of both
    polarities. Within each repeat the amplitudes come in random order, so that drift cannot pass for
    a voltage dependence.
    """

    NAME = "switching-probability"
    COLUMNS = DEVICE | {
        "order": Column("int64", "", "attempt"),
        "kind": Column("str", "", "calibration or attempt"),
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

    pulse_terminal = Parameter("Pulse terminal", default="line", description="where pulses are applied")
    read_terminal = Parameter("Read terminal", default="top", description="where the state is read")
    direction = ListParameter(
        "Direction", choices=["both", _UP, _DOWN], default="both", description="which switching is counted"
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
        description="attempts at each amplitude and direction",
    )
    width = FloatParameter(
        "Pulse width",
        units="s",
        default=10e-9,
        minimum=0.2e-9,
        maximum=1.0,
        description="of reset and switching pulses, at half height",
    )
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
        description="reads of each state for the threshold",
    )
    read_voltage = FloatParameter(
        "Read voltage", units="V", default=0.05, minimum=1e-3, maximum=0.1, description="across the barrier"
    )
    nplc = FloatParameter(
        "Aperture", default=0.1, minimum=0.01, maximum=10, description="in power-line cycles a read"
    )

    def _directions(self) -> list[str]:
        return [_UP, _DOWN] if self.direction == "both" else [self.direction]

    def _read_limit(self) -> float:
        limits = terminal_of(self.device, self.read_terminal).limits
        return compliance_current(limits, self.read_voltage, 0.0, _USUAL_AMPERES)

    def plan(self) -> tuple[Demand, ...]:
        """Pulses on one terminal, gentle reads on the other."""
        if not self.start < self.stop:
            raise UsageError(
                f"start {self.start:g} V is not below stop {self.stop:g} V",
                remedy="amplitudes are magnitudes; the polarity follows from the direction",
                key="start",
            )
        attempts = self.points * self.repeats * len(self._directions())
        pulses = 2 * self.calibration + attempts * (1 + self.reset_attempts)
        reads = 2 * (self.calibration + attempts)
        largest = max(self.stop, self.reset_amplitude)
        return (
            Demand(
                self.pulse_terminal,
                largest,
                self._line_amperes(largest),
                points=0,
                pulses=pulses,
                pulse_seconds=self.width,
                seconds=pulses * 2e-3,
            ),
            Demand(
                self.read_terminal,
                self.read_voltage,
                self._read_limit(),
                points=2 * self.calibration + attempts,
                seconds=reads * (self.nplc * 0.02 + 15e-3),
            ),
        )

    def _line_amperes(self, volts: float) -> float:
        """At the least expected resistance; unstated: 0, and the pulse path checks the current alone."""
        low, _ = self.expected_resistance.get(f"{self.device.name}.{self.pulse_terminal}", (0.0, 0.0))
        return volts / low if low > 0 else 0.0

    def execute(self) -> None:
        """Calibrate the threshold, then attempt in randomised blocks."""
        path = self.bench.pulse_path(self.device.name, self.pulse_terminal)
        states = self._calibrate(path)
        order = 2 * self.calibration
        for repeat in range(self.repeats):
            for direction, volts in self._block(repeat):
                if self.should_stop():
                    return
                self._attempt(path, states, direction, volts, order)
                order += 1

    def _block(self, repeat: int) -> list[tuple[str, float]]:
        """All amplitudes and directions once, shuffled by (seed, device, repeat)."""
        levels = np.linspace(self.start, self.stop, self.points)
        pairs = [(direction, float(volts)) for direction in self._directions() for volts in levels]
        stream = noise.stream(f"{self.NAME}/order/{self.device.name}")
        keys = noise.uniform(self.seed, stream, repeat, np.arange(len(pairs)))
        return [pairs[i] for i in np.argsort(keys, kind="stable")]

    def _calibrate(self, path: PulsePath) -> TwoStates:
        ohms = []
        for order in range(2 * self.calibration):
            direction = (_UP, _DOWN)[order % 2]
            volts = self._signed(direction, self.reset_amplitude)
            path.pulse(volts, self.width, 1)
            ohm, flags = self._read()
            ohms.append(ohm)
            self._note(_CALIBRATION, order, direction, volts, np.nan, ohm, np.nan, 1, False, False, flags)
        states = two_states(ohms)
        if not states.clear:
            raise CheckFailed(
                f"{self.device.name} does not show two clear states after pulses of"
                f" +-{self.reset_amplitude:g} V (means {states.low:.4g} and {states.high:.4g} ohm)",
                remedy="raise reset_amplitude or width, read longer (nplc), or check the device's contacts",
            )
        return states

    def _attempt(self, path: PulsePath, states: TwoStates, direction: str, volts: float, order: int) -> None:
        wanted_high = direction == _DOWN
        opposite = _UP if direction == _DOWN else _DOWN
        resets, ready = 0, False
        while not ready and resets < self.reset_attempts:
            path.pulse(self._signed(opposite, self.reset_amplitude), self.width, 1)
            before, flags = self._read()
            ready = (before > states.threshold) == wanted_high
            resets += 1
        signed = self._signed(direction, volts)
        after, switched = np.nan, False
        if ready:
            path.pulse(signed, self.width, 1)
            after, more = self._read()
            flags |= more
            switched = (after > states.threshold) != wanted_high
        self._note(
            _ATTEMPT,
            order,
            direction,
            signed,
            before,
            after,
            states.threshold,
            resets,
            ready,
            switched,
            flags,
        )

    def _signed(self, direction: str, volts: float) -> float:
        return volts * self.polarity * (1 if direction == _UP else -1)

    def _read(self) -> tuple[float, int]:
        """Read the resistance through a route that is open again before the next pulse.

        A source meter left connected would hold its end of the barrier while the line is pulsed.
        """
        limit = self._read_limit()
        with self.bench.route(self.device.name, self.read_terminal) as meter:
            meter.configure("voltage", self.read_voltage, limit, limit, self.nplc)
            if meter.source_voltage != self.read_voltage:
                meter.source_voltage = self.read_voltage
            meter.output_enabled = True
            reading = meter.measure()
            meter.output_enabled = False
        ohm = reading.volts / reading.amperes if reading.amperes else np.inf
        return float(ohm), int(reading.flags)

    def _note(
        self,
        kind: str,
        order: int,
        direction: str,
        volts: float,
        before: float,
        after: float,
        threshold: float,
        resets: int,
        valid: bool,
        switched: bool,
        flags: int,
    ) -> None:
        self.emit(
            "results",
            {
                "device": self.device.name,
                "terminal": self.pulse_terminal,
                "order": order,
                "kind": kind,
                "direction": direction,
                "volts": volts,
                "pulse_seconds": self.width,
                "ohm_before": before,
                "ohm_after": after,
                "threshold": threshold,
                "resets": resets,
                "valid": valid,
                "switched": switched,
                "flags": flags,
            },
        )

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return, for each device, its states and for each direction the fit and what was left out."""
        return {"devices": {name: _device(select(rows, device=name)) for name in distinct(rows["device"])}}


def _device(rows: Rows) -> dict[str, Any]:
    states = two_states(select(rows, kind=_CALIBRATION)["ohm_after"])
    found: dict[str, Any] = {
        "low_ohm": states.low,
        "high_ohm": states.high,
        "threshold_ohm": states.threshold,
        "separation": states.separation,
    }
    attempts = select(rows, kind=_ATTEMPT)
    for direction in distinct(attempts["direction"]):
        found[direction] = _direction(select(attempts, direction=direction))
    return found


def _direction(rows: Rows) -> dict[str, Any]:
    good = select(rows, valid=True)
    counts = counts_of(good["volts"], good["switched"])
    return {
        "attempts": len(rows["valid"]),
        "failed_resets": int(len(rows["valid"]) - len(good["valid"])),
        "extra_resets": int(np.sum(rows["resets"] - 1)),
        "fit": fit_switching(counts).summary() if len(counts.x) > 1 else None,
    }
