"""Pulses in volts at the device: source resistance, load setting, attenuation and bandwidth counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import final

from labtrain.bench.circuit import Path
from labtrain.bench.worst_case import GENERATOR_OHMS
from labtrain.errors import LimitExceeded, UsageError
from labtrain.limits import Limits
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.units import format_quantity

_EDGES = 0.7
"""A pulse must last two rise times of 0.35/bandwidth (single-pole low-pass, 10-90 %)."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What was sent.

    Attributes
    ----------
    volts
        At the device, for its expected resistance.
    programmed
        At the generator, under its load setting, in V.
    seconds
        Width.
    count
        Pulses.
    """

    volts: float
    programmed: float
    seconds: float
    count: int


@final
class PulsePath:
    """The way from a generator channel to one terminal of a device.

    Parameters
    ----------
    generator
        The role.
    path
        What lies between.
    resistance
        Of the device, in ohm: what the conversion to volts at the device assumes.
    limits, where
        Of the terminal.
    connected
        Closes the route while pulses are sent and gives the role; checks that no other source drives
        the device.
    """

    def __init__(
        self,
        generator: PulseGenerator,
        path: Path,
        resistance: float,
        limits: Limits,
        where: str,
        connected: Callable[[], AbstractContextManager[PulseGenerator]],
    ) -> None:
        self.generator, self.path, self.resistance = generator, path, resistance
        self._limits, self._where, self._connected = limits, where, connected

    @property
    def gain(self) -> float:
        """Volts at the device over open-circuit EMF of the generator."""
        series = GENERATOR_OHMS + self.path.resistance
        return self.path.gain * self.resistance / (self.resistance + series)

    @property
    def shortest(self) -> float:
        """The shortest pulse that the path's bandwidth passes, in s."""
        return _EDGES / self.path.bandwidth

    def programmed(self, volts: float) -> float:
        """Return the amplitude to program, under the load setting, for ``volts`` at the device."""
        load = self.generator.output_load
        setting = load / (load + GENERATOR_OHMS) if load < float("inf") else 1.0
        return volts / self.gain * setting

    def pulse(self, volts: float, seconds: float, n: int = 1) -> Pulse:
        """Send ``n`` pulses of ``volts`` at the device, each ``seconds`` long.

        Raises
        ------
        LimitExceeded
            Where the terminal's limits (its total of pulses too), or what the source could do at the
            worst load, or the bandwidth of the path refuse it; nothing was sent.
        """
        self._limits.check("voltage", volts, what="a pulse", where=self._where)
        self._limits.check("pulse_width", seconds, what="a pulse width", where=self._where)
        if not seconds >= self.shortest:
            raise LimitExceeded(
                f"a pulse of {format_quantity(seconds, 's')} is too short for a path of"
                f" {format_quantity(self.path.bandwidth, 'Hz')}; nothing was sent",
                remedy=f"ask for at least {format_quantity(self.shortest, 's')}, or wire it RF-direct",
                key=self._where,
            )
        amplitude = self.programmed(volts)
        with self._connected() as generator:
            generator.pulse(amplitude, seconds, n)
        return Pulse(volts, amplitude, seconds, n)


def nominal(expected: tuple[float, float] | None, where: str) -> float:
    """Return the resistance to assume: the geometric mean of the expected range.

    Raises
    ------
    UsageError
        Where the bench file states none.
    """
    if expected is None or not 0 < expected[0] <= expected[1] < float("inf"):
        raise UsageError(
            f"the resistance of {where} is not known, so volts at the device cannot be programmed",
            remedy='state expected_resistance = ["600 ohm", "1 kohm"] for this terminal in the bench file',
            key=where,
        )
    return float((expected[0] * expected[1]) ** 0.5)
