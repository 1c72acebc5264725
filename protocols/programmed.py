"""What protocols share that programme a conductance: pulses up and down, and writes that are verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, ListParameter

from labtrain.arrays.probes import Probe
from protocols.pulsed import PulsedProcedure, Read


@dataclass(frozen=True, slots=True)
class Step:
    """One pulse and what it did.

    Attributes
    ----------
    direction
        +1: a pulse that should raise the conductance, -1: lower it, 0: none was needed.
    volts
        Signed, 0 without a pulse.
    before
        Conductance before, in S.
    after
        The reading after it.
    """

    direction: int
    volts: float
    before: float
    after: Read


class ProgrammedProcedure(PulsedProcedure):
    """The base of protocols that move a conductance by equal pulses."""

    set_voltage = FloatParameter(
        "Set amplitude",
        units="V",
        default=0.9,
        minimum=1e-3,
        maximum=10.0,
        description="of pulses that raise the conductance",
    )
    reset_voltage = FloatParameter(
        "Reset amplitude",
        units="V",
        default=0.9,
        minimum=1e-3,
        maximum=10.0,
        description="of pulses that lower it",
    )
    polarity = ListParameter(
        "Polarity", choices=[1, -1], default=1, description="sign of the voltage that raises the conductance"
    )
    tolerance = FloatParameter(
        "Tolerance",
        units="S",
        default=4e-6,
        minimum=1e-12,
        maximum=1.0,
        description="of a verified write",
    )
    max_pulses = IntegerParameter(
        "Most pulses", default=60, minimum=1, maximum=1_000_000, description="of one verified write"
    )

    @property
    def largest(self) -> float:
        """The largest pulse, in V."""
        return float(max(self.set_voltage, self.reset_voltage))

    def signed(self, direction: int) -> float:
        """Return the voltage of a pulse in a direction."""
        return float(self.polarity * (self.set_voltage if direction > 0 else -self.reset_voltage))

    def step(self, probe: Probe, direction: int, before: float, count: int = 1) -> Step:
        """Give pulses in one direction and read."""
        volts = self.signed(direction)
        self.pulse(probe, volts, count)
        return Step(direction, volts, before, self.read(probe))

    def write(self, probe: Probe, target: float) -> Iterator[Step]:
        """Pulse towards ``target`` S and read, until a reading is within the tolerance or pulses are used up.

        The first step has no pulse: what was there.
        """
        found = self.read(probe)
        yield Step(0, 0.0, found.siemens, found)
        for _ in range(self.max_pulses):
            if abs(found.siemens - target) <= self.tolerance:
                return
            step = self.step(probe, 1 if found.siemens < target else -1, found.siemens)
            found = step.after
            yield step
