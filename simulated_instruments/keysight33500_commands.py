"""The SCPI commands of the virtual Keysight 33522B, one table; a first suffix is the channel."""

from __future__ import annotations

from typing import Any, Final

from simulated_instruments import scpi_commands
from simulated_instruments.pulse_commands import (
    applied,
    apply_shape,
    channel_of,
    kept,
    levels,
    remembered,
    set_duty,
    set_frequency,
    set_limited,
    set_polarity,
    set_transition,
    set_width,
    setting,
    switch_output,
)
from simulated_instruments.scpi import accepted, act, constant, none
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_housekeeping import OFF, front_panel, status_groups
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Text, whole
from simulated_instruments.scpi_tree import Command

_ON = Boolean()
_SHAPES = ("SINusoid", "SQUare", "TRIangle", "RAMP", "PULSe", "PRBS", "NOISe", "DC", "ARB")
_LOAD = Number(1.0, 10e3, 50.0, "OHM", infinite=True)
_WIDTH = Number(16e-9, 1e6, 100e-6, "S")
_PERIOD = Number(33e-9, 1e6, 1e-3, "S")
_EDGE = Number(8.4e-9, 1e-6, 10e-9, "S")
_FREQUENCY = Number(1e-6, 30e6, 1e3, "HZ")
_CYCLES = whole(1, 100_000_000, 1, infinite=True)
_POLARITY = Choice("NORMal", "INVerted")
_RANGING = Choice("ON", "OFF", "ONCE")
_PHASE = Number(-360.0, 360.0, 0.0)

_SOURCE: Final = "[:SOURce#]"
_PULSE: Final = f"{_SOURCE}:FUNCtion:PULSe"


def _set_period(instrument: Any, channel: Any, value: float) -> None:
    """Set the period; a width or edges that no longer fit give way, and the queue says so."""
    width, edges = instrument.fitting(value, channel.width, channel.transition)
    adjusted = (width, edges) != (channel.width, channel.transition)
    instrument.set_times(channel, width, value, edges)
    if adjusted:
        raise ScpiError(-221, "width or edges were adjusted to the period")


def _set_frequency(instrument: Any, channel: Any, value: float) -> None:
    put = _set_period if channel.shape == "PULS" else set_frequency
    put(instrument, channel, 1.0 / value if channel.shape == "PULS" else value)


def _set_load(instrument: Any, channel: Any, value: float) -> None:
    if channel.limited:
        raise ScpiError(-221, "the load cannot be changed while the voltage limits are on")
    channel.load = float("inf") if value >= 9.9e37 else value
    instrument.apply(channel)


