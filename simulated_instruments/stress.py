"""What each device terminal has suffered: the world's judge of whether a bench is safe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ON_VOLTS = 1e-3
"""A terminal counts as stressed from this voltage on."""

_HARMLESS, _ABSURD = 0.3, 1e3
"""Shares of a lifetime's voltage: below the one nothing ages, above the other a power is not worked out."""


@dataclass(slots=True)
class TerminalStress:
    """Maxima and sums over a terminal's life; SI, magnitudes.

    Attributes
    ----------
    max_volts, max_amperes, max_watts
        At the device's terminal, DC, pulses and transients alike.
    max_pulse_joules
        The largest energy of one pulse or cable discharge.
    seconds_on
        Time above 1 mV.
    pulses
        Pulses received.
    transients, max_transient_volts
        Range-change overshoots and connections made or broken under voltage.
    damage
        Share of the device's life used up at this terminal; broken at 1.
    """

    max_volts: float = 0.0
    max_amperes: float = 0.0
    max_watts: float = 0.0
    max_pulse_joules: float = 0.0
    seconds_on: float = 0.0
    pulses: int = 0
    transients: int = 0
    max_transient_volts: float = 0.0
    damage: float = 0.0
    broken: bool = False

    def note_levels(self, volts: Floats, amperes: Floats, seconds: float) -> None:
        """Note levels that stood for ``seconds`` each."""
        magnitudes = np.abs(volts)
        self.note_most(
            float(magnitudes.max()), float(np.abs(amperes).max()), float(np.abs(volts * amperes).max())
        )
        self.seconds_on += seconds * int((magnitudes > ON_VOLTS).sum())

    def note_most(self, volts: float, amperes: float, watts: float) -> None:
        """Note magnitudes that begin to stand."""
        if volts > self.max_volts:
            self.max_volts = volts
        if amperes > self.max_amperes:
            self.max_amperes = amperes
        if watts > self.max_watts:
            self.max_watts = watts

    def note_pulse(self, watts: float, seconds: float, count: int) -> None:
        """Note ``count`` equal pulses."""
        self.max_pulse_joules = max(self.max_pulse_joules, abs(watts) * seconds)
        self.pulses += count

    def note_transient(self, volts: float, joules: float = 0.0) -> None:
        """Note one overshoot or hot connection."""
        self.transients += 1
        self.max_transient_volts = max(self.max_transient_volts, abs(volts))
        self.max_pulse_joules = max(self.max_pulse_joules, joules)

    def state_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        for one in fields(self):
            setattr(self, one.name, state[one.name])


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a terminal lasts at a voltage: ``t0 (V / V0)^-n``.

    Attributes
    ----------
    seconds, volts, exponent
        t0, V0 and n.

    Notes
    -----
    Power law of thin-oxide breakdown. The numbers used here are placeholders of the right size,
    not a measurement: barriers 1 s at 0.75 V, n = 45 (about 1.2 V at 1 ns); SOT lines 1 s at
    1.5 V, n = 30 (3 V at 1 ns).
    """

    seconds: float
    volts: float
    exponent: float

    def damage(self, volts: Floats, seconds: float) -> float:
        """Return the share of a life used by levels of ``seconds`` each."""
        ratio = np.abs(volts) / self.volts
        if float(ratio.max()) < _HARMLESS:
            return 0.0
        return float((np.minimum(ratio, _ABSURD) ** self.exponent).sum() * seconds / self.seconds)

    def damage_at(self, volts: float, seconds: float) -> float:
        """Do what :meth:`damage` does for a single level."""
        ratio = abs(volts) / self.volts
        if ratio < _HARMLESS:
            return 0.0
        return float(min(ratio, _ABSURD) ** self.exponent * seconds / self.seconds)


BARRIER = Lifetime(1.0, 0.75, 45.0)
LINE = Lifetime(1.0, 1.5, 30.0)
