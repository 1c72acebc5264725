"""The contact check: is a device there, and is it what it should be? Gently, before anything is driven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from labtrain.errors import CheckFailed, UsageError
from labtrain.limits import Limits
from labtrain.roles.readings import SourceReading
from labtrain.roles.source_meter import SourceMeter
from labtrain.units import format_quantity

MOST_VOLTS = 0.02
"""A contact check never asks for more: 20 mV cannot switch a junction, nor harm one (docs/safety.md)."""

_USUAL_AMPERES = 100e-6
_LEAST_SIEMENS = 5e-13  # 10 fA, the least that a source meter resolves (2450 data sheet), at 20 mV
_ROUNDING = 1 - 1e-3  # keeps a derived limit inside the terminal's after an instrument rounds it
_SETTLE_SECONDS = 200e-6  # in which a source completes a step: what a limit of slew is compared with


@dataclass(frozen=True, slots=True)
class Contact:
    """What a contact check of one terminal found.

    Attributes
    ----------
    where
        ``"neurons[3].top"``.
    ohm
        dV/dI between both polarities, free of thermal voltages and offsets; infinite for an open circuit.
    expected
        (low, high) in ohm, None where the bench file states nothing.
    readings
        One by one, at alternating polarity.
    """

    where: str
    ohm: float
    expected: tuple[float, float] | None
    readings: tuple[SourceReading, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the resistance is as expected."""
        low, high = self.expected or (0.0, math.inf)
        return low <= self.ohm <= high

    @property
    def reason(self) -> str:
        """The judgement in words."""
        if self.ok:
            return "as expected" if self.expected else "no expected resistance is stated"
        if not self.ohm <= (self.expected or (0.0, math.inf))[1]:
            return "above the expected resistance: open, lifted or broken"
        return "below the expected resistance: shorted or broken"

    def failure(self) -> CheckFailed:
        """Build the refusal to drive this terminal."""
        found = "an open circuit" if math.isinf(self.ohm) else format_quantity(self.ohm, "ohm")
        span = " to ".join(format_quantity(end, "ohm") for end in self.expected or ())
        return CheckFailed(
            f"the contact check found {found} where {span} is expected ({self.reason});"
            " nothing more is driven there",
            remedy="look at probe, bond and wiring, then run contact-check again;"
            " or correct expected_resistance in the bench file",
            key=self.where,
        )


def slope_ohm(volts: Any, amperes: Any) -> float:
    """Return dV/dI by regressing I on V (the sourced quantity); infinite where no current flows.

    An open circuit's slope is noise around zero current, so one that no meter resolves, or a negative one, is
    infinite too.
    """
    v = np.asarray(volts) - np.mean(volts)
    siemens = float(v @ np.asarray(amperes) / (v @ v)) if v @ v > 0 else math.nan
    return 1 / siemens if siemens > _LEAST_SIEMENS else math.inf


def contact_volts(limits: Limits) -> float:
    """Return the level of a check: 20 mV, or less where a terminal's limits ask for it.

    The step is from one polarity to the other.
    """
    return min(MOST_VOLTS, limits.voltage, limits.step / 2, limits.slew * _SETTLE_SECONDS / 2)


def contact_amperes(limits: Limits, volts: float) -> float:
    """Return the current limit of a check: 100 uA, or less where the terminal's limits ask for it."""
    return min(_USUAL_AMPERES, limits.current * _ROUNDING, limits.power / volts * _ROUNDING)


def measure_contact(
    meter: SourceMeter,
    where: str,
    expected: tuple[float, float] | None,
    *,
    volts: float,
    amperes: float,
    repeats: int,
    nplc: float,
) -> Contact:
    """Measure at both polarities in voltage mode: a lifted probe sees ``volts`` and no charging.

    Raises
    ------
    UsageError
        For more than 20 mV: nothing was sent.
    """
    if not 0 < volts <= MOST_VOLTS:
        raise UsageError(
            f"a contact check at {volts!r} V", remedy=f"up to {MOST_VOLTS:g} V; nothing was sent", key=where
        )
    meter.configure("voltage", volts, amperes, amperes, nplc)
    meter.output_enabled = True
    readings = []
    for level in [volts, -volts] * repeats:
        meter.source_voltage = level
        readings.append(meter.measure())
    meter.output_enabled = False
    ohm = slope_ohm([one.volts for one in readings], [one.amperes for one in readings])
    return Contact(where, ohm, expected, tuple(readings))
