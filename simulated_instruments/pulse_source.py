"""What virtual pulse generators share: outputs with levels, limits and times, and pulses on their way.

Knows levels, widths and its 50 ohm; knows nothing of what it is wired to. Levels are stated for the
load that the instrument is told of; what leaves it is an EMF behind 50 ohm, so a wrong load setting
doubles the voltage here as on the bench. Waveforms other than pulses are rendered as their two
extremes; arbitrary waveforms are not modelled.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from labtrain.clock import Clock
from simulated_instruments.scpi import ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.sources import GeneratorPort
from simulated_instruments.world import World

SOURCE_OHMS: Final = 50.0
CHANNELS: Final = (1, 2)
_SLACK: Final = 1e-9


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
class Output:
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
    unit: str = "VPP"
    phase: float = 0.0
    burst: bool = False
    burst_mode: str = "TRIG"
    burst_period: float = 1e-3
    limited: bool = False
    limit_high: float = 10.0
    limit_low: float = -10.0
    firing: Firing | None = field(default=None)
    words: dict[str, Any] = field(default_factory=dict)

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


class VirtualPulseGenerator(ScpiInstrument):
    """Two outputs, nodes ``<alias>.1`` and ``<alias>.2``; a model says how its channels are triggered."""

    least_amplitude: ClassVar[float]
    """In V peak to peak, into 50 ohm."""
    largest_level: ClassVar[float] = 5.0
    """In V, into 50 ohm."""

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self._ports = {number: world.add_generator(f"{alias}.{number}") for number in CHANNELS}
        world.add_process(self._catch_up)
        self.reset()

    @abstractmethod
    def fresh(self, port: GeneratorPort) -> Any:
        """Make an :class:`Output` with the model's power-on settings."""

    @abstractmethod
    def free_period(self, channel: Any) -> float | None:
        """Seconds between the pulses of a channel that fires by itself, None where it waits."""

    @abstractmethod
    def burst_of(self, channel: Any) -> float | None:
        """Pulses that a software trigger fires on it (may be infinite), None where it ignores one."""

    def reset(self) -> None:
        """Bring the power-on settings back: outputs off."""
        self._channels = {number: self.fresh(port) for number, port in self._ports.items()}
        for channel in self._channels.values():
            self.apply(channel, on=False)

    def channel(self, number: int) -> Any:
        """Return one channel; -114 for one that there is not."""
        if number not in self._channels:
            raise ScpiError(-114, f"channel {number}")
        return self._channels[number]

    def together(self, channel: Any) -> list[Any]:
        """Return the channels that are set when this one is; models that can couple them override it."""
        return [channel]

    def apply(self, channel: Any, on: bool | None = None) -> None:
        """Make the world see a channel's present settings; free-running channels run."""
        port = channel.port
        if on is not None:
            port.on = on
        port.emf = channel.rest_and_pulse()[0]
        self._world.changed()
        period = self.free_period(channel) if port.on and channel.shape != "DC" else None
        if period is not None:
            channel.firing = Firing(self._world.now_ns(), period, math.inf)
            self._catch_up(self._world.now_ns())
        elif not port.on or (channel.firing is not None and math.isinf(channel.firing.count)):
            channel.firing = None

    def set_levels(self, channel: Any, high: float, low: float) -> None:
        """Set both levels as EMF.

        Raises
        ------
        ScpiError
            -222 beyond the instrument's or the user's limits, -221 below the least amplitude.
        """
        if not (max(abs(high), abs(low)) <= 2 * self.largest_level * (1 + _SLACK)):
            raise ScpiError(-222, f"levels are within {self.largest_level:g} V into 50 ohm")
        if high - low < 2 * self.least_amplitude * (1 - _SLACK):
            raise ScpiError(-221, f"the amplitude is at least {self.least_amplitude:g} Vpp into 50 ohm")
        if channel.limited and (high > channel.limit_high + _SLACK or low < channel.limit_low - _SLACK):
            raise ScpiError(-222, "outside the user's voltage limits")
        channel.high, channel.low = high, low
        self.apply(channel)

    def set_limits(self, channel: Any, high: float, low: float, limited: bool) -> None:
        """Set the user's limits as EMF; -221 when the present levels are outside."""
        if limited and (channel.high > high + _SLACK or channel.low < low - _SLACK):
            raise ScpiError(-221, "the levels are outside these limits")
        channel.limit_high, channel.limit_low, channel.limited = high, low, limited

    def set_times(self, channel: Any, width: float, period: float, transition: float) -> None:
        """Set a pulse's times; -221 when it does not fit into its period."""
        self.check_times(width, period, transition)
        channel.width, channel.period, channel.transition = width, period, transition
        self.apply(channel)

    def check_times(self, width: float, period: float, transition: float) -> None:
        """Raise -221 where a pulse does not fit; models with rules of their own override it."""
        if not width + transition <= period * (1 + _SLACK):
            raise ScpiError(-221, "width and transition are longer than the period")

    def trigger(self) -> None:
        """Fire what waits for a software trigger."""
        self.fire([(channel, self.burst_of(channel)) for channel in self._channels.values()])

    def fire(self, bursts: list[tuple[Any, float | None]]) -> None:
        """Fire so many pulses on each channel that is on and idle; -211 where there is none."""
        waiting = [(c, n) for c, n in bursts if n is not None and c.port.on and c.firing is None]
        if not waiting:
            raise ScpiError(-211, "no channel with its output on waits for this trigger")
        now = self._world.now_ns()
        for channel, count in waiting:
            channel.firing = Firing(now, channel.period, count)
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
        """Wait until what was started is over; what never ends is not waited for."""
        while True:
            ends = [c.firing.end_ns for c in self._channels.values() if c.firing is not None]
            finite = [end for end in ends if math.isfinite(end)]
            if not finite:
                return
            self._wait(max(max(finite) - self._world.now_ns(), 1.0) * 1e-9)
