"""Virtual Keysight 81160A pulse generator, two channels.

Knows levels, widths, triggers and its 50 ohm; knows nothing of what it is wired to.
Levels are stated for the load that it is told of; what leaves it is an EMF behind 50 ohm, so
a wrong load setting doubles the voltage here as on the bench. Waveforms other than pulses
are rendered as their two extremes; arbitrary waveforms are not modelled.

Behaviour from the 81150A/81160A User's Guide (81150-91020), chapters 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labtrain.clock import Clock
from simulated_instruments.keysight81160a_commands import COMMANDS
from simulated_instruments.scpi import COMMON, ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.sources import GeneratorPort
from simulated_instruments.world import World

SOURCE_OHMS: Final = 50.0
CHANNELS: Final = (1, 2)
LEAST_AMPLITUDE: Final = 0.05
"""In V peak to peak, at 50 ohm."""
_LARGEST_EMF: Final = 10.0


@dataclass(slots=True)
class Firing:
    """Pulses that are on their way: ``count`` of them from ``start_ns``, ``done`` already sent."""

    start_ns: int
    period: float
    count: float
    done: int = 0

    @property
    def end_ns(self) -> float:
        """When the last period is over; infinite for a free-running channel."""
        return self.start_ns + self.count * self.period * 1e9

    def due(self, now_ns: int) -> int:
        """How many have begun by now and were not sent."""
        begun = math.floor((now_ns - self.start_ns) / (self.period * 1e9)) + 1
        return int(min(begun, self.count)) - self.done


@dataclass(slots=True)
class Channel:
    """Settings of one channel; levels as EMF (what 50 ohm and the load divide)."""

    port: GeneratorPort
    shape: str = "SIN"
    high: float = 1.0
    low: float = -1.0
    load: float = 50.0
    inverted: bool = False
    width: float = 100e-9
    period: float = 1e-6
    transition: float = 1e-9
    hold: str = "WIDT"
    delay: float = 0.0
    unit: str = "VPP"
    phase: float = 0.0
    arm: str = "IMM"
    count: int = 1
    burst: bool = False
    burst_mode: str = "TRIG"
    burst_period: float = 1e-3
    limited: bool = False
    limit_high: float = 10.0
    limit_low: float = -10.0
    firing: Firing | None = field(default=None)

    @property
    def factor(self) -> float:
        """EMF over the voltage at the load that the instrument believes in."""
        return 1.0 if math.isinf(self.load) else (self.load + SOURCE_OHMS) / self.load

    def rest_and_pulse(self) -> tuple[float, float]:
        """EMF at rest and in the pulse: normal polarity rests at LOW, inverted at HIGH."""
        if self.shape == "DC":
            middle = 0.5 * (self.high + self.low)
            return middle, middle
        return (self.high, self.low) if self.inverted else (self.low, self.high)


class VirtualKeysight81160A(ScpiInstrument):
    """Two outputs, nodes ``<alias>.1`` and ``<alias>.2``."""

    identity = "KEYSIGHT TECHNOLOGIES,81160A"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self._ports = {number: world.add_generator(f"{alias}.{number}") for number in CHANNELS}
        world.add_process(self._catch_up)
        self.reset()

    def reset(self) -> None:
        """Bring the power-on settings back: outputs off."""
        self._channels = {number: Channel(port) for number, port in self._ports.items()}
        for channel in self._channels.values():
            self.apply(channel, on=False)

    def channel(self, number: int) -> Channel:
        """Return one channel; -114 for one that there is not."""
        if number not in self._channels:
            raise ScpiError(-114, f"channel {number}")
        return self._channels[number]

    def apply(self, channel: Channel, on: bool | None = None) -> None:
        """Make the world see a channel's present settings; free-running channels run."""
        port = channel.port
        if on is not None:
            port.on = on
        port.emf = channel.rest_and_pulse()[0]
        self._world.changed()
        free = port.on and channel.arm in ("IMM", "INT2") and channel.shape != "DC"
        if not free:
            if not port.on or (channel.firing is not None and math.isinf(channel.firing.count)):
                channel.firing = None
        else:
            period = channel.period if channel.arm == "IMM" else channel.burst_period / channel.count
            channel.firing = Firing(self._world.now_ns(), period, math.inf)
            self._catch_up(self._world.now_ns())

    def set_levels(self, channel: Channel, high: float, low: float) -> None:
        """Set both levels as EMF.

        Raises
        ------
        ScpiError
            -222 beyond the instrument's or the user's limits, -221 below the least amplitude.
        """
        if not (max(abs(high), abs(low)) <= _LARGEST_EMF * (1 + 1e-9)):
            raise ScpiError(-222, "levels are -5 V to 5 V into 50 ohm")
        if high - low < 2 * LEAST_AMPLITUDE * (1 - 1e-9):
            raise ScpiError(-221, "the amplitude is at least 50 mVpp into 50 ohm")
        slack = 1e-9
        if channel.limited and (high > channel.limit_high + slack or low < channel.limit_low - slack):
            raise ScpiError(-222, "outside the user's voltage limits")
        channel.high, channel.low = high, low
        self.apply(channel)

    def set_limits(self, channel: Channel, high: float, low: float, limited: bool) -> None:
        """Set the user's limits as EMF; -221 when the present levels are outside."""
        if limited and (channel.high > high + 1e-9 or channel.low < low - 1e-9):
            raise ScpiError(-221, "the levels are outside these limits")
        channel.limit_high, channel.limit_low, channel.limited = high, low, limited

    def set_times(self, channel: Channel, width: float, period: float, transition: float) -> None:
        """Set a pulse's times; -221 when it does not fit into its period."""
        if not width + transition <= period * (1 + 1e-9):
            raise ScpiError(-221, "width and transition are longer than the period")
        channel.width, channel.period, channel.transition = width, period, transition
        self.apply(channel)

    def trigger(self) -> None:
        """Fire what waits for a manual trigger."""
        armed = [c for c in self._channels.values() if c.port.on and c.arm == "MAN" and c.firing is None]
        if not armed:
            raise ScpiError(-211, "no channel is armed for a manual trigger with its output on")
        now = self._world.now_ns()
        for channel in armed:
            channel.firing = Firing(now, channel.period, float(channel.count))
        self._catch_up(now)

    def abort(self) -> None:
        """Stop pulses on their way; a free-running channel starts anew."""
        for channel in self._channels.values():
            channel.firing = None
            self.apply(channel)

    def _catch_up(self, now_ns: int) -> None:
        for channel in self._channels.values():
            firing = channel.firing
            if firing is None:
                continue
            due = firing.due(now_ns)
            if due > 0:
                firing.done += due
                emf = channel.rest_and_pulse()[1]
                width = channel.width if channel.shape == "PULS" else 0.5 * firing.period
                self._world.pulse(channel.port, emf, width, due)
            if now_ns >= firing.end_ns:
                channel.firing = None

    def complete(self) -> None:
        """Wait until what was started is over."""
        while True:
            ends = [c.firing.end_ns for c in self._channels.values() if c.firing is not None]
            finite = [end for end in ends if math.isfinite(end)]
            if not finite:
                return
            self._wait(max(max(finite) - self._world.now_ns(), 1.0) * 1e-9)

    tree = CommandTree((*COMMON, *COMMANDS))
