"""Limits at device terminals, and the tightest of several.

A limit is accepted by ``abs(x) <= limit``, never refused by ``abs(x) > limit``:
so a NaN is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

from labtrain.errors import LimitExceeded
from labtrain.units import format_quantity

_UNITS = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "pulse_energy": "J",
    "pulse_width": "s",
    "step": "V",
    "slew": "V/s",
    "duty": "",
    "total_pulses": "",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one terminal (or everything one channel can reach) may see; SI, infinite where unstated.

    Attributes
    ----------
    voltage, current, power
        Magnitudes at the terminal, in V, A and W.
    pulse_energy, pulse_width
        Of a single pulse, in J and s.
    step, slew
        The largest change of level in one step (V) and per second (V/s).
    duty
        On-time over period, 0 to 1.
    total_pulses
        The pulses that a device may receive in its life.
    """

    voltage: float = math.inf
    current: float = math.inf
    power: float = math.inf
    pulse_energy: float = math.inf
    pulse_width: float = math.inf
    step: float = math.inf
    slew: float = math.inf
    duty: float = math.inf
    total_pulses: float = math.inf

    def check(self, name: str, value: float, *, what: str, where: str) -> None:
        """Accept ``value`` only if its magnitude is within the limit ``name``.

        Raises
        ------
        LimitExceeded
            Naming what was asked, the limit, where it holds and where to change it.
        """
        limit = getattr(self, name)
        if abs(value) <= limit:
            return
        unit = _UNITS[name]
        raise LimitExceeded(
            f"{what} of {format_quantity(value, unit)} exceeds the {name.replace('_', ' ')} limit"
            f" of {format_quantity(limit, unit)} at {where}; nothing was sent",
            remedy=f"ask for at most {format_quantity(limit, unit)}, or change the limit in the bench file",
            key=where,
        )


def tightest(limits: Iterable[Limits]) -> Limits:
    """The smallest of every limit (infinite for an empty set)."""
    several = list(limits)
    if not several:
        return Limits()
    return Limits(**{f.name: min(getattr(x, f.name) for x in several) for f in fields(Limits)})