def _synchronise(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Bring both phases together: phases are not simulated."""
    none(arguments)
    channel_of(instrument, suffixes)


def _force(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    none(arguments)
    channel = channel_of(instrument, suffixes)
    instrument.fire([(channel, instrument.forced_burst_of(channel))])


COMMANDS: Final = (
    kept(f"{_SOURCE}:FUNCtion[:SHAPe]", Choice(*_SHAPES), "shape"),
    setting(f"{_PULSE}:WIDTh", _WIDTH, lambda c: c.width, set_width),
    setting(f"{_PULSE}:PERiod", _PERIOD, lambda c: c.period, _set_period),
    setting(f"{_PULSE}:DCYCle", Number(0.01, 99.99, 10.0, "%"), lambda c: 100 * c.width / c.period, set_duty),
    *(
        setting(f"{_PULSE}:TRANsition{edge}", _EDGE, lambda c: c.transition, set_transition)
        for edge in ("[:BOTH]", ":LEADing", ":TRAiling")
    ),
    kept(f"{_PULSE}:HOLD", Choice("WIDTh", "DCYCle"), "hold"),
    setting(f"{_SOURCE}:FREQuency", _FREQUENCY, lambda c: 1.0 / c.period, _set_frequency),
    kept(f"{_SOURCE}:FREQuency:MODE", Choice("CW", "LIST", "SWEep", "FIXed"), "frequency_mode"),
    *levels(f"{_SOURCE}:VOLTage"),
    setting(f"{_SOURCE}:VOLTage:LIMit:STATe", _ON, lambda c: c.limited, set_limited),
    kept(f"{_SOURCE}:VOLTage:UNIT", Choice("VPP", "VRMS", "DBM"), "unit"),
    kept(f"{_SOURCE}:PHASe", _PHASE, "phase"),
    Command(f"{_SOURCE}:PHASe:SYNChronize", _synchronise),
    remembered(f"{_SOURCE}:FUNCtion:SQUare:DCYCle", Number(0.01, 99.99, 50.0, "%"), 50.0),
    remembered(f"{_SOURCE}:FUNCtion:RAMP:SYMMetry", Number(0.0, 100.0, 100.0, "%"), 100.0),
    *(Command(f"{_SOURCE}:APPLy:{shape}", apply_shape(shape, _FREQUENCY)) for shape in _SHAPES),
    setting(":OUTPut#[:STATe]", _ON, lambda c: c.port.on, switch_output),
    setting(":OUTPut#:LOAD", _LOAD, lambda c: c.load, _set_load),
    setting(":OUTPut#:POLarity", _POLARITY, lambda c: "INV" if c.inverted else "NORM", set_polarity),
    scpi_commands.remembered(":OUTPut:SYNC[:STATe]", _ON, True),
    scpi_commands.remembered(":OUTPut:SYNC:SOURce", Choice("CH1", "CH2"), "CH1"),
    scpi_commands.remembered(":OUTPut:TRIGger[:STATe]", _ON, False),
    kept(f"{_SOURCE}:BURSt[:STATe]", _ON, "burst"),
    kept(f"{_SOURCE}:BURSt:MODE", Choice("TRIGgered", "GATed"), "burst_mode"),
    kept(f"{_SOURCE}:BURSt:NCYCles", _CYCLES, "cycles"),
    kept(f"{_SOURCE}:BURSt:PHASe", _PHASE, "burst_phase"),
    kept(f"{_SOURCE}:BURSt:GATE:POLarity", _POLARITY, "gate_polarity"),
    kept(f"{_SOURCE}:BURSt:INTernal:PERiod", Number(1e-6, 8e3, 10e-3, "S"), "burst_period"),
    kept(":TRIGger#:SOURce", Choice("IMMediate", "EXTernal", "TIMer", "BUS"), "source"),
    kept(":TRIGger#:SLOPe", Choice("POSitive", "NEGative"), "slope"),
    kept(":TRIGger#:COUNt", whole(1, 1_000_000, 1, infinite=True), "trigger_count"),
    kept(":TRIGger#:DELay", Number(0.0, 1e3, 0.0, "S"), "trigger_delay"),
    kept(":TRIGger#:TIMer", Number(1e-6, 8e3, 10e-3, "S"), "burst_period"),
    Command(":TRIGger#[:IMMediate]", _force),
    Command(":ABORt", act("abort"), takes=()),
    scpi_commands.remembered(":DISPlay", _ON, True),
    scpi_commands.remembered(":DISPlay:TEXT", Text(40), ""),
    accepted(":DISPlay:TEXT:CLEar"),
    *front_panel(),
    *status_groups(("OPERation", "QUEStionable")),
    *(
        remembered(f"{_SOURCE}:{function}:STATe", OFF, False)
        for function in ("AM", "FM", "PM", "PWM", "FSKey", "BPSK", "SUM", "SWEep", "FREQuency:COUPle")
    ),
    remembered(f"{_SOURCE}:VOLTage:COUPle[:STATe]", OFF, False),
    remembered(f"{_SOURCE}:TRACk", Choice("OFF"), "OFF"),
    remembered(f"{_SOURCE}:COMBine:FEED", Choice("NONE"), "NONE"),
    remembered(f"{_SOURCE}:VOLTage:RANGe:AUTO", _RANGING, "ON"),
    Command(f"{_SOURCE}:APPLy", query=applied),
    remembered(":OUTPut#:MODE", Choice("NORMal"), "NORM"),
    scpi_commands.remembered(":OUTPut:SYNC:MODE", Choice("NORMal", "CARRier", "MARKer"), "NORM"),
    scpi_commands.remembered(":OUTPut:TRIGger:SLOPe", Choice("POSitive", "NEGative"), "POS"),
    scpi_commands.remembered(":OUTPut:TRIGger:SOURce", Choice("CH1", "CH2"), "CH1"),
    scpi_commands.remembered(":UNIT:ANGLe", Choice("DEGree"), "DEG"),
    scpi_commands.remembered(":FORMat:BORDer", Choice("NORMal", "SWAPped"), "NORM"),
    scpi_commands.remembered(":ROSCillator:SOURce", Choice("INTernal", "EXTernal"), "INT"),
    scpi_commands.remembered(":ROSCillator:SOURce:AUTO", _ON, True),
    Command("*OPT", query=constant("0")),
)
