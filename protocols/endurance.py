"""Endurance: how long two states stay apart under pulses of both polarities, within the sample's budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter

from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select, terminal_of
from labtrain.session.sink import Column
from labtrain.wiring import DevicePlan
from protocols.programmed import ProgrammedProcedure, Step

_CHUNK = 50
"""Cycles between two looks at drift and at whether to stop."""


class Endurance(ProgrammedProcedure):
    """Cycles a device between its two ends and reads both now and then, equally spaced in log cycles.

    It wears the device out, so the bench file must say what the device may receive in its life
    (``total_pulses``); what the logbook holds already counts, and a run that would exceed the rest is
    refused before its first pulse. It ends early where the states no longer differ by ``window``.
    """

    NAME = "endurance"
    PLOT = ("cycle", "siemens")
    COLUMNS = DEVICE | {
        "cycle": Column("int64", "", "cycle, from 1"),
        "state": Column("str", "", "high or low conductance"),
        "siemens": Column("float64", "S", "conductance"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "life_pulses": Column("int64", "", "pulses in the logbook"),
        "flags": Column("uint8", "", "flags"),
    }

    cycles = IntegerParameter("Cycles", default=100, minimum=1, maximum=10**9, description="up and down")
    pulses = IntegerParameter(
        "Pulses", default=1, minimum=1, maximum=100_000, description="of each polarity in a cycle"
    )
    per_decade = IntegerParameter(
        "Readings a decade", default=5, minimum=1, maximum=1000, description="of cycles"
    )
    window = FloatParameter(
        "Least window",
        default=1.1,
        minimum=1.0,
        maximum=1e6,
        description="ratio of the two conductances below which the run ends",
    )

    def _read_at(self) -> list[int]:
        """Return the cycles after which both states are read, 1 and the last among them."""
        decades = float(np.log10(self.cycles)) if self.cycles > 1 else 0.0
        count = round(decades * self.per_decade) + 1
        return sorted({round(c) for c in np.geomspace(1, self.cycles, count)} | {1, int(self.cycles)})

    def plan(self) -> tuple[Demand, ...]:
        """All pulses of all cycles.

        Raises
        ------
        UsageError
            Where the bench file does not say what the device may receive.
        """
        where = terminal_of(self.device, self.where_pulsed())
        if np.isinf(where.limits.total_pulses):
            raise UsageError(
                f"nobody has said how many pulses {self.device.name}.{where.name} may receive in its life",
                remedy="state total_pulses in its limits in the bench file: endurance wears a device out",
                key=f"{self.device.name}.{where.name}",
            )
        reads = 2 * len(self._read_at())
        return self.demands(self.largest, pulses=self._pulses(), reads=reads, points=reads)

    def _pulses(self) -> int:
        return int(2 * self.pulses * self.cycles)

    def measure_all(self, devices: Sequence[DevicePlan]) -> None:
        """See that every device's logbook has room for the whole run, then cycle one after another."""
        for device in devices:
            self.device = device
            self._require_budget()
        super().measure_all(devices)

    def _require_budget(self) -> None:
        name = self.where_pulsed()
        limits, life = terminal_of(self.device, name).limits, self.bench.life(self.device, name)
        what = f"a run of {self._pulses()} pulses after {life.pulses} in the logbook: a total"
        limits.check(
            "total_pulses", life.pulses + self._pulses(), what=what, where=f"{self.device.name}.{name}"
        )

    def execute(self) -> None:
        """Cycle; read at the stated cycles."""
        done = 0
        for cycle in self._read_at():
            while done < cycle - 1:
                if self.interlude():
                    return
                done = self._cycle(done, min(cycle - 1, done + _CHUNK))
            if self.interlude() or not self._read_both(cycle):
                return
            done = cycle

    def _cycle(self, done: int, until: int) -> int:
        with self.probe(self.largest) as probe:
            while done < until and not self.should_stop():
                self.pulse(probe, self.signed(1), self.pulses)
                self.pulse(probe, self.signed(-1), self.pulses)
                done += 1
        return done

    def _read_both(self, cycle: int) -> bool:
        """Go through one cycle with readings; false where the states no longer stand apart."""
        with self.probe(self.largest) as probe:
            high = self.step(probe, 1, np.nan, self.pulses)
            self._note(cycle, "high", high)
            low = self.step(probe, -1, np.nan, self.pulses)
            self._note(cycle, "low", low)
        return high.after.siemens >= self.window * low.after.siemens

    def _note(self, cycle: int, state: str, step: Step) -> None:
        row = {"device": self.device.name, "terminal": self.where_read(), "cycle": cycle, "state": state}
        row |= {"siemens": step.after.siemens, "volts": step.after.volts, "amperes": step.after.amperes}
        row |= {"life_pulses": self.bench.life(self.device, self.where_pulsed()).pulses}
        self.emit("results", row | {"flags": step.after.flags})

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device the window at the first and the last cycle, and whether it held."""
        window, cycles = (attributes["parameters"][name] for name in ("window", "cycles"))
        found = {}
        for name in distinct(rows["device"]):
            own = select(rows, device=name)
            high, low = (select(own, state=state)["siemens"] for state in ("high", "low"))
            ratio = high[: len(low)] / low
            done = int(own["cycle"][-1])
            found[name] = {
                "cycles": done,
                "first_window": float(ratio[0]),
                "last_window": float(ratio[-1]),
                "held": bool(done >= cycles and ratio[-1] >= window),
                "life_pulses": int(own["life_pulses"][-1]),
            }
        return {"devices": found}
