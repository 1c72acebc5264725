"""Makers of the commands that virtual pulse generators share: a channel's setting with its query.

A header's first suffix is the channel, 1 where it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simulated_instruments.scpi import none, only
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Number, Parameter, short_form
from simulated_instruments.scpi_tree import Command

LEVEL = Number(-20.0, 20.0, 0.5, "V")
AMPLITUDE = Number(0.0, 40.0, 1.0, "V|VPP")

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any, Any], None]


def channel_of(instrument: Any, suffixes: tuple[int, ...]) -> Any:
    """Return the channel that a header names; a suffix that is left out is 1, wherever it may stand."""
    named = {number for number in suffixes if number != 1} or {1}
    if len(named) > 1:
        raise ScpiError(-114, f"channels {sorted(named)}")
    return instrument.channel(named.pop())


def setting(header: str, parameter: Parameter, get: Getter, put: Setter) -> Command:
    """Make a channel's command and query: ``get(channel)``, ``put(instrument, channel, value)``."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        channel, value = channel_of(instrument, suffixes), only(arguments, parameter)
        for one in instrument.together(channel):
            put(instrument, one, value)

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        channel = channel_of(instrument, suffixes)
        return parameter.write(parameter.special(arguments[0]) if arguments else get(channel))

    return Command(header, write, query, (parameter,))


def remembered(header: str, parameter: Parameter, default: Any) -> Command:
    """Make a channel's setting that is kept and answered, and changes nothing in the simulation."""
    return setting(
        header,
        parameter,
        lambda channel: channel.words.get(header, default),
        lambda instrument, channel, value: channel.words.__setitem__(header, value),
    )


def kept(header: str, parameter: Parameter, name: str) -> Command:
    """Make a setting that is a field of the channel."""

    def put(instrument: Any, channel: Any, value: Any) -> None:
        setattr(channel, name, value)
        instrument.apply(channel)

    return setting(header, parameter, lambda channel: getattr(channel, name), put)


def set_width(instrument: Any, channel: Any, value: float) -> None:
    """Set the width in s."""
    instrument.set_times(channel, value, channel.period, channel.transition)


def set_period(instrument: Any, channel: Any, value: float) -> None:
    """Set the period in s."""
    instrument.set_times(channel, channel.width, value, channel.transition)


def set_frequency(instrument: Any, channel: Any, value: float) -> None:
    """Set the period by its inverse in Hz; of other shapes than pulses the width follows."""
    period = 1.0 / value
    if channel.shape == "PULS":
        set_period(instrument, channel, period)
    else:
        width, transition = min(channel.width, 0.4 * period), min(channel.transition, 0.2 * period)
        channel.period, channel.width, channel.transition = period, width, transition
        instrument.apply(channel)


def set_transition(instrument: Any, channel: Any, value: float) -> None:
    """Set both edges in s."""
    instrument.set_times(channel, channel.width, channel.period, value)


def set_duty(instrument: Any, channel: Any, value: float) -> None:
    """Set the width in % of the period."""
    set_width(instrument, channel, channel.period * value / 100.0)


def set_polarity(instrument: Any, channel: Any, value: str) -> None:
    """Set the polarity."""
    channel.inverted = value == "INV"
    instrument.apply(channel)


def switch_output(instrument: Any, channel: Any, value: bool) -> None:
    """Close or open the output relay."""
    instrument.apply(channel, on=value)


def levels(header: str) -> Iterator[Command]:
    """Make the level and limit commands below a ``...:VOLTage`` header; the load scales them both ways."""
    for path, parameter, emf, put in _LEVELS:
        yield setting(header + path, parameter, lambda c, emf=emf: emf(c) / c.factor, put)


def _set_high(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_levels(channel, value * channel.factor, channel.low)


def _set_low(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_levels(channel, channel.high, value * channel.factor)


def set_amplitude(instrument: Any, channel: Any, value: float) -> None:
    """Set the peak-to-peak amplitude in V, the middle staying where it is."""
    middle, half = 0.5 * (channel.high + channel.low), 0.5 * value * channel.factor
    instrument.set_levels(channel, middle + half, middle - half)


def set_offset(instrument: Any, channel: Any, value: float) -> None:
    """Set the middle in V, the amplitude staying what it is."""
    middle, half = value * channel.factor, 0.5 * (channel.high - channel.low)
    instrument.set_levels(channel, middle + half, middle - half)


def _set_limit_high(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_limits(channel, value * channel.factor, channel.limit_low, channel.limited)


def _set_limit_low(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_limits(channel, channel.limit_high, value * channel.factor, channel.limited)


def set_limited(instrument: Any, channel: Any, value: bool) -> None:
    """Switch the user's limits on or off."""
    instrument.set_limits(channel, channel.limit_high, channel.limit_low, value)


_LEVELS: tuple[tuple[str, Parameter, Getter, Setter], ...] = (
    ("[:AMPLitude]", AMPLITUDE, lambda c: c.high - c.low, set_amplitude),
    (":HIGH", LEVEL, lambda c: c.high, _set_high),
    (":LOW", LEVEL, lambda c: c.low, _set_low),
    (":OFFSet", LEVEL, lambda c: 0.5 * (c.high + c.low), set_offset),
    (":LIMit:HIGH", LEVEL, lambda c: c.limit_high, _set_limit_high),
    (":LIMit:LOW", LEVEL, lambda c: c.limit_low, _set_limit_low),
)


def apply_shape(shape: str, frequency: Number) -> Any:
    """Make ``APPLy:<shape> [frequency[, amplitude[, offset]]]``: sets all, and **turns the output on**."""
    name = short_form(shape)

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if len(arguments) > 3:
            raise ScpiError(-108, arguments[3][:40])
        channel = channel_of(instrument, suffixes)
        given = dict(zip(("frequency", "amplitude", "offset"), arguments, strict=False))
        values = {key: text for key, text in given.items() if text.upper() not in ("DEF", "DEFAULT")}
        hertz = frequency.read(values["frequency"]) if "frequency" in values else None
        volts = AMPLITUDE.read(values["amplitude"]) if "amplitude" in values else None
        middle = LEVEL.read(values["offset"]) if "offset" in values else None
        channel.shape, channel.burst = name, False
        if hertz is not None and name not in ("DC", "NOIS"):
            set_frequency(instrument, channel, hertz)
        if volts is not None and name != "DC":
            set_amplitude(instrument, channel, volts)
        if middle is not None:
            set_offset(instrument, channel, middle)
        instrument.apply(channel, on=True)

    return write


def applied(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
    """Answer ``APPLy?``: shape, frequency, amplitude and offset, in quotes."""
    none(arguments)
    one = channel_of(instrument, suffixes)
    volts = ((one.high - one.low) / one.factor, 0.5 * (one.high + one.low) / one.factor)
    return f'"{one.shape} {1.0 / one.period:+.15E},{volts[0]:+.15E},{volts[1]:+.15E}"'
