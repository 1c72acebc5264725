"""Resistance against voltage in both states of a junction: the bias dependence of its magnetoresistance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter

from labtrain.arrays.two_states import TwoStates
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select, terminal_of
from labtrain.roles.readings import Sweep
from labtrain.session.sink import Column
from protocols.pulsed import PulsedProcedure
from protocols.switching_attempts import DOWN, UP, ResetPulse, learn_states, reset
from protocols.terminals import compliance_current

PARALLEL, ANTIPARALLEL, FOUND = "P", "AP", "as-found"
_DIRECTIONS = {PARALLEL: DOWN, ANTIPARALLEL: UP}
_CODES = {PARALLEL: 0, ANTIPARALLEL: 1, FOUND: -1}
_USUAL_AMPERES = 100e-6


class ResistanceVoltage(PulsedProcedure):
    """Sweeps the read terminal's voltage in the parallel and in the antiparallel state.

    A pulse sets the state and a read at low bias confirms it, before and after each sweep: a sweep
    that disturbed the state is recorded as not held. ``states=as-found`` pulses nothing and takes the
    device as it is. Sweeps go 0, +V, 0, -V, 0.
    """

    NAME = "resistance-voltage"
    PLOT = ("volts", "amperes")
    COLUMNS = DEVICE | {
        "state": Column("str", "", "P, AP or as-found"),
        "antiparallel": Column("int64", "", "1 AP, 0 P, -1 not known"),
        "repeat": Column("int64", "", "repeat"),
        "programmed": Column("float64", "V", "programmed voltage"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "held": Column("bool", "", "the same state before and after the sweep"),
        "seconds": Column("float64", "s", "time in the sweep"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "bias-tmr",
        "models": ["bias-tmr"],
        "map": {
            "columns": {
                "voltage": {"name": "volts", "unit": "V"},
                "current": {"name": "amperes", "unit": "A"},
                "state": {"name": "antiparallel"},
            },
            "group_by": ["device", "terminal"],
            "where": {"flags": 0, "held": 1},
        },
    }

    states = ListParameter(
        "States", choices=["both", FOUND], default="both", description="set by pulses, or taken as found"
    )
    voltage = FloatParameter(
        "Largest voltage",
        units="V",
        default=0.2,
        minimum=1e-3,
        maximum=10.0,
        description="of the sweep, both polarities",
    )
    points = IntegerParameter(
        "Points", default=21, minimum=2, maximum=600, description="from 0 to the largest voltage"
    )
    repeats = IntegerParameter(
        "Repeats", default=2, minimum=1, maximum=10_000, description="sweeps of a state"
    )
    set_amplitude = FloatParameter(
        "Set amplitude", units="V", default=0.9, minimum=1e-3, maximum=10.0, description="of setting pulses"
    )
    set_attempts = IntegerParameter(
        "Set attempts", default=3, minimum=1, maximum=100, description="pulses before giving up"
    )
    polarity = ListParameter(
        "Polarity", choices=[1, -1], default=1, description="sign of the voltage that drives P to AP"
    )
    calibration = IntegerParameter(
        "Calibration", default=4, minimum=3, maximum=10_000, description="reads of each state"
    )

    def _levels(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        up = np.linspace(0.0, self.voltage, self.points)
        half = np.concatenate([up, up[-2::-1]])
        return np.concatenate([half, -half[1:]])

    def _sweep_limit(self) -> float:
        limits = terminal_of(self.device, self.where_read()).limits
        return compliance_current(limits, self.voltage, 0.0, max(_USUAL_AMPERES, limits.current))

    def plan(self) -> tuple[Demand, ...]:
        """The sweep, and where states are set their pulses."""
        states = 1 if self.states == FOUND else 2
        points = len(self._levels()) * self.repeats * states
        seconds = points * (self.nplc * 0.02 + 2e-3)
        sweep = Demand(self.where_read(), self.voltage, self._sweep_limit(), points, seconds=seconds)
        if self.states == FOUND:
            return (sweep,)
        pulses = 2 * self.calibration + 2 * self.repeats * self.set_attempts
        return (*self.demands(self.set_amplitude, pulses=pulses, reads=pulses + 4, points=0), sweep)

    def execute(self) -> None:
        """Set, verify, sweep, verify; states in turn."""
        if self.states == FOUND:
            for repeat in range(self.repeats):
                if self.interlude():
                    return
                self._note(FOUND, repeat, self._sweep(), held=True)
            return
        pulse = ResetPulse(self.set_amplitude, self.seconds, self.set_attempts, self.polarity)
        with self.probe(self.set_amplitude) as probe:
            known = learn_states(self, probe, pulse, self.calibration)
        for repeat in range(self.repeats):
            for state in _DIRECTIONS:
                if self.interlude():
                    return
                self._in_state(state, repeat, known, pulse)

    def _in_state(self, state: str, repeat: int, known: TwoStates, pulse: ResetPulse) -> None:
        with self.probe(self.set_amplitude) as probe:
            ready = reset(self, probe, known, pulse, _DIRECTIONS[state])[2]
        sweep = self._sweep()
        with self.probe(self.set_amplitude) as probe:
            same = (self.read(probe).ohm > known.threshold) == (state == ANTIPARALLEL)
        self._note(state, repeat, sweep, held=ready and same)

    def _sweep(self) -> Sweep:
        limit = self._sweep_limit()
        with self.bench.route(self.device.name, self.where_read()) as meter:
            meter.configure("voltage", self.voltage, limit, limit, self.nplc)
            return meter.sweep(self._levels())

    def _note(self, state: str, repeat: int, sweep: Sweep, *, held: bool) -> None:
        for i in range(len(sweep.programmed)):
            row = {"device": self.device.name, "terminal": self.where_read(), "state": state}
            row |= {"antiparallel": _CODES[state], "repeat": repeat, "held": held}
            row |= {"programmed": float(sweep.programmed[i]), "volts": float(sweep.volts[i])}
            row |= {"amperes": float(sweep.amperes[i]), "seconds": float(sweep.seconds[i])}
            self.emit("results", row | {"flags": int(sweep.flags[i])})

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device the resistance of each state and the TMR, at low and at full bias."""
        names = distinct(rows["device"])
        return {"devices": {name: _device(select(rows, device=name)) for name in names}}


def _device(rows: Rows) -> dict[str, Any]:
    found: dict[str, Any] = {"not_held": int(np.sum(~rows["held"]))}
    ohms = {}
    for state in distinct(rows["state"]):
        ohms[state] = _at_biases(select(rows, state=state, held=True, flags=0))
        found[state] = {"low_bias_ohm": ohms[state][0], "full_bias_ohm": ohms[state][1]}
    if {PARALLEL, ANTIPARALLEL} <= ohms.keys():
        pairs = zip(ohms[PARALLEL], ohms[ANTIPARALLEL], strict=True)
        low, full = (ap / p - 1 if p and ap else None for p, ap in pairs)
        found["tmr"] = {"low_bias": low, "full_bias": full}
    return found


def _at_biases(rows: Rows) -> tuple[float | None, float | None]:
    """Slope through zero below a third of the largest voltage; V/I above nine tenths."""
    if not len(rows["volts"]):
        return None, None
    size = np.abs(rows["programmed"])
    low, full = (size <= size.max() / 3) & (size > 0), size >= 0.9 * size.max()
    return tuple(  # type: ignore[return-value]
        float(np.sum(rows["volts"][part] ** 2) / np.sum(rows["volts"][part] * rows["amperes"][part]))
        if np.any(part)
        else None
        for part in (low, full)
    )
