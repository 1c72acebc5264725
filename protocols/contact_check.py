"""Contact check: is every device there, and what it should be? Gently, before anything else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, Parameter

from labtrain.bench import Contact, slope_ohm
from labtrain.procedures import DEVICE, Demand, DeviceProcedure, Rows, distinct, select, terminal_of
from labtrain.session.sink import Column
from protocols.terminals import ALL, chosen_terminals, compliance_current

_USUAL_AMPERES = 100e-6


class ContactCheck(DeviceProcedure):
    """Measures every terminal at 20 mV or less and compares it with its expected resistance.

    Voltage mode: a lifted probe sees 20 mV and no charging. Both polarities are read; the slope
    between them is the resistance, free of thermal voltages and offsets.
    """

    NAME = "contact-check"
    PLOT = ("volts", "amperes")
    CHECKS_CONTACT = True
    COLUMNS = DEVICE | {
        "programmed": Column("float64", "V", "programmed voltage"),
        "volts": Column("float64", "V", "voltage"),
        "amperes": Column("float64", "A", "current"),
        "seconds": Column("float64", "s", "time"),
        "flags": Column("uint8", "", "flags"),
    }

    terminal = Parameter("Terminal", default=ALL, description="a terminal's name, or all that are wired")
    voltage = FloatParameter(
        "Voltage",
        units="V",
        default=0.02,
        minimum=1e-3,
        maximum=0.02,
        description="read at plus and minus this; never above 20 mV",
    )
    compliance = FloatParameter(
        "Current limit",
        units="A",
        default=0.0,
        minimum=0.0,
        maximum=1e-3,
        description="0: 100 uA, or the terminal's limit where that is less",
    )
    repeats = IntegerParameter(
        "Repeats", default=2, minimum=1, maximum=1000, description="readings of each polarity"
    )
    nplc = FloatParameter(
        "Aperture", default=1.0, minimum=0.01, maximum=10, description="in power-line cycles a reading"
    )

    def plan(self) -> tuple[Demand, ...]:
        """Two polarities, some repeats, every terminal."""
        return tuple(
            Demand(
                name,
                volts=self.voltage,
                amperes=self._limit(name),
                points=2 * self.repeats,
                seconds=2 * self.repeats * (self.nplc * 0.02 + 2e-3) + 0.05,
            )
            for name in chosen_terminals(self.device, self.terminal)
        )

    def _limit(self, terminal: str) -> float:
        limits = terminal_of(self.device, terminal).limits
        return compliance_current(limits, self.voltage, self.compliance, _USUAL_AMPERES)

    def execute(self) -> None:
        """Measure each terminal at both polarities in turn."""
        for terminal in chosen_terminals(self.device, self.terminal):
            if self.should_stop():
                return
            self._read(terminal)

    def _read(self, terminal: str) -> None:
        contact = self.bench.contact_check(
            self.device,
            terminal,
            volts=self.voltage,
            amperes=self._limit(terminal),
            repeats=self.repeats,
            nplc=self.nplc,
        )
        for reading in contact.readings:
            self.emit(
                "results",
                {
                    "device": self.device.name,
                    "terminal": terminal,
                    "programmed": reading.programmed,
                    "volts": reading.volts,
                    "amperes": reading.amperes,
                    "seconds": reading.seconds,
                    "flags": int(reading.flags),
                },
            )

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``ok``, ``out_of_specification`` (terminals) and what each terminal measured."""
        terminals = {}
        for device in distinct(rows["device"]):
            own = select(rows, device=device)
            for terminal in distinct(own["terminal"]):
                name = f"{device}.{terminal}"
                expected = attributes["expected_resistance"].get(name)
                terminals[name] = _judge(name, select(own, terminal=terminal), expected)
        outside = [name for name, found in terminals.items() if not found["ok"]]
        return {"ok": not outside, "out_of_specification": outside, "terminals": terminals}


def _judge(where: str, rows: Rows, expected: tuple[float, float] | None) -> dict[str, Any]:
    found = Contact(where, slope_ohm(rows["volts"], rows["amperes"]), expected)
    return {
        "ohm": found.ohm if math.isfinite(found.ohm) else None,
        "expected_ohm": list(expected) if expected else None,
        "ok": found.ok,
        "reason": found.reason,
    }
