"""The SCPI commands of the virtual Keithley 2450, but for its sweeps: one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from simulated_instruments import keithley2450_readings as readings
from simulated_instruments.scpi import act, constant, only
from simulated_instruments.scpi_commands import kept, numbered, plain, remembered, setting
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, whole
from simulated_instruments.scpi_tree import Command

_FUNCTION = Choice("VOLTage", "CURRent")
_MEASURED = Choice("VOLTage", "CURRent", "RESistance", "VOLTage:DC", "CURRent:DC", quoted=True)
_ON = Boolean()
_LEVELS = {"VOLT": Number(-210.0, 210.0, 0.0, "V"), "CURR": Number(-1.05, 1.05, 0.0, "A")}
_LIMITS = {"VOLT": Number(1e-9, 1.05, 105e-6, "A"), "CURR": Number(0.02, 210.0, 21.0, "V")}
_RANGES = {**_LEVELS, "RES": Number(0.0, 210e6, 200e3, "OHM")}
_DELAY = Number(0.0, 9999.0, 0.0, "S")
_NPLC = Number(0.01, 10.0, 1.0)
_OFF_STATE = Choice("NORMal", "HIMPedance", "ZERO", "GUARd")
_PROTECTION = Choice(
    "PROT2", "PROT5", "PROT10", "PROT20", "PROT40", "PROT60", "PROT80", "PROT100",
    "PROT120", "PROT140", "PROT160", "PROT180", "NONE",
)  # fmt: skip
_SCREEN = Choice(
    "HOME", "HOME_LARGe_reading", "READing_table", "GRAPh", "HISTogram", "GRAPH_SWIPE",
    "SETTINGS_SWIPE", "SOURCE_SWIPE", "STATISTICS_SWIPE", "USER_SWIPE", "PROCessing",
    "SWIPE_GRAPh", "SWIPE_SETTings", "SWIPE_SOURce", "SWIPE_STATistics", "SWIPE_USER",
)  # fmt: skip
_LIGHT = Choice("ON100", "ON75", "ON50", "ON25", "OFF", "BLACkout")
_LONG: Final = {"VOLT": "VOLTage", "CURR": "CURRent", "RES": "RESistance"}


def _self(instrument: Any) -> Any:
    return instrument


def _of_source(name: str) -> Iterator[Command]:
    """Commands of one source function, ``VOLT`` or ``CURR``."""
    at = f":SOURce[1]:{_LONG[name]}"
    limit = f"{at}:{'ILIMit' if name == 'VOLT' else 'VLIMit'}"

    def source(instrument: Any) -> Any:
        return instrument.channel.sources[name]

    def set_delay(instrument: Any, seconds: float) -> None:
        source(instrument).delay, source(instrument).delay_auto = seconds, False
        instrument.follow()

    yield setting(
        f"{at}[:LEVel][:IMMediate][:AMPLitude]",
        _LEVELS[name],
        lambda i: source(i).level,
        lambda i, level: i.set_level(name, level),
    )
    yield setting(
        f"{at}:RANGe",
        _RANGES[name],
        lambda i: source(i).range,
        lambda i, value: i.channel.set_source_range(name, value),
    )
    yield setting(
        f"{at}:RANGe:AUTO", _ON, lambda i: source(i).auto, lambda i, on: i.channel.set_source_auto(name, on)
    )
    yield setting(
        f"{limit}[:LEVel]",
        _LIMITS[name],
        lambda i: source(i).limit,
        lambda i, value: i.set_limit(name, value),
    )
    yield Command(f"{limit}[:LEVel]:TRIPped", query=plain(lambda i: "1" if i.tripped(name) else "0"))
    yield setting(f"{at}:DELay", _DELAY, lambda i: source(i).delay, set_delay)
    yield kept(f"{at}:DELay:AUTO", _ON, source, "delay_auto", lambda i: i.follow())
    yield numbered(f"{at}:DELay:USER#", 5, _DELAY, 0.0)
    yield kept(f"{at}:READ:BACK", _ON, source, "readback")
    yield kept(f":OUTPut[1]:{_LONG[name]}:SMODe", _OFF_STATE, source, "off_state", lambda i: i.follow())


def _of_sense(name: str) -> Iterator[Command]:
    """Commands of one measure function."""
    at = f"[:SENSe[1]]:{_LONG[name]}" + ("" if name == "RES" else "[:DC]")

    def sense(instrument: Any) -> Any:
        return instrument.channel.senses[name]

    yield setting(
        f"{at}:RANGe[:UPPer]",
        _RANGES[name],
        lambda i: sense(i).range,
        lambda i, value: i.set_sense_range(name, value),
    )
    yield kept(f"{at}:RANGe:AUTO", _ON, sense, "auto", lambda i: i.refresh())
    yield kept(f"{at}:NPLCycles", _NPLC, sense, "nplc")
    yield kept(f"{at}:RSENse", _ON, sense, "remote", lambda i: i.refresh())
    yield numbered(f"{at}:DELay:USER#", 5, _DELAY, 0.0)
    yield remembered(f"{at}:AZERo[:STATe]", _ON, True)
    yield remembered(f"{at}:AVERage[:STATe]", _ON, False)
    yield remembered(f"{at}:AVERage:TCONtrol", Choice("REPeat", "MOVing"), "REP")
    yield remembered(f"{at}:AVERage:COUNt", whole(1, 100, 10), 10)


def _set_measured(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.set_measured(only(arguments, _MEASURED))


def _measured(instrument: Any) -> str:
    name = instrument.channel.measured
    return f'"{name}{"" if name == "RES" else ":DC"}"'


def _set_every_off_state(instrument: Any, state: str) -> None:
    for source in instrument.channel.sources.values():
        source.off_state = state
    instrument.follow()


COMMANDS: Final = (
    *_of_source("VOLT"),
    *_of_source("CURR"),
    *_of_sense("VOLT"),
    *_of_sense("CURR"),
    *_of_sense("RES"),
    setting(
        ":SOURce[1]:FUNCtion[:MODE]",
        _FUNCTION,
        lambda i: i.channel.function,
        lambda i, function: i.set_function(function),
    ),
    setting(
        ":SOURce[1]:VOLTage:PROTection[:LEVel]",
        _PROTECTION,
        lambda i: i.protection,
        lambda i, name: i.set_protection(name),
    ),
    Command(":SENSe[1]:FUNCtion[:ON]", _set_measured, plain(_measured)),
    setting(
        ":SENSe[1]:COUNt",
        whole(1, 300_000, 1),
        lambda i: i.count,
        lambda i, count: setattr(i, "count", int(count)),
    ),
    setting(":OUTPut[1][:STATe]", _ON, lambda i: i.channel.output, lambda i, on: i.set_output(on)),
    setting(":OUTPut[1]:SMODe", _OFF_STATE, lambda i: i.channel.source.off_state, _set_every_off_state),
    remembered(":OUTPut[1]:INTerlock:STATe", _ON, False),
    kept(":ROUTe:TERMinals", Choice("FRONt", "REAR"), _self, "terminals"),
    kept(":FORMat[:DATA]", Choice("ASCii", "REAL", "SREal"), _self, "format"),
    kept(":FORMat:BORDer", Choice("NORMal", "SWAPped"), _self, "byte_order"),
    remembered(":FORMat:ASCii:PRECision", whole(0, 16, 0), 0),
    Command(":READ", query=readings.read),
    Command(":FETCh", query=readings.fetch),
    Command(":MEASure", query=readings.measure(None)),
    *(Command(f":MEASure:{long}[:DC]", query=readings.measure(name)) for name, long in _LONG.items()),
    Command(":INITiate[:IMMediate]", act("initiate")),
    Command(":ABORt", act("abort")),
    Command(":TRACe:DATA", query=readings.data),
    Command(":TRACe:ACTual", query=readings.with_buffer(lambda buffer: str(len(buffer)))),
    Command(":TRACe:CLEar", readings.with_buffer(lambda buffer: buffer.clear())),
    Command(":TRACe:POINts", readings.points, readings.with_buffer(lambda buffer: str(buffer.capacity))),
    Command(":TRACe:MAKE", readings.make),
    Command(":TRACe:DELete", readings.delete),
    Command(":TRACe:TRIGger", readings.trigger),
    Command(":TRACe:ACTual:STARt", query=readings.with_buffer(lambda buffer: "1" if len(buffer) else "0")),
    Command(":TRACe:ACTual:END", query=readings.with_buffer(lambda buffer: str(len(buffer)))),
    Command(":TRACe:FILL:MODE", readings.fill, readings.with_buffer(lambda buffer: "CONT")),
    Command(":TRACe:STATistics:CLEar", readings.with_buffer(lambda buffer: None)),
    Command(":TRACe:STATistics:AVERage", query=readings.statistic(np.mean)),
    Command(":TRACe:STATistics:MAXimum", query=readings.statistic(np.max)),
    Command(":TRACe:STATistics:MINimum", query=readings.statistic(np.min)),
    Command(":TRACe:STATistics:STDDev", query=readings.statistic(np.std)),
    Command(":SYSTem:LFRequency", query=constant("50")),
    remembered(":DISPlay:SCReen", _SCREEN, "HOME"),
    remembered(":DISPlay:LIGHt:STATe", _LIGHT, "ON50"),
    remembered("*LANG", Choice("SCPI"), "SCPI"),
)
