"""The SCPI commands of the virtual Keysight 81160A, one table; suffixes are channels."""

from __future__ import annotations

from typing import Any, Final

from simulated_instruments import scpi_commands
from simulated_instruments.pulse_commands import (
    Getter,
    Setter,
    applied,
    apply_shape,
    kept,
    levels,
    remembered,
    set_duty,
    set_frequency,
    set_limited,
    set_period,
    set_polarity,
    set_transition,
    set_width,
    setting,
    switch_output,
)
from simulated_instruments.scpi import act, constant
from simulated_instruments.scpi_housekeeping import OFF, front_panel, status_groups
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, whole
from simulated_instruments.scpi_tree import Command

_ON = Boolean()
_LOAD = Number(0.3, 1e6, 50.0, "OHM", infinite=True)
_SOURCE_OHMS = Number(50.0, 50.0, 50.0, "OHM")
"""The instrument can be told 5 ohm too; here it has 50 only."""
_WIDTH = Number(1.5e-9, 1e6, 100e-9, "S")
_PERIOD = Number(3.03e-9, 1e6, 1e-6, "S")
_TRANSITION = Number(1e-9, 1e3, 1e-9, "S")
_FREQUENCY = Number(1e-6, 500e6, 1e6, "HZ")
_DUTY = Number(0.15, 99.99, 10.0, "%")
_ARM = Choice("IMMediate", "INTernal2", "INT2", "EXTernal", "MANual")
_COUNT = whole(1, 2_147_483_647, 1)
_CYCLES = whole(2, 2_147_483_647, 2)
_POLARITY = Choice("NORMal", "INVerted")
_SHAPES = ("SINusoid", "SQUare", "RAMP", "PULSe", "NOISe", "DC", "USER")
_SHAPE = Choice(*_SHAPES)
_THRESHOLD = Number(-10.0, 10.0, 1.0, "V")
_INPUT = Number(50.0, 10e3, 10e3, "OHM")


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


def _set_arm(instrument: Any, channel: Any, value: str) -> None:
    channel.arm = "INT2" if value.startswith("INT") else value
    instrument.apply(channel)


def _track(instrument: Any, channel: Any, value: bool) -> None:
    instrument.track(channel, value)


_SOURCE: Final = "[:SOURce[1]]"


def _pulse(path: str, parameter: Parameter, get: Getter, put: Setter) -> tuple[Command, ...]:
    """Both places of a pulse parameter: ``:PULSe:WIDTh#`` and ``:FUNCtion#:PULSe:WIDTh``."""
    first, _, rest = path.partition("[")
    return (
        setting(f"{_SOURCE}:PULSe:{first}#{_ + rest}", parameter, get, put),
        setting(f"{_SOURCE}:FUNCtion#:PULSe:{path}", parameter, get, put),
    )


