"""Virtual Keysight 81160A pulse generator, two channels.

Behaviour from the 81150A/81160A User's Guide (81150-91020), chapters 3 and 4: periods of 3.03 ns to 1 Ms, no
shorter than the width and 1.6 times the edges (section 3.4.1, page 142). [assumed], for no page of theirs
was at hand: widths from 1.5 ns, edges from 1 ns, amplitudes from 50 mVpp, the numbers of errors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from simulated_instruments.keysight81160a_commands import COMMANDS
from simulated_instruments.pulse_source import Output, VirtualPulseGenerator
from simulated_instruments.scpi import COMMON
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.sources import GeneratorPort


@dataclass(slots=True)
class Channel(Output):
    """One channel: armed by ``ARM:SOUR``, its pulses counted by ``TRIG:COUN``."""

    delay: float = 0.0
    tracking: bool = False
    arm: str = "IMM"
    count: int = 1


_TRACKED: Final = tuple(
    one.name for one in fields(Channel) if one.name not in ("port", "firing", "words", "tracking")
)
"""What a coupled channel takes over."""


class VirtualKeysight81160A(VirtualPulseGenerator):
    """Two outputs, nodes ``<alias>.1`` and ``<alias>.2``."""

    identity = "KEYSIGHT TECHNOLOGIES,81160A"
    tree = CommandTree((*COMMON, *COMMANDS))
    least_amplitude = 0.05

    def fresh(self, port: GeneratorPort) -> Channel:
        """Make a channel with its power-on settings: it runs for ever as soon as it is on."""
        return Channel(port)

    def check_times(self, width: float, period: float, transition: float) -> None:
        """Refuse a pulse that with its edges is longer than its period (user's guide, page 142)."""
        if not width + 1.6 * transition <= period * (1 + 1e-9):
            raise ScpiError(-221, "the width and 1.6 times the edges are longer than the period")

    def together(self, channel: Channel) -> list[Channel]:
        """While they track, both."""
        return list(self._channels.values()) if channel.tracking else [channel]

    def track(self, leader: Channel, on: bool) -> None:
        """Couple the channels: the other takes the leader's settings over, its output stays as it is."""
        for channel in self._channels.values():
            if on and channel is not leader:
                for name in _TRACKED:
                    setattr(channel, name, getattr(leader, name))
                self.apply(channel)
            channel.tracking = on

    def free_period(self, channel: Channel) -> float | None:
        """``ARM:SOUR IMM`` runs at its period, ``INT2`` at the burst period."""
        if channel.arm == "IMM":
            return channel.period
        return channel.burst_period / channel.count if channel.arm == "INT2" else None

    def burst_of(self, channel: Channel) -> float | None:
        """``TRIG:COUN`` pulses where it is armed for a manual trigger."""
        return float(channel.count) if channel.arm == "MAN" else None
