"""What protocols share that pulse a device and read it gently: terminals, widths, limits, probes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from pymeasure.experiment.parameters import FloatParameter, Parameter

from labtrain.arrays.probes import GeneratorProbes, GentleRead, MeterProbes, Probe
from labtrain.errors import UsageError
from labtrain.procedures import Demand, DeviceProcedure, terminal_of
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.units import format_quantity
from protocols.terminals import compliance_current

AUTO = "auto"
_USUAL_AMPERES = 100e-6
_GENERATOR_SECONDS, _METER_SECONDS = 10e-9, 2e-3
_PULSE_SECONDS, _READ_SECONDS = 5e-3, 15e-3
"""What a pulse and a read cost on the bench beside width and aperture: settings, triggers, relays."""


@dataclass(frozen=True, slots=True)
class Read:
    """One gentle reading.

    Attributes
    ----------
    volts, amperes
        As measured.
    flags
        Bits of :class:`labtrain.roles.Flag`.
    """

    volts: float
    amperes: float
    flags: int

    @property
    def ohm(self) -> float:
        """Resistance; infinite where no current flows."""
        return self.volts / self.amperes if self.amperes else math.inf

    @property
    def siemens(self) -> float:
        """Conductance; NaN without a voltage."""
        return self.amperes / self.volts if self.volts else math.nan


class PulsedProcedure(DeviceProcedure):
    """The base of protocols that pulse a device and read it.

    A device with a terminal that a pulse generator reaches is pulsed there and read through another
    terminal. Any other one is pulsed by the source meter that reads it: pulses of a millisecond and more,
    each charged to the sample's logbook as a generator's are.
    """

    pulse_terminal = Parameter(
        "Pulse terminal", default=AUTO, description="auto: one that a generator reaches, or the read terminal"
    )
    read_terminal = Parameter(
        "Read terminal", default=AUTO, description="auto: the first that a source meter reaches"
    )
    width = FloatParameter(
        "Pulse width",
        units="s",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="of every pulse; 0: 10 ns by a generator, 2 ms by a source meter",
    )
    pulse_compliance = FloatParameter(
        "Pulse current limit",
        units="A",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="of pulses by a source meter; 0: what the terminal's limits allow",
    )
    read_voltage = FloatParameter(
        "Read voltage",
        units="V",
        default=0.05,
        minimum=1e-3,
        maximum=0.1,
        description="far below what switches",
    )
    nplc = FloatParameter(
        "Aperture", default=0.1, minimum=0.01, maximum=10, description="in power-line cycles a read"
    )

    _armed: PulseGenerator | None = None

    # where

    def where_read(self) -> str:
        """Return the terminal that is read."""
        if self.read_terminal != AUTO:
            return terminal_of(self.device, self.read_terminal).name
        return self._first("source-meter") or self._nowhere("source meter")

    def where_pulsed(self) -> str:
        """Return the terminal that is pulsed."""
        if self.pulse_terminal != AUTO:
            return terminal_of(self.device, self.pulse_terminal).name
        return self._first("pulse-generator") or self.where_read()

    def _first(self, role: str) -> str | None:
        reached = (name for name in self.device.terminals if role in self._roles(name))
        return next(reached, None)

    def _roles(self, terminal: str) -> frozenset[str]:
        return self.sources.get(f"{self.device.name}.{terminal}", frozenset())

    def _nowhere(self, what: str) -> str:
        raise UsageError(
            f"no {what} reaches {self.device.name}",
            remedy="wire one in the bench file, or choose other devices with --device",
            key=self.device.name,
        )

    @property
    def pulsed_by_meter(self) -> bool:
        """Whether the source meter that reads the device pulses it too."""
        return "pulse-generator" not in self._roles(self.where_pulsed())

    # how

    @property
    def seconds(self) -> float:
        """The width of a pulse.

        Raises
        ------
        UsageError
            For one that a source meter cannot make.
        """
        width = float(self.width)
        if not self.pulsed_by_meter:
            return width or _GENERATOR_SECONDS
        if 0 < width < MeterProbes.SHORTEST:
            raise UsageError(
                f"a pulse of {format_quantity(width, 's')} on {self.device.name} is too short for the source"
                " meter that reaches it",
                remedy=f"ask for {format_quantity(MeterProbes.SHORTEST, 's')} or more, or wire a generator",
                key="width",
            )
        return width or _METER_SECONDS

    def read_limit(self) -> float:
        """Return the current limit of reads."""
        limits = terminal_of(self.device, self.where_read()).limits
        return compliance_current(limits, self.read_voltage, 0.0, _USUAL_AMPERES)

    def pulse_limit(self, largest: float) -> float:
        """Return the current limit of pulses up to ``largest`` volts by a source meter."""
        limits = terminal_of(self.device, self.where_pulsed()).limits
        return compliance_current(limits, largest, self.pulse_compliance, limits.current)

    def demands(
        self, largest: float, *, pulses: int, reads: int, points: int, longest: float | None = None
    ) -> tuple[Demand, ...]:
        """Say what pulses up to ``largest`` volts and gentle reads ask of the terminals.

        Parameters
        ----------
        longest
            The longest pulse in s; by default :attr:`seconds`.
        """
        pulsed, read = self.where_pulsed(), self.where_read()
        by_meter = self.pulsed_by_meter
        amperes = self.pulse_limit(largest) if by_meter else self._line_amperes(pulsed, largest)
        width = longest or self.seconds
        return (
            Demand(
                pulsed,
                largest,
                amperes,
                points=0,
                pulses=pulses,
                pulse_seconds=width,
                seconds=pulses * (_PULSE_SECONDS + width),
            ),
            Demand(
                read,
                self.read_voltage,
                self.read_limit(),
                points=points,
                seconds=reads * (self.nplc * 0.02 + _READ_SECONDS),
            ),
        )

    def _line_amperes(self, terminal: str, volts: float) -> float:
        """At the least expected resistance; unstated: 0, and the pulse path checks the current alone."""
        low, _ = self.expected_resistance.get(f"{self.device.name}.{terminal}", (0.0, 0.0))
        return volts / low if low > 0 else 0.0

    @contextmanager
    def probe(self, largest: float) -> Iterator[Probe]:
        """Reach the device; pulses may have up to ``largest`` volts. No interlude inside the block."""
        read, pulsed, limit = self.where_read(), self.where_pulsed(), self.read_limit()
        gentle = GentleRead(self.read_voltage, self.read_voltage, limit, self.nplc)
        route, path = self.bench.route, self.bench.pulse_path
        probes: GeneratorProbes | MeterProbes
        if self.pulsed_by_meter:
            most = self.pulse_limit(largest)
            probes = MeterProbes(route, pulsed, gentle, max_volts=largest, max_amperes=most)
        else:
            self._use(path(self.device.name, pulsed).generator)
            probes = GeneratorProbes(path, route, (pulsed, read), gentle)
        with probes.at(self.device.name) as probe:
            yield probe

    def _use(self, generator: PulseGenerator | None) -> None:
        """Leave the channel used before: armed, it would be fired by the next one's trigger."""
        if self._armed is not None and self._armed is not generator:
            self._armed.output_enabled = False
        self._armed = generator

    def shutdown(self) -> None:
        """Switch the generator's channel off."""
        self._use(None)

    def pulse(self, probe: Probe, volts: float, count: int = 1, seconds: float | None = None) -> None:
        """Give ``count`` pulses of :attr:`seconds`; charged to the logbook before they are sent."""
        seconds = self.seconds if seconds is None else seconds
        if self.pulsed_by_meter:
            self.bench.charge_pulses(self.device, self.where_pulsed(), count, volts, seconds)
        probe.pulse(volts, seconds, count)

    def read(self, probe: Probe) -> Read:
        """Read the device once."""
        volts, amperes, flags = probe.read(np.array([self.read_voltage]))
        return Read(float(volts[0]), float(amperes[0]), int(flags[0]))