COMMANDS: Final = (
    kept(f"{_SOURCE}:FUNCtion#[:SHAPe]", _SHAPE, "shape"),
    *_pulse("WIDTh", _WIDTH, lambda c: c.width, set_width),
    *_pulse("PERiod", _PERIOD, lambda c: c.period, set_period),
    *_pulse("TRANsition[:LEADing]", _TRANSITION, lambda c: c.transition, set_transition),
    *_pulse("TRANsition:TRAiling", _TRANSITION, lambda c: c.transition, set_transition),
    *_pulse("TRANsition:BOTH", _TRANSITION, lambda c: c.transition, set_transition),
    *_pulse("DCYCle", _DUTY, lambda c: 100.0 * c.width / c.period, set_duty),
    kept(f"{_SOURCE}:PULSe:HOLD#", Choice("WIDTh", "DCYCle"), "hold"),
    kept(f"{_SOURCE}:PULSe:DELay#", Number(0.0, 1e6, 0.0, "S"), "delay"),
    setting(f"{_SOURCE}:FREQuency#", _FREQUENCY, lambda c: 1.0 / c.period, set_frequency),
    *(Command(f"{_SOURCE}:APPLy#:{shape}", apply_shape(shape, _FREQUENCY)) for shape in _SHAPES),
    *levels(f"{_SOURCE}:VOLTage#"),
    setting(f"{_SOURCE}:VOLTage#:LIMit:STATe", _ON, lambda c: c.limited, set_limited),
    kept(f"{_SOURCE}:VOLTage#:UNIT", Choice("VPP", "VRMS", "DBM"), "unit"),
    kept(f"{_SOURCE}:PHASe#", Number(-360.0, 360.0, 0.0), "phase"),
    setting(":OUTPut#[:STATe]", _ON, lambda c: c.port.on, switch_output),
    kept(":OUTPut#:LOAD", _LOAD, "load"),
    kept(":OUTPut#:IMPedance:EXTernal", _LOAD, "load"),
    remembered(f"{_SOURCE}:FUNCtion#:SQUare:DCYCle", _DUTY, 50.0),
    remembered(f"{_SOURCE}:FUNCtion#:RAMP:SYMMetry", Number(0.0, 100.0, 100.0, "%"), 100.0),
    remembered(":OUTPut#:IMPedance", _SOURCE_OHMS, 50.0),
    setting(
        ":OUTPut#:POLarity",
        _POLARITY,
        lambda c: "INV" if c.inverted else "NORM",
        set_polarity,
    ),
    setting(":ARM[:STARt]:SOURce#", _ARM, lambda c: c.arm, _set_arm),
    setting(":TRIGger#:COUNt", _COUNT, lambda c: c.count, _set_count),
    setting(":TRIGger:COUNt#", _COUNT, lambda c: c.count, _set_count),
    setting(f"{_SOURCE}:BURSt#:NCYCles", _CYCLES, lambda c: max(c.count, 2), _set_cycles),
    setting(f"{_SOURCE}:BURSt#:STATe", _ON, lambda c: c.burst, _set_burst),
    kept(f"{_SOURCE}:BURSt#:MODE", Choice("TRIGgered", "GATed"), "burst_mode"),
    kept(f"{_SOURCE}:BURSt#:INTernal:PERiod", Number(3.03e-9, 1e6, 1e-3, "S"), "burst_period"),
    Command(":ABORt", act("abort"), takes=()),
    setting(":TRACk:CHANnel#", _ON, lambda c: c.tracking, _track),
    scpi_commands.remembered(":DISPlay", _ON, True),
    *front_panel(),
    *status_groups(("OPERation", "QUEStionable")),
    *(
        remembered(f"{_SOURCE}:{function}#:STATe", OFF, False)
        for function in ("AM", "FM", "PM", "PWM", "FSKey", "SWEep")
    ),
    remembered(":DIGital#[:STIMulus]:PATTern[:STATe]", OFF, False),
    remembered(":OUTPut#:COMPlement", OFF, False),
    remembered(f"{_SOURCE}:VOLTage#:RANGe:AUTO", Choice("ON", "OFF", "ONCE"), "ON"),
    remembered(f"{_SOURCE}:PULSe:TDELay#", Number(0.0, 1e6, 0.0, "S"), 0.0),
    kept(f"{_SOURCE}:FUNCtion#:PULSe:DELay", Number(0.0, 1e6, 0.0, "S"), "delay"),
    kept(f"{_SOURCE}:FUNCtion#:PULSe:HOLD", Choice("WIDTh", "DCYCle"), "hold"),
    remembered(f"{_SOURCE}:BURSt#:PHASe", Number(-360.0, 360.0, 0.0), 0.0),
    kept(":ARM[:STARt]:PERiod#", Number(3.03e-9, 1e6, 1e-3, "S"), "burst_period"),
    remembered(":ARM[:STARt]:SENSe#", Choice("EDGE"), "EDGE"),
    remembered(":ARM[:STARt]:SLOPe#", Choice("POSitive", "NEGative", "EITHer"), "POS"),
    scpi_commands.remembered(":ARM[:STARt]:LEVel", _THRESHOLD, 1.0),
    scpi_commands.remembered(":ARM[:STARt]:IMPedance", _INPUT, 10e3),
    remembered(":TRIGger:SOURce#", Choice("IMMediate"), "IMM"),
    Command(f"{_SOURCE}:APPLy#", query=applied),
    scpi_commands.remembered(":UNIT:ANGLe", Choice("DEGree"), "DEG"),
    scpi_commands.remembered(":ROSCillator:SOURce", Choice("INTernal", "EXTernal"), "INT"),
    scpi_commands.remembered(":SYSTem:KLOCk", _ON, False),
    scpi_commands.remembered(":SYSTem:SSAVer", _ON, True),
    Command(":SYSTem:WARNing:COUNt", query=constant("0")),
    Command("*OPT", query=constant("002")),
)
