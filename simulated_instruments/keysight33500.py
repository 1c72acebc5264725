"""Virtual Keysight 33522B waveform generator, two channels.

As soon as an output is on it runs for ever, unless burst mode is on: then ``NCYC`` pulses follow each
trigger. Behaviour from the Agilent 33500 Series Operating and Service Guide (33500-90901): widths from
16 ns, edges from 8.4 ns, what gives way to a shorter period ("Pulse Waveforms", page 69); loads of 1 ohm to
10 kohm, which scale the levels and are not taken while voltage limits are on ("Output Termination", page
61); 1 mVpp to 10 Vpp into 50 ohm ("APPLy Subsystem", page 167). [assumed]: 0.625 of the width as the longest
edges, and the numbers of errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from simulated_instruments.keysight33500_commands import COMMANDS
from simulated_instruments.pulse_source import Output, VirtualPulseGenerator
from simulated_instruments.scpi import COMMON
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.sources import GeneratorPort

LEAST_WIDTH: Final = 16e-9
LEAST_EDGE: Final = 8.4e-9
_SLACK: Final = 1 + 1e-9


@dataclass(slots=True)
class Channel(Output):
    """One channel; the fields below are kept and answered, the trigger ones decide when it fires."""

    source: str = "IMM"
    cycles: float = 1.0
    frequency_mode: str = "CW"
    burst_phase: float = 0.0
    gate_polarity: str = "NORM"
    slope: str = "POS"
    trigger_count: float = 1.0
    trigger_delay: float = 0.0


class VirtualKeysight33522B(VirtualPulseGenerator):
    """Two outputs, nodes ``<alias>.1`` and ``<alias>.2``."""

    identity = "Keysight Technologies,33522B"
    tree = CommandTree((*COMMON, *COMMANDS))
    least_amplitude = 1e-3

    def fresh(self, port: GeneratorPort) -> Channel:
        """Make a channel with its power-on settings: a sine of 1 kHz and 100 mVpp, not in burst mode."""
        return Channel(
            port, high=0.1, low=-0.1, width=100e-6, period=1e-3, transition=10e-9, burst_period=10e-3
        )

    def free_period(self, channel: Channel) -> float | None:
        """Burst mode off runs for ever; so does one triggered internally."""
        if not channel.burst:
            return channel.period
        if channel.burst_mode == "GAT" or channel.source not in ("IMM", "TIM"):
            return None
        return channel.period if math.isinf(channel.cycles) else channel.burst_period / channel.cycles

    def burst_of(self, channel: Channel) -> float | None:
        """``NCYC`` pulses in triggered burst mode with ``TRIG:SOUR BUS``."""
        return self.forced_burst_of(channel) if channel.source == "BUS" else None

    def forced_burst_of(self, channel: Channel) -> float | None:
        """``NCYC`` pulses in triggered burst mode, whatever the trigger source (``TRIG:IMM``)."""
        return channel.cycles if channel.burst and channel.burst_mode == "TRIG" else None

    def fitting(self, period: float, width: float, transition: float) -> tuple[float, float]:
        """Return the width and the edges nearest to those given that fit into a period."""
        width = min(width, period - LEAST_WIDTH)
        longest = LEAST_EDGE if width < 20e-9 else 0.625 * width
        return width, min(transition, longest)

    def check_times(self, width: float, period: float, transition: float) -> None:
        """Refuse edges that do not fit into the pulse, and a pulse that leaves too little of its period."""
        if not width <= (period - LEAST_WIDTH) * _SLACK:
            raise ScpiError(-221, "the width must leave 16 ns of the period")
        if not transition <= 0.625 * width * _SLACK or (transition > LEAST_EDGE * _SLACK and width < 20e-9):
            raise ScpiError(-221, "the edges are too long for the width")
