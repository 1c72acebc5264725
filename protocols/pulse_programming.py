"""Pulse programming of a memristor: potentiation, depression, and writes that are verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter

from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select
from labtrain.session.sink import Column
from protocols.programmed import ProgrammedProcedure, Step

UP, DOWN, VERIFIED = "potentiation", "depression", "write-verify"
_MARGIN = 0.15
"""Automatic targets keep this share of the staircase's range away from its ends."""


class PulseProgramming(ProgrammedProcedure):
    """Moves a conductance by equal pulses, up and down, then writes levels with verification.

    The staircase shows how far a pulse moves the conductance from where it stands and how much that
    scatters (the write noise); verified writes show how many pulses a level costs and whether it is met.
    """

    NAME = "pulse-programming"
    PLOT = ("seconds", "siemens")
    COLUMNS = DEVICE | {
        "phase": Column("str", "", "potentiation, depression or write-verify"),
        "cycle": Column("int64", "", "cycle"),
        "pulse": Column("int64", "", "pulse of the phase"),
        "level": Column("int64", "", "level of a verified write"),
        "target": Column("float64", "S", "target of a verified write"),
        "polarity": Column("int64", "", "+1 raises, -1 lowers, 0 no pulse"),
        "pulsed": Column("bool", "", "a pulse was given"),
        "pulse_volts": Column("float64", "V", "pulse amplitude at the device"),
        "pulse_seconds": Column("float64", "s", "pulse width"),
        "siemens_before": Column("float64", "S", "conductance before"),
        "siemens": Column("float64", "S", "conductance after"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "seconds": Column("float64", "s", "time since the device's first reading"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "soft-bounds",
        "models": ["soft-bounds", "write-noise"],
        "map": {
            "columns": {
                "before": {"name": "siemens_before", "unit": "S"},
                "conductance": {"name": "siemens", "unit": "S"},
                "polarity": {"name": "polarity"},
                "target": {"name": "target", "unit": "S"},
            },
            "group_by": ["device", "terminal"],
            "where": {"flags": 0, "pulsed": 1},
        },
    }

    mode = ListParameter(
        "Mode", choices=["both", "staircase", VERIFIED], default="both", description="what is done"
    )
    pulses = IntegerParameter(
        "Pulses", default=30, minimum=2, maximum=100_000, description="up, and as many down, of a cycle"
    )
    cycles = IntegerParameter("Cycles", default=2, minimum=1, maximum=100_000, description="of the staircase")
    levels = IntegerParameter(
        "Levels", default=4, minimum=2, maximum=1000, description="of verified writes, equally spaced"
    )
    low_target = FloatParameter(
        "Lowest target",
        units="S",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="0: inside the range that the staircase reached",
    )
    high_target = FloatParameter(
        "Highest target",
        units="S",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="0: inside the range that the staircase reached",
    )
    writes = IntegerParameter(
        "Writes", default=2, minimum=1, maximum=100_000, description="verified writes of each level"
    )

    def _does(self, what: str) -> bool:
        return self.mode in ("both", what)

    def plan(self) -> tuple[Demand, ...]:
        """As many pulses as writes may need at most."""
        given = self.high_target > 0
        if given and not self.low_target < self.high_target:
            raise UsageError(
                f"targets from {self.low_target:g} S to {self.high_target:g} S cannot be",
                remedy="give low_target below high_target, or leave both out",
                key="low_target",
            )
        if not given and self.mode == VERIFIED:
            raise UsageError(
                "without a staircase nobody knows which levels the device has",
                remedy="give low_target and high_target, or mode=both",
                key="high_target",
            )
        steps = 2 * self.pulses * self.cycles if self._does("staircase") else 0
        writes = self.levels * self.writes if self._does(VERIFIED) else 0
        pulses = steps + writes * self.max_pulses
        return self.demands(self.largest, pulses=pulses, reads=pulses + writes + 1, points=pulses + writes)

    def execute(self) -> None:
        """Go up and down, then write levels in random order of nothing but their numbers."""
        self._began: int | None = None
        reached = (self.low_target, self.high_target)
        if self._does("staircase"):
            reached = self._staircase()
        if not self._does(VERIFIED):
            return
        low, high = (self.low_target, self.high_target) if self.high_target > 0 else reached
        for write in range(self.writes):
            for level, target in enumerate(np.linspace(low, high, self.levels).tolist()):
                if self.interlude():
                    return
                self._write(write, level, target)

    def _staircase(self) -> tuple[float, float]:
        """Return the range for targets, inside what was reached."""
        seen: list[float] = []
        for cycle in range(self.cycles):
            for phase, direction in ((UP, 1), (DOWN, -1)):
                if self.interlude():
                    break
                with self.probe(self.largest) as probe:
                    before = self.read(probe).siemens
                    for pulse in range(self.pulses):
                        if self.should_stop():
                            break
                        step = self.step(probe, direction, before)
                        before = step.after.siemens
                        seen.append(before)
                        self._note(phase, cycle, pulse, -1, np.nan, step)
        if not seen:
            return 0.0, 0.0
        low, high = min(seen), max(seen)
        return low + _MARGIN * (high - low), high - _MARGIN * (high - low)

    def _write(self, write: int, level: int, target: float) -> None:
        with self.probe(self.largest) as probe:
            for pulse, step in enumerate(self.write(probe, target)):
                self._note(VERIFIED, write, pulse, level, target, step)
                if self.should_stop():
                    return

    def _note(self, phase: str, cycle: int, pulse: int, level: int, target: float, step: Step) -> None:
        now = self.bench.clock.now_ns()
        self._began = now if self._began is None else self._began
        row = {"device": self.device.name, "terminal": self.where_read()}
        row |= {"phase": phase, "cycle": cycle, "pulse": pulse, "level": level, "target": target}
        row |= {
            "polarity": step.direction,
            "pulsed": step.direction != 0,
            "pulse_volts": step.volts,
            "pulse_seconds": self.seconds,
        }
        row |= {"siemens_before": step.before, "siemens": step.after.siemens}
        row |= {"volts": step.after.volts, "amperes": step.after.amperes}
        self.emit("results", row | {"seconds": (now - self._began) * 1e-9, "flags": step.after.flags})

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device the range, the steps and their scatter, and how verified writes went."""
        tolerance = float(attributes["parameters"]["tolerance"])
        return {
            "devices": {
                name: _device(select(rows, device=name), tolerance) for name in distinct(rows["device"])
            }
        }


def _device(rows: Rows, tolerance: float) -> dict[str, Any]:
    found: dict[str, Any] = {
        "lowest_siemens": float(np.nanmin(rows["siemens"])),
        "highest_siemens": float(np.nanmax(rows["siemens"])),
    }
    for phase in (UP, DOWN):
        own = select(rows, phase=phase, flags=0)
        if len(own["siemens"]) > 1:
            steps = own["siemens"] - own["siemens_before"]
            found[phase] = {
                "pulses": len(steps),
                "mean_step_siemens": float(np.mean(steps)),
                "write_noise_siemens": _scatter(own["siemens_before"], steps),
            }
    writes = select(rows, phase=VERIFIED)
    if len(writes["siemens"]):
        found[VERIFIED] = _verified(writes, tolerance)
    return found


def _scatter(before: Any, steps: Any) -> float:
    """Scatter of steps around their straight line in G: soft bounds make the mean step depend on it."""
    line = np.polyfit(before, steps, 1) if np.ptp(before) > 0 else [np.mean(steps)]
    freedom = max(len(steps) - len(line), 1)
    return float(np.sqrt(np.sum((steps - np.polyval(line, before)) ** 2) / freedom))


def _verified(rows: Rows, tolerance: float) -> dict[str, Any]:
    last: dict[tuple[int, int], int] = {}
    for index, key in enumerate(zip(rows["cycle"].tolist(), rows["level"].tolist(), strict=True)):
        last[key] = index
    ends = np.array(list(last.values()))
    errors = rows["siemens"][ends] - rows["target"][ends]
    met = np.abs(errors) <= tolerance
    return {
        "writes": len(ends),
        "met": int(np.sum(met)),
        "pulses_mean": float(np.mean(rows["pulse"][ends])),
        "rms_error_siemens": float(np.sqrt(np.mean(errors**2))),
    }
