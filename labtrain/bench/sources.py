"""A source channel as routes see it: is it hot, and how it is made cold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.source_meter import SourceMeter

_COLD_RANGE = 2.0
"""In V: the zero of this source range and below is within 0.6 mV on every model, above it is not (data
sheets: 2400 600 uV, 2450 300 uV, 2602B 250 uV on 1 V and 1.75 mV on 6 V)."""


class Source(ABC):
    """Whatever can put a voltage on a route.

    Attributes
    ----------
    rests_at_zero
        Whether it may stay on between uses of a route without relays.
    role
        The role that owns it.
    """

    rests_at_zero: bool
    role: SourceMeter | PulseGenerator

    @abstractmethod
    def hot(self) -> str | None:
        """Say why no relay may move under it; None where relays may."""

    @abstractmethod
    def make_cold(self) -> None:
        """Bring it to where relays may move."""


@final
class MeterSource(Source):
    """A source meter: cold when off, or at 0 V in voltage mode with a limit up to the contact current.

    Parameters
    ----------
    contact_current
        What a relay may switch at 0 V, in A (``hazards.contact_current``).
    """

    rests_at_zero = False

    role: SourceMeter

    def __init__(self, role: SourceMeter, contact_current: float) -> None:
        self.role = role
        self._contact_current = contact_current

    def hot(self) -> str | None:
        """Say why no relay may move; asks only what is needed."""
        state = self.role.state
        if not state.output:
            return None
        if self.role.senses_remotely:
            return "is on and senses by four wires"
        if state.mode != "voltage":
            return "is on in current mode"
        if abs(state.level) > 0:
            return f"is on at {state.level:g} V"
        if not state.full_scale <= _COLD_RANGE:
            return f"is on in the {state.full_scale:g} V range, whose zero is off by millivolts"
        if not state.compliance <= self._contact_current:
            return f"is on with a limit of {state.compliance:g} A"
        return None

    def make_cold(self) -> None:
        """Switch the output off unless it is cold."""
        if self.hot() is not None:
            self.role.output_enabled = False


@final
class GeneratorSource(Source):
    """A pulse generator: cold when its output is off (armed, one trigger would make it hot)."""

    rests_at_zero = True

    role: PulseGenerator

    def __init__(self, role: PulseGenerator) -> None:
        self.role = role

    def hot(self) -> str | None:
        """Say why no relay may move."""
        return "is on and armed" if self.role.output_enabled else None

    def make_cold(self) -> None:
        """Switch the output off."""
        if self.role.output_enabled:
            self.role.output_enabled = False
