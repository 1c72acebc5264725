"""A source channel as routes see it: is it hot, and how it is made cold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.source_meter import SourceMeter


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
        role = self.role
        if not role.output_enabled:
            return None
        if role.source_mode != "voltage":
            return "is on in current mode"
        if abs(role.source_voltage) > 0:
            return f"is on at {role.source_voltage:g} V"
        if not role.compliance_current <= self._contact_current:
            return f"is on with a limit of {role.compliance_current:g} A"
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
