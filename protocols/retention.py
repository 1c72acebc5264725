"""Retention: how conductances change after programming, read at times equally spaced in their logarithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter

from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, Rows, distinct, select
from labtrain.session.sink import Column
from labtrain.wiring import DevicePlan
from protocols.programmed import ProgrammedProcedure
from protocols.pulsed import Read

_SLICE_SECONDS = 5.0
"""Waiting is done in slices, so that a run can be stopped and drift is looked at."""


@dataclass(frozen=True, slots=True)
class _Programmed:
    """A device at one level: when it was programmed, and to what."""

    device: DevicePlan
    at_ns: int
    target: float
    siemens: float


class Retention(ProgrammedProcedure):
    """Programmes all devices to a level, then reads them in turn for as long as asked; level by level.

    Levels are the two ends that pulses of either polarity reach (``programming=pulses``), or targets that
    are written with verification. Times count from each device's own programming.
    """

    NAME = "retention"
    PLOT = ("elapsed", "siemens")
    COLUMNS = DEVICE | {
        "level": Column("int64", "", "level"),
        "target": Column("float64", "S", "target of a verified write"),
        "programmed": Column("float64", "S", "first reading after programming"),
        "elapsed": Column("float64", "s", "time since programming"),
        "siemens": Column("float64", "S", "conductance"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "relaxation",
        "models": ["relaxation"],
        "map": {
            "columns": {
                "time": {"name": "elapsed", "unit": "s"},
                "conductance": {"name": "siemens", "unit": "S"},
                "before": {"name": "programmed", "unit": "S"},
            },
            "group_by": ["device", "terminal"],
            "where": {"flags": 0},
        },
    }

    programming = ListParameter(
        "Programming",
        choices=["pulses", "targets"],
        default="pulses",
        description="the ends that pulses reach, or levels written with verification",
    )
    pulses = IntegerParameter(
        "Pulses", default=20, minimum=1, maximum=100_000, description="of one polarity, to reach an end"
    )
    levels = IntegerParameter(
        "Levels", default=2, minimum=1, maximum=1000, description="targets, equally spaced"
    )
    low_target = FloatParameter(
        "Lowest target", units="S", default=0.0, minimum=0.0, maximum=1.0, description="of verified writes"
    )
    high_target = FloatParameter(
        "Highest target", units="S", default=0.0, minimum=0.0, maximum=1.0, description="of verified writes"
    )
    first = FloatParameter(
        "First reading", units="s", default=0.5, minimum=0.01, maximum=1e6, description="after programming"
    )
    duration = FloatParameter(
        "Duration", units="s", default=100.0, minimum=0.1, maximum=1e8, description="of each level"
    )
    per_decade = IntegerParameter(
        "Readings a decade", default=4, minimum=1, maximum=1000, description="of time"
    )

    def _times(self) -> list[float]:
        if not self.first < self.duration:
            raise UsageError(
                f"a first reading after {self.first:g} s does not come before {self.duration:g} s",
                remedy="give a longer duration",
                key="duration",
            )
        decades = float(np.log10(self.duration / self.first))
        count = max(round(decades * self.per_decade), 1) + 1
        return [float(t) for t in np.geomspace(self.first, self.duration, count)]

    def _targets(self) -> list[float]:
        if self.programming == "pulses":
            return [float("nan"), float("nan")]
        if not 0 < self.low_target <= self.high_target:
            raise UsageError(
                f"targets from {self.low_target:g} S to {self.high_target:g} S cannot be",
                remedy="give low_target and high_target",
                key="low_target",
            )
        return [float(target) for target in np.linspace(self.low_target, self.high_target, self.levels)]

    def plan(self) -> tuple[Demand, ...]:
        """Pulses to programme each level; then waiting and reading."""
        times, levels = self._times(), len(self._targets())
        pulses = levels * (self.pulses if self.programming == "pulses" else self.max_pulses)
        points = levels * (len(times) + 1)
        pulsed, read = self.demands(self.largest, pulses=pulses, reads=points + pulses, points=points)
        waits = levels * self.duration
        return pulsed, Demand(
            read.terminal, read.volts, read.amperes, points=points, seconds=read.seconds + waits
        )

    def notes(self) -> tuple[str, ...]:
        """Say so where there will be too few writes for a twin."""
        from labtrain.twins.relaxation import FEWEST_WRITES

        if len(self._targets()) >= FEWEST_WRITES:
            return ()
        return (
            f"{len(self._targets())} levels: a twin of the relaxation needs {FEWEST_WRITES} writes a device;"
            f" programming=targets with levels={FEWEST_WRITES} or more gives them",
        )

    def execute(self) -> None:
        """Do what is done to all, with one device."""
        self.measure_all([self.device])

    def measure_all(self, devices: Sequence[DevicePlan]) -> None:
        """Programme all devices, read them in turn at each time; then the next level."""
        for level, target in enumerate(self._targets()):
            written = []
            for device in devices:
                if self.interlude():
                    return
                self.device = device
                if device.name not in self.failed:
                    with self.sparing_others(device):
                        written.append(self._programme(level, target))
            for time in self._times():
                for one in written:
                    if not self._wait_until(one.at_ns + round(time * 1e9)):
                        return
                    self.device = one.device
                    if one.device.name not in self.failed:
                        with self.sparing_others(one.device), self.probe(self.largest) as probe:
                            self._note(level, one, self.read(probe))

    def _programme(self, level: int, target: float) -> _Programmed:
        with self.probe(self.largest) as probe:
            if np.isnan(target):
                self.pulse(probe, self.signed(1 if level == 1 else -1), self.pulses)
                found = self.read(probe)
            else:
                found = list(self.write(probe, target))[-1].after
        one = _Programmed(self.device, self.bench.clock.now_ns(), target, found.siemens)
        self._note(level, one, found)
        return one

    def _wait_until(self, t_ns: int) -> bool:
        """Sleep until then; false where the run is to stop."""
        while not self.interlude():
            left = (t_ns - self.bench.clock.now_ns()) * 1e-9
            if left <= 0:
                return True
            self.bench.clock.sleep(min(left, _SLICE_SECONDS))
        return False

    def _note(self, level: int, one: _Programmed, found: Read) -> None:
        row = {"device": one.device.name, "terminal": self.where_read(), "level": level}
        row |= {"target": one.target, "programmed": one.siemens}
        row |= {"elapsed": (self.bench.clock.now_ns() - one.at_ns) * 1e-9, "siemens": found.siemens}
        self.emit("results", row | {"volts": found.volts, "amperes": found.amperes, "flags": found.flags})

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each device and level how far it moved, and how fast a decade of time."""
        names = distinct(rows["device"])
        return {"devices": {name: _levels(select(rows, device=name)) for name in names}}


def _levels(rows: Rows) -> list[dict[str, Any]]:
    return [_level(select(rows, level=level)) for level in distinct(rows["level"])]


def _level(rows: Rows) -> dict[str, Any]:
    later = rows["elapsed"] > 0.1
    programmed = float(rows["programmed"][0])
    found: dict[str, Any] = {"programmed_siemens": programmed, "readings": len(later)}
    if np.sum(later) > 1:
        decades = np.log10(rows["elapsed"][later])
        found["siemens_a_decade"] = float(np.polyfit(decades, rows["siemens"][later], 1)[0])
        found["relative_change"] = float(rows["siemens"][-1] / programmed - 1)
        found["seconds"] = float(rows["elapsed"][-1])
    return found
