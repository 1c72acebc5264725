"""The SCPI commands of the virtual Keysight 81160A, one table; suffixes are channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulated_instruments.scpi import act, constant, ignore, only
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, whole
from simulated_instruments.scpi_tree import Command

_ON = Boolean()
_SHAPE = Choice("SINusoid", "SQUare", "RAMP", "PULSe", "NOISe", "DC", "USER")
_LEVEL = Number(-20.0, 20.0, 0.5, "V")
_AMPLITUDE = Number(0.0, 40.0, 1.0, "V")
_LOAD = Number(0.3, 1e6, 50.0, "OHM", infinite=True)
_WIDTH = Number(1.5e-9, 1e6, 100e-9, "S")
_PERIOD = Number(2e-9, 1e6, 1e-6, "S")
_TRANSITION = Number(1e-9, 1e3, 1e-9, "S")
_DUTY = Number(0.15, 99.99, 10.0, "%")
_ARM = Choice("IMMediate", "INTernal2", "INT2", "EXTernal", "MANual")
_COUNT = whole(1, 2_147_483_647, 1)
_CYCLES = whole(2, 2_147_483_647, 2)
_POLARITY = Choice("NORMal", "INVerted")

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any, Any], None]


def _setting(header: str, parameter: Parameter, get: Getter, put: Setter) -> Command:
    """Make a channel's command and query: ``get(channel)``, ``put(instrument, channel, value)``."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        put(instrument, instrument.channel(suffixes[0]), only(arguments, parameter))

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        channel = instrument.channel(suffixes[0])
        return parameter.write(parameter.special(arguments[0]) if arguments else get(channel))

    return Command(header, write, query)


def _field(header: str, parameter: Parameter, name: str) -> Command:
    def put(instrument: Any, channel: Any, value: Any) -> None:
        setattr(channel, name, value)
        instrument.apply(channel)

    return _setting(header, parameter, lambda channel: getattr(channel, name), put)


