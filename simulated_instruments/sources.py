"""Sources as the world sees them: what an instrument drives at its terminals right now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["voltage", "current"]


@dataclass(slots=True, eq=False)
class MeterPort:
    """A source meter's terminals.

    Attributes
    ----------
    hi, lo
        Its nodes.
    on
        Whether the output relay is closed.
    idle
        Whether the output is off, though its relay is closed: it stands at what its off state says.
    mode, level, limit
        What it sources (V or A) and the limit of the other quantity (A or V).
    sense_hi, sense_lo
        The nodes of its sense leads.
    remote
        Whether it senses there and not at ``hi`` and ``lo``.
    """

    hi: str
    lo: str
    sense_hi: str = ""
    sense_lo: str = ""
    remote: bool = False
    on: bool = False
    idle: bool = False
    mode: Mode = "voltage"
    level: float = 0.0
    limit: float = 0.0

    @property
    def drives(self) -> bool:
        """Whether the output is on."""
        return self.on and not self.idle

    @property
    def senses(self) -> tuple[str, str]:
        """The nodes between which it sees its voltage."""
        return (self.sense_hi, self.sense_lo) if self.remote else (self.hi, self.lo)


@dataclass(slots=True, eq=False)
class GeneratorPort:
    """A generator's output.

    Attributes
    ----------
    node
        Its output node; the return is ground.
    on
        Whether the output relay is closed.
    emf
        Open-circuit voltage at rest.
    ohms
        Source impedance.
    """

    node: str
    on: bool = False
    emf: float = 0.0
    ohms: float = 50.0

    @property
    def drives(self) -> bool:
        """Whether the output is on."""
        return self.on
