"""What a procedure is about to ask of one device terminal, before anything is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labtrain.errors import UsageError
from labtrain.wiring import DevicePlan, TerminalPlan


@dataclass(frozen=True, slots=True)
class Demand:
    """The most that one terminal will see, and for how long.

    Attributes
    ----------
    terminal
        The device terminal's name.
    volts, amperes
        Largest magnitudes that are programmed (levels and compliance limits).
    points
        Rows that will be recorded.
    pulses, pulse_seconds
        How many pulses, and the width of each.
    seconds
        Expected time on the bench.
    """

    terminal: str
    volts: float
    amperes: float
    points: int
    pulses: int = 0
    pulse_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def pulse_energy(self) -> float:
        """What one pulse can put into the terminal at most, in J: all volts and all amperes at once."""
        return self.volts * self.amperes * self.pulse_seconds if self.pulses else 0.0

    def check(self, device: DevicePlan) -> None:
        """Compare with the terminal's limits; the roles check every single level again.

        Raises
        ------
        LimitExceeded
            Where a limit of the terminal is exceeded.
        UsageError
            Where the device has no such terminal.
        """
        limits = terminal_of(device, self.terminal).limits
        where = f"{device.name}.{self.terminal}"
        limits.check("voltage", self.volts, what="a voltage", where=where)
        limits.check("current", self.amperes, what="a current", where=where)
        if self.pulses:
            limits.check("pulse_width", self.pulse_seconds, what="a pulse width", where=where)
            limits.check("total_pulses", self.pulses, what="a number of pulses", where=where)


def terminal_of(device: DevicePlan, name: str) -> TerminalPlan:
    """Look a terminal up.

    Raises
    ------
    UsageError
        For a device without it, with those that there are.
    """
    if name in device.terminals:
        return device.terminals[name]
    raise UsageError(
        f"{device.name} ({device.kind}) has no terminal {name!r}",
        remedy=f"its terminals: {', '.join(device.terminals)}; choose devices with --device",
    )


def summarise(demands: Iterable[tuple[DevicePlan, Demand]], devices: int) -> dict[str, Any]:
    """Add demands up for a dry run: maxima, points, pulses and seconds."""
    several = list(demands)
    pulses: defaultdict[str, int] = defaultdict(int)
    dwell: defaultdict[str, float] = defaultdict(float)
    for device, demand in several:
        dwell[device.name] += demand.seconds
        if demand.pulses:
            pulses[f"{device.name}.{demand.terminal}"] += demand.pulses
    each = [demand for _, demand in several]
    return {
        "devices": devices,
        "points": sum(d.points for d in each),
        "max_volts": max((d.volts for d in each), default=0.0),
        "max_amperes": max((d.amperes for d in each), default=0.0),
        "pulse_energy": max((d.pulse_energy for d in each), default=0.0),
        "pulses": sum(d.pulses for d in each),
        "pulses_by_terminal": dict(pulses),
        "seconds_a_device": max(dwell.values(), default=0.0),
        "seconds": sum(d.seconds for d in each),
    }