def _set_width(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_times(channel, value, channel.period, channel.transition)


def _set_period(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_times(channel, channel.width, value, channel.transition)


def _set_frequency(instrument: Any, channel: Any, value: float) -> None:
    _set_period(instrument, channel, 1.0 / value)


def _set_transition(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_times(channel, channel.width, channel.period, value)


def _set_duty(instrument: Any, channel: Any, value: float) -> None:
    _set_width(instrument, channel, channel.period * value / 100.0)


def _set_high(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_levels(channel, value * channel.factor, channel.low)


def _set_low(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_levels(channel, channel.high, value * channel.factor)


def _set_amplitude(instrument: Any, channel: Any, value: float) -> None:
    middle, half = 0.5 * (channel.high + channel.low), 0.5 * value * channel.factor
    instrument.set_levels(channel, middle + half, middle - half)


def _set_offset(instrument: Any, channel: Any, value: float) -> None:
    middle, half = value * channel.factor, 0.5 * (channel.high - channel.low)
    instrument.set_levels(channel, middle + half, middle - half)


def _set_limit_high(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_limits(channel, value * channel.factor, channel.limit_low, channel.limited)


def _set_limit_low(instrument: Any, channel: Any, value: float) -> None:
    instrument.set_limits(channel, channel.limit_high, value * channel.factor, channel.limited)


def _set_limited(instrument: Any, channel: Any, value: bool) -> None:
    instrument.set_limits(channel, channel.limit_high, channel.limit_low, value)


def _set_count(instrument: Any, channel: Any, value: float) -> None:
    channel.count, channel.burst = int(value), value > 1
    instrument.apply(channel)


def _set_cycles(instrument: Any, channel: Any, value: float) -> None:
    channel.count = int(value)
    instrument.apply(channel)


def _set_burst(instrument: Any, channel: Any, value: bool) -> None:
    channel.burst = value
    channel.count = max(channel.count, 2) if value else 1
    instrument.apply(channel)


def _set_polarity(instrument: Any, channel: Any, value: str) -> None:
    channel.inverted = value == "INV"
    instrument.apply(channel)


def _set_arm(instrument: Any, channel: Any, value: str) -> None:
    channel.arm = "INT2" if value.startswith("INT") else value
    instrument.apply(channel)


_SOURCE: Final = "[:SOURce[1]]"


def _pulse(path: str, parameter: Parameter, get: Getter, put: Setter) -> tuple[Command, ...]:
    """Both places of a pulse parameter: ``:PULSe:WIDTh#`` and ``:FUNCtion#:PULSe:WIDTh``."""
    first, _, rest = path.partition("[")
    return (
        _setting(f"{_SOURCE}:PULSe:{first}#{_ + rest}", parameter, get, put),
        _setting(f"{_SOURCE}:FUNCtion#:PULSe:{path}", parameter, get, put),
    )


def _level(path: str, parameter: Parameter, emf: Getter, put: Setter) -> Command:
    """Make a level: the load setting scales it both ways."""
    return _setting(f"{_SOURCE}:VOLTage#{path}", parameter, lambda c: emf(c) / c.factor, put)


COMMANDS: Final = (
    _field(f"{_SOURCE}:FUNCtion#[:SHAPe]", _SHAPE, "shape"),
    *_pulse("WIDTh", _WIDTH, lambda c: c.width, _set_width),
    *_pulse("PERiod", _PERIOD, lambda c: c.period, _set_period),
    *_pulse("TRANsition[:LEADing]", _TRANSITION, lambda c: c.transition, _set_transition),
    *_pulse("TRANsition:TRAiling", _TRANSITION, lambda c: c.transition, _set_transition),
    *_pulse("TRANsition:BOTH", _TRANSITION, lambda c: c.transition, _set_transition),
    *_pulse("DCYCle", _DUTY, lambda c: 100.0 * c.width / c.period, _set_duty),
    _field(f"{_SOURCE}:PULSe:HOLD#", Choice("WIDTh", "DCYCle"), "hold"),
    _field(f"{_SOURCE}:PULSe:DELay#", Number(0.0, 1e6, 0.0, "S"), "delay"),
    _setting(
        f"{_SOURCE}:FREQuency#", Number(1e-6, 500e6, 1e6, "HZ"), lambda c: 1.0 / c.period, _set_frequency
    ),
    _level("[:AMPLitude]", _AMPLITUDE, lambda c: c.high - c.low, _set_amplitude),
    _level(":HIGH", _LEVEL, lambda c: c.high, _set_high),
    _level(":LOW", _LEVEL, lambda c: c.low, _set_low),
    _level(":OFFSet", _LEVEL, lambda c: 0.5 * (c.high + c.low), _set_offset),
    _level(":LIMit:HIGH", _LEVEL, lambda c: c.limit_high, _set_limit_high),
    _level(":LIMit:LOW", _LEVEL, lambda c: c.limit_low, _set_limit_low),
    _setting(f"{_SOURCE}:VOLTage#:LIMit:STATe", _ON, lambda c: c.limited, _set_limited),
    _field(f"{_SOURCE}:VOLTage#:UNIT", Choice("VPP", "VRMS", "DBM"), "unit"),
    _field(f"{_SOURCE}:PHASe#", Number(-360.0, 360.0, 0.0), "phase"),
    _setting(":OUTPut#[:STATe]", _ON, lambda c: c.port.on, lambda i, c, value: i.apply(c, on=value)),
    _field(":OUTPut#:LOAD", _LOAD, "load"),
    _field(":OUTPut#:IMPedance:EXTernal", _LOAD, "load"),
    Command(":OUTPut#:IMPedance", ignore, constant("5.000000E+01")),
    _setting(
        ":OUTPut#:POLarity",
        _POLARITY,
        lambda c: "INV" if c.inverted else "NORM",
        _set_polarity,
    ),
    _setting(":ARM[:STARt]:SOURce#", _ARM, lambda c: c.arm, _set_arm),
    _setting(":TRIGger#:COUNt", _COUNT, lambda c: c.count, _set_count),
    _setting(":TRIGger:COUNt#", _COUNT, lambda c: c.count, _set_count),
    _setting(f"{_SOURCE}:BURSt#:NCYCles", _CYCLES, lambda c: max(c.count, 2), _set_cycles),
    _setting(f"{_SOURCE}:BURSt#:STATe", _ON, lambda c: c.burst, _set_burst),
    _field(f"{_SOURCE}:BURSt#:MODE", Choice("TRIGgered", "GATed"), "burst_mode"),
    _field(f"{_SOURCE}:BURSt#:INTernal:PERiod", Number(3.03e-9, 1e6, 1e-3, "S"), "burst_period"),
    Command(":ABORt", act("abort")),
    Command(":TRACe:CHANnel#", ignore, constant("0")),
    Command(":DISPlay", ignore),
)
