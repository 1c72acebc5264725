"""I-V curves by the source meter's own list sweep: one upload, one readback a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.experiment.parameters import (
    BooleanParameter,
    FloatParameter,
    IntegerParameter,
    ListParameter,
    Parameter,
)

from labtrain.errors import UsageError
from labtrain.procedures import DEVICE, Demand, DeviceProcedure, Rows, distinct, select, terminal_of
from labtrain.roles.flags import Flag
from labtrain.session.sink import Column
from protocols.terminals import ALL, chosen_terminals, compliance_current, compliance_voltage

_USUAL_AMPERES = 100e-6
_ROUTE_SECONDS = 60.0


class IVCurve(DeviceProcedure):
    """Sweeps current (or voltage) up and down and reads the other, with flags at every point.

    Range and limit are fixed before the output goes on; the sweep ends at zero. In compliance the
    true level is below the programmed one, so both volts and amperes are recorded as measured.
    """

    NAME = "iv-curve"
    PLOT = ("amperes", "volts")
    COLUMNS = DEVICE | {
        "repeat": Column("int64", "", "repeat"),
        "direction": Column("str", "", "direction of the sweep"),
        "programmed": Column("float64", "", "programmed level (A in current mode, V in voltage mode)"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "seconds": Column("float64", "s", "time"),
        "flags": Column("uint8", "", "flags"),
    }
    FIT = {
        "model": "nano-neuron",
        "models": ["nano-neuron", "resistance", "vteam", "yakopcic"],
        "map": {
            "columns": {
                "current": {"name": "amperes", "unit": "A"},
                "voltage": {"name": "volts", "unit": "V"},
                "time": {"name": "seconds", "unit": "s"},
            },
            "group_by": ["device", "terminal"],
            "where": {"flags": 0},
        },
    }

    terminal = Parameter("Terminal", default=ALL, description="a terminal's name, or all that are wired")
    mode = ListParameter(
        "Mode", choices=["current", "voltage"], default="current", description="what is swept"
    )
    start_current = FloatParameter(
        "Start current",
        units="A",
        default=0.0,
        minimum=-1.0,
        maximum=1.0,
        description="first level, current mode",
        group_by="mode",
        group_condition="current",
    )
    stop_current = FloatParameter(
        "Stop current",
        units="A",
        default=50e-6,
        minimum=-1.0,
        maximum=1.0,
        description="turning point, current mode",
        group_by="mode",
        group_condition="current",
    )
    start_voltage = FloatParameter(
        "Start voltage",
        units="V",
        default=0.0,
        minimum=-200.0,
        maximum=200.0,
        description="first level, voltage mode",
        group_by="mode",
        group_condition="voltage",
    )
    stop_voltage = FloatParameter(
        "Stop voltage",
        units="V",
        default=0.2,
        minimum=-200.0,
        maximum=200.0,
        description="turning point, voltage mode",
        group_by="mode",
        group_condition="voltage",
    )
    points = IntegerParameter("Points", default=51, minimum=2, maximum=2500, description="levels one way")
    up_down = BooleanParameter("Up and down", default=True, description="sweep back down as well")
    polarities = ListParameter(
        "Polarities",
        choices=["one", "both"],
        default="one",
        description="both: the sweep as given, then the same with the opposite sign",
    )
    repeats = IntegerParameter("Repeats", default=2, minimum=1, maximum=10000, description="whole sweeps")
    compliance = FloatParameter(
        "Compliance",
        default=0.0,
        minimum=0.0,
        maximum=200.0,
        description="of the other quantity, in V or A by mode; 0: what the terminal's limits allow",
    )
    wires = ListParameter(
        "Wires",
        choices=[2, 4],
        default=2,
        description="4: sensed at the device by the terminal's own sense lead; leads and contacts drop out",
    )
    nplc = FloatParameter(
        "Aperture", default=0.1, minimum=0.01, maximum=10, description="in power-line cycles a reading"
    )

    def _levels(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        start, stop = (
            (self.start_current, self.stop_current)
            if self.mode == "current"
            else (self.start_voltage, self.stop_voltage)
        )
        if math.isclose(start, stop, rel_tol=1e-9):
            raise UsageError(
                f"start and stop are both {start:g}", remedy="give different ones", key=f"stop_{self.mode}"
            )
        return np.linspace(start, stop, self.points)

    def _limit(self, terminal: str, largest: float) -> float:
        limits = terminal_of(self.device, terminal).limits
        if self.mode == "current":
            return compliance_voltage(limits, largest, self.compliance)
        return compliance_current(limits, largest, self.compliance, _USUAL_AMPERES)

    def plan(self) -> tuple[Demand, ...]:
        """The sweep's turning point and its compliance, on every terminal."""
        largest, points = float(np.max(np.abs(self._levels()))), len(self._sweep()[0]) * self.repeats
        demands = []
        for name in self._terminals():
            limit = self._limit(name, largest)
            volts, amperes = (limit, largest) if self.mode == "current" else (largest, limit)
            demands.append(Demand(name, volts, amperes, points, seconds=points * self._point_seconds()))
        return tuple(demands)

    def _terminals(self) -> list[str]:
        """Return the chosen terminals; of ``all``, by four wires, those with a sense lead."""
        names = chosen_terminals(self.device, self.terminal)
        if self.wires == 2:
            return names
        sensed = [name for name in names if self.device.terminals[name].sense]
        if not sensed or (self.terminal != ALL and sensed != names):
            raise UsageError(
                f"{self.device.name}.{names[0]} has no sense lead for four-wire measurements",
                remedy='state one in the bench file (sense = "matrix.ROW,COLUMN"), or give wires=2',
                key="wires",
            )
        return sensed

    def _point_seconds(self) -> float:
        return float(self.nplc * 0.02 + 2e-3)

    def _sweep(self) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[str]]:
        """Return the levels of one repeat and which way each goes."""
        levels = self._levels()
        both = np.concatenate([levels, levels[::-1]]) if self.up_down else levels
        ways = ["up"] * len(levels) + ["down"] * (len(both) - len(levels))
        return (both, ways) if self.polarities == "one" else (np.concatenate([both, -both]), ways + ways)

    def execute(self) -> None:
        """Sweep each terminal as often as asked; a route is held for a minute at most."""
        together = max(int(_ROUTE_SECONDS / (len(self._sweep()[0]) * self._point_seconds())), 1)
        for terminal in self._terminals():
            for first in range(0, self.repeats, together):
                if self.interlude():
                    return
                self._measure(terminal, range(first, min(first + together, self.repeats)))

    def _measure(self, terminal: str, repeats: range) -> None:
        levels, ways = self._sweep()
        largest = float(np.max(np.abs(levels)))
        limit = self._limit(terminal, largest)
        four = self.wires == 4
        with self.bench.route(self.device.name, terminal, sense=four) as meter:
            meter.configure(self.mode, largest, limit, limit, self.nplc, remote_sense=four)
            for repeat in repeats:
                if self.should_stop():
                    return
                sweep = meter.sweep(levels)
                for i, way in enumerate(ways):
                    row = {
                        "device": self.device.name,
                        "terminal": terminal,
                        "repeat": repeat,
                        "direction": way,
                        "programmed": float(sweep.programmed[i]),
                        "volts": float(sweep.volts[i]),
                        "amperes": float(sweep.amperes[i]),
                        "seconds": float(sweep.seconds[i]),
                        "flags": int(sweep.flags[i]),
                    }
                    self.emit("results", row)  # in here: what fails in the record opens the route at once

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return for each terminal its points, those in compliance, and the resistance at both ends."""
        found = {}
        for device in distinct(rows["device"]):
            own = select(rows, device=device)
            for terminal in distinct(own["terminal"]):
                found[f"{device}.{terminal}"] = _summary(select(own, terminal=terminal))
        return {"terminals": found}


def _summary(rows: Rows) -> dict[str, Any]:
    size = np.abs(rows["amperes"])
    sound = (rows["flags"] == 0) & (size > 0.01 * np.max(size, where=rows["flags"] == 0, initial=0.0))
    order = np.argsort(np.abs(rows["amperes"][sound]), kind="stable")
    ohm = (rows["volts"][sound] / rows["amperes"][sound])[order]
    few = max(len(ohm) // 10, 1)
    return {
        "points": len(rows["flags"]),
        "in_compliance": int(np.sum((rows["flags"] & int(Flag.COMPLIANCE)) != 0)),
        "low_current_ohm": float(np.median(ohm[:few])) if len(ohm) else None,
        "high_current_ohm": float(np.median(ohm[-few:])) if len(ohm) else None,
    }
