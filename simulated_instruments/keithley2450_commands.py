"""The SCPI commands of the virtual Keithley 2450, one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from simulated_instruments import keithley2450_readings as readings
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.scpi import act, constant, only
from simulated_instruments.scpi_commands import kept, plain, remembered, setting
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, unquote, whole
from simulated_instruments.scpi_tree import Command

LIST_CHUNK: Final = 100
LIST_CAPACITY: Final = 2500

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
_FORMAT = Choice("ASCii", "REAL", "SREal")
_ORDER = Choice("NORMal", "SWAPped")
_LONG: Final = {"VOLT": "VOLTage", "CURR": "CURRent", "RES": "RESistance"}
_COUNT = whole(1, 300_000, 1)
_SCREEN = Choice(
    "HOME", "HOME_LARGe_reading", "READing_table", "GRAPh", "HISTogram", "GRAPH_SWIPE",
    "SETTINGS_SWIPE", "SOURCE_SWIPE", "STATISTICS_SWIPE", "USER_SWIPE", "PROCessing",
)  # fmt: skip
_LIGHT = Choice("ON100", "ON75", "ON50", "ON25", "OFF", "BLACkout")


def _of_source(name: str) -> Iterator[Command]:
    """Commands of one source function, ``VOLT`` or ``CURR``."""
    at = f":SOURce[1]:{_LONG[name]}"
    limit = f"{at}:{'ILIMit' if name == 'VOLT' else 'VLIMit'}"

    def source(instrument: Any) -> Any:
        return instrument.settings.sources[name]

    def set_limit(instrument: Any, value: float) -> None:
        source(instrument).limit = value
        instrument.move_limits()
        instrument.apply()

    def set_delay(instrument: Any, value: float) -> None:
        source(instrument).delay, source(instrument).delay_auto = value, False

    yield setting(
        f"{at}[:LEVel][:IMMediate][:AMPLitude]",
        _LEVELS[name],
        lambda instrument: source(instrument).level,
        lambda instrument, value: instrument.set_level(name, value),
    )
    yield setting(
        f"{at}:RANGe",
        _RANGES[name],
        lambda instrument: source(instrument).range,
        lambda instrument, value: instrument.set_source_range(name, value),
    )
    yield kept(f"{at}:RANGe:AUTO", _ON, source, "auto", lambda i: i.set_level(name, source(i).level))
    yield setting(f"{limit}[:LEVel]", _LIMITS[name], lambda i: source(i).limit, set_limit)
    yield Command(f"{limit}[:LEVel]:TRIPped", query=plain(lambda i: "1" if i.tripped(name) else "0"))
    yield setting(f"{at}:DELay", _DELAY, lambda i: source(i).delay, set_delay)
    yield kept(f"{at}:DELay:AUTO", _ON, source, "delay_auto")
    yield kept(f"{at}:READ:BACK", _ON, source, "readback")
    yield kept(f":OUTPut[1]:{_LONG[name]}:SMODe", _OFF_STATE, source, "off_state")
    yield Command(f":SOURce[1]:LIST:{_LONG[name]}", _list_writer(name, False), _list_query(name))
    yield Command(f":SOURce[1]:LIST:{_LONG[name]}:APPend", _list_writer(name, True))
    yield Command(f":SOURce[1]:LIST:{_LONG[name]}:POINts", query=plain(lambda i: str(len(i.lists[name]))))
    yield Command(f":SOURce[1]:SWEep:{_LONG[name]}:LIST", _sweep_list(name))
    yield Command(f":SOURce[1]:SWEep:{_LONG[name]}:LINear", _sweep_linear(name))


def _of_sense(name: str) -> Iterator[Command]:
    """Commands of one measure function."""
    at = f":SENSe[1]:{_LONG[name]}" + ("" if name == "RES" else "[:DC]")

    def sense(instrument: Any) -> Any:
        return instrument.settings.senses[name]

    def refresh(instrument: Any) -> None:
        instrument.move_limits()
        instrument.apply()

    yield setting(
        f"{at}:RANGe[:UPPer]",
        _RANGES[name],
        lambda instrument: sense(instrument).range,
        lambda instrument, value: instrument.set_sense_range(name, value),
    )
    yield kept(f"{at}:RANGe:AUTO", _ON, sense, "auto", refresh)
    yield kept(f"{at}:NPLCycles", _NPLC, sense, "nplc")
    yield kept(f"{at}:RSENse", _ON, sense, "remote", refresh)
    yield remembered(f"{at}:AZERo[:STATe]", _ON, True)
    yield remembered(f"{at}:AVERage[:STATe]", _ON, False)
    yield remembered(f"{at}:AVERage:TCONtrol", Choice("REPeat", "MOVing"), "REP")
    yield remembered(f"{at}:AVERage:COUNt", whole(1, 100, 10), 10)


# --- lists and sweeps ----------------------------------------------------------------------


def _list_writer(name: str, append: bool) -> Any:
    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not arguments:
            raise ScpiError(-109)
        if len(arguments) > LIST_CHUNK:
            raise ScpiError(-223, f"{len(arguments)} values; {LIST_CHUNK} a command")
        values = _LEVELS[name].read_all(arguments)
        before = instrument.lists[name] if append else []
        if len(before) + len(values) > LIST_CAPACITY:
            raise ScpiError(-223, f"{LIST_CAPACITY} values in all")
        instrument.lists[name] = before + values

    return write


def _list_query(name: str) -> Any:
    return plain(lambda i: ",".join(map(_LEVELS[name].write, i.lists[name])) or "nil")


def _argument(arguments: tuple[str, ...], place: int, parameter: Parameter, default: Any) -> Any:
    return parameter.read(arguments[place]) if len(arguments) > place else default


def _sweep_list(name: str) -> Any:
    """``<startIndex>, <delay>, <count>, <failAbort>, <bufferName>``; only the first is needed."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        values = instrument.lists[name]
        if not values:
            raise ScpiError(-221, "no list")
        start = int(_argument(arguments, 0, whole(1, len(values), 1), 1))
        delay = _argument(arguments, 1, _DELAY, 0.0)
        repeats = int(_argument(arguments, 2, whole(1, 1000, 1), 1))
        abort = _argument(arguments, 3, _ON, True)
        buffer = unquote(arguments[4]) if len(arguments) > 4 else "defbuffer1"
        if len(arguments) > 5:
            raise ScpiError(-108, arguments[5][:40])
        _plan(instrument, name, np.tile(values[start - 1 :], repeats), delay, abort, buffer)

    return write


def _sweep_linear(name: str) -> Any:
    """``<start>, <stop>, <points>, <delay>, <count>, <rangeType>, <failAbort>, <dual>, <bufferName>``."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if len(arguments) < 3:
            raise ScpiError(-109)
        start, stop = (_LEVELS[name].read(argument) for argument in arguments[:2])
        points = int(whole(2, 100_000, 2).read(arguments[2]))
        delay = _argument(arguments, 3, Number(-1.0, 9999.0, -1.0, "S"), -1.0)
        repeats = int(_argument(arguments, 4, whole(1, 1000, 1), 1))
        _argument(arguments, 5, Choice("AUTO", "BEST", "FIXed"), "BEST")
        abort = _argument(arguments, 6, _ON, True)
        dual = _argument(arguments, 7, _ON, False)
        buffer = unquote(arguments[8]) if len(arguments) > 8 else "defbuffer1"
        levels = np.linspace(start, stop, points)
        levels = np.concatenate([levels, levels[::-1]]) if dual else levels
        _plan(instrument, name, np.tile(levels, repeats), max(delay, 0.0), abort, buffer)

    return write


def _plan(instrument: Any, name: str, levels: Any, delay: float, abort: bool, buffer: str) -> None:
    if instrument.settings.function != name:
        raise ScpiError(-221, f"the source function is {instrument.settings.function}")
    instrument.buffer(buffer)
    source = instrument.settings.sources[name]
    largest = float(np.abs(levels).max())
    if source.auto:
        instrument.set_source_range(name, largest, keep_auto=True)
    elif largest > source.range * 1.05 * (1 + 1e-9):
        raise ScpiError(-222, f"{largest:g} on the {source.range:g} range")
    seconds = delay + instrument.settle() + instrument.aperture() + 1e-3
    instrument.planned = RunningSweep(np.asarray(levels, dtype=float), seconds, abort, buffer)


def _running(instrument: Any) -> str:
    state = "RUNNING" if instrument.sweep is not None else "IDLE"
    return f"{state};{state};{0 if instrument.sweep is None else instrument.sweep.done}"


def _settings(instrument: Any) -> Any:
    return instrument.settings


COMMANDS: Final = (
    *_of_source("VOLT"),
    *_of_source("CURR"),
    *_of_sense("VOLT"),
    *_of_sense("CURR"),
    *_of_sense("RES"),
    setting(
        ":SOURce[1]:FUNCtion[:MODE]",
        _FUNCTION,
        lambda instrument: instrument.settings.function,
        lambda instrument, value: instrument.set_function(value),
    ),
    kept(
        ":SOURce[1]:VOLTage:PROTection[:LEVel]",
        _PROTECTION,
        _settings,
        "protection",
        lambda instrument: instrument.apply(),
    ),
    Command(
        ":SENSe[1]:FUNCtion[:ON]",
        lambda instrument, suffixes, arguments: readings.set_measured(instrument, only(arguments, _MEASURED)),
        plain(lambda i: f'"{i.settings.measured}{"" if i.settings.measured == "RES" else ":DC"}"'),
    ),
    setting(
        ":SENSe[1]:COUNt",
        _COUNT,
        lambda instrument: instrument.settings.count,
        lambda instrument, value: setattr(instrument.settings, "count", int(value)),
    ),
    setting(
        ":OUTPut[1][:STATe]",
        _ON,
        lambda instrument: instrument.settings.output,
        lambda instrument, value: instrument.set_output(value),
    ),
    remembered(":OUTPut[1]:INTerlock:STATe", _ON, False),
    kept(":ROUTe:TERMinals", Choice("FRONt", "REAR"), _settings, "terminals"),
    kept(":FORMat[:DATA]", _FORMAT, _settings, "format"),
    kept(":FORMat:BORDer", _ORDER, _settings, "byte_order"),
    remembered(":FORMat:ASCii:PRECision", whole(0, 16, 0), 0),
    Command(":READ", query=readings.read),
    Command(":FETCh", query=readings.fetch),
    Command(":MEASure", query=readings.measure(None)),
    *(Command(f":MEASure:{long}[:DC]", query=readings.measure(name)) for name, long in _LONG.items()),
    Command(":INITiate[:IMMediate]", act("initiate")),
    Command(":ABORt", act("abort")),
    Command(":TRIGger:STATe", query=plain(_running)),
    Command(":TRACe:DATA", query=readings.data),
    Command(":TRACe:ACTual", query=readings.with_buffer(lambda buffer: str(len(buffer)))),
    Command(":TRACe:CLEar", readings.with_buffer(lambda buffer: buffer.clear())),
    Command(":TRACe:POINts", readings.points, readings.with_buffer(lambda buffer: str(buffer.capacity))),
    Command(":TRACe:MAKE", readings.make),
    Command(":TRACe:STATistics:AVERage", query=readings.statistic(np.mean)),
    Command(":TRACe:STATistics:MAXimum", query=readings.statistic(np.max)),
    Command(":TRACe:STATistics:MINimum", query=readings.statistic(np.min)),
    Command(":TRACe:STATistics:STDDev", query=readings.statistic(np.std)),
    Command(":SYSTem:LFRequency", query=constant("50")),
    remembered(":DISPlay:SCReen", _SCREEN, "HOME"),
    remembered(":DISPlay:LIGHt:STATe", _LIGHT, "ON50"),
    remembered("*LANG", Choice("SCPI"), "SCPI"),
)
