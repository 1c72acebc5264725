"""The SCPI commands of the virtual Keithley 2400, one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from simulated_instruments import keithley2400_trace as trace
from simulated_instruments.scpi import accepted, act, only
from simulated_instruments.scpi_commands import kept, plain, remembered, setting
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, whole
from simulated_instruments.scpi_tree import Command

LIST_CHUNK: Final = 100
LIST_CAPACITY: Final = 2500


def _text(value: float) -> str:
    return f"{value:+.6E}"


_FUNCTION = Choice("VOLTage", "CURRent")
_MEASURED = Choice("VOLTage", "CURRent", "RESistance", "VOLTage:DC", "CURRent:DC", quoted=True)
_ON = Boolean()
_LEVELS = {
    "VOLT": Number(-210.0, 210.0, 0.0, "V", _text),
    "CURR": Number(-1.05, 1.05, 0.0, "A", _text),
}
_LIMITS = {"VOLT": Number(2e-4, 210.0, 21.0, "V", _text), "CURR": Number(1e-9, 1.05, 105e-6, "A", _text)}
_PROTECTION = Number(-210.0, 210.0, 210.0, "V", _text)
_DELAY = Number(0.0, 9999.999, 0.0, "S", _text)
_NPLC = Number(0.01, 10.0, 1.0, text="{:.2f}".format)
_MODE = Choice("FIXed", "LIST", "SWEep")
_ABORT = Choice("NEVer", "EARLy", "LATE")
_COUNT = whole(1, 2500, 1)
_STEPS: Final = (20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 160.0)
_LONG: Final = {"VOLT": "VOLTage", "CURR": "CURRent"}


def _of_source(name: str) -> Iterator[Command]:
    """Commands of one source function."""
    at = f"[:SOURce[1]]:{_LONG[name]}"

    def source(instrument: Any) -> Any:
        return instrument.channel.sources[name]

    for level in ("[:LEVel][:IMMediate][:AMPLitude]", "[:LEVel]:TRIGgered[:AMPLitude]"):
        yield setting(
            f"{at}{level}",
            _LEVELS[name],
            lambda i: i.fixed[name],
            lambda i, value: i.set_level(name, value),
        )
    yield setting(
        f"{at}:RANGe",
        _LEVELS[name],
        lambda i: source(i).range,
        lambda i, value: i.channel.set_source_range(name, value),
    )
    yield setting(
        f"{at}:RANGe:AUTO",
        _ON,
        lambda i: source(i).auto,
        lambda i, on: i.channel.set_source_auto(name, on),
    )
    yield setting(f"{at}:MODE", _MODE, lambda i: i.modes[name], lambda i, mode: i.set_mode(name, mode))
    for place, word in enumerate(("STARt", "STOP")):
        yield setting(f"{at}:{word}", _LEVELS[name], _span(name, place), _put_span(name, place))
    yield setting(f"{at}:STEP", _LEVELS[name], _step(name), _put_step(name))
    yield Command(f"[:SOURce[1]]:LIST:{_LONG[name]}", _list_writer(name, False), _list_query(name))
    yield Command(f"[:SOURce[1]]:LIST:{_LONG[name]}:APPend", _list_writer(name, True))
    points = plain(lambda i: str(len(i.lists[name])))
    yield Command(f"[:SOURce[1]]:LIST:{_LONG[name]}:POINts", query=points)


def _span(name: str, place: int) -> Callable[[Any], float]:
    return lambda i: i.spans[name][place]


def _put_span(name: str, place: int) -> Callable[[Any, float], None]:
    def put(instrument: Any, value: float) -> None:
        instrument.spans[name][place] = value

    return put


def _step(name: str) -> Callable[[Any], float]:
    def get(instrument: Any) -> float:
        start, stop, points = instrument.spans[name]
        return (stop - start) / max(points - 1, 1)

    return get


def _put_step(name: str) -> Callable[[Any, float], None]:
    def put(instrument: Any, value: float) -> None:
        start, stop, _ = instrument.spans[name]
        if value == 0:
            raise ScpiError(-222, "a step of zero")
        instrument.spans[name][2] = min(round(abs((stop - start) / value)) + 1, LIST_CAPACITY)

    return put


def _list_writer(name: str, append: bool) -> Any:
    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not arguments:
            raise ScpiError(-109)
        if len(arguments) > LIST_CHUNK:
            raise ScpiError(-223, f"{len(arguments)} values; {LIST_CHUNK} a command")
        values = [_LEVELS[name].read(argument) for argument in arguments]
        before = instrument.lists[name] if append else []
        if len(before) + len(values) > LIST_CAPACITY:
            raise ScpiError(-223, f"{LIST_CAPACITY} values in all")
        instrument.lists[name] = before + values

    return write


def _list_query(name: str) -> Any:
    return plain(lambda i: ",".join(map(_LEVELS[name].write, i.lists[name])))


def _of_sense(name: str) -> Iterator[Command]:
    """Commands of one measure function."""
    at = f":SENSe[1]:{_LONG[name]}[:DC]"

    def sense(instrument: Any) -> Any:
        return instrument.channel.senses[name]

    yield setting(
        f"{at}:RANGe[:UPPer]",
        _LEVELS[name],
        lambda i: sense(i).range,
        lambda i, value: i.set_sense_range(name, value),
    )
    yield kept(f"{at}:RANGe:AUTO", _ON, sense, "auto", lambda i: i.channel.apply())
    yield setting(f"{at}:NPLCycles", _NPLC, lambda i: sense(i).nplc, lambda i, n: i.set_nplc(n))
    yield setting(
        f"{at}:PROTection[:LEVel]",
        _LIMITS[name],
        lambda i: i.limit_of(name),
        lambda i, value: i.set_limit(name, value),
    )
    yield Command(f"{at}:PROTection:TRIPped", query=plain(lambda i: "1" if i.tripped(name) else "0"))
    yield Command(f":MEASure:{_LONG[name]}[:DC]", query=_measure(name))
    yield Command(f":CONFigure:{_LONG[name]}[:DC]", plain(lambda i: i.configure(name)))


def _measure(name: str) -> Any:
    """Make ``:MEASure:<function>?``: CONFigure, then READ."""

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        instrument.configure(name)
        return trace.written(instrument, instrument.read())

    return query


def _measure_again(instrument: Any) -> Any:
    """Answer ``:MEASure?``: the function configured now, configured again."""
    names = sorted(instrument.measured) or ["CURR"]
    instrument.configure(names[0])
    return trace.written(instrument, instrument.read())


def _sense_writer(on: bool) -> Any:
    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not arguments:
            raise ScpiError(-109)
        names = frozenset(_MEASURED.read(argument).partition(":")[0] for argument in arguments)
        instrument.sense(names, on)

    return write


def _sensed(instrument: Any) -> str:
    shown = {"VOLT": "VOLT:DC", "CURR": "CURR:DC", "RES": "RES"}
    return ",".join(f'"{shown[name]}"' for name in ("VOLT", "CURR", "RES") if name in instrument.measured)


def _elements(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.elements = trace.read_elements(arguments)


def _put_protection(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """``NONE``, or a level: the lowest step at or above it holds."""
    none = arguments and arguments[0].strip().upper() == "NONE"
    volts = float("inf") if none else abs(only(arguments, _PROTECTION))
    instrument.channel.protection = next((step for step in _STEPS if step >= volts), float("inf"))
    instrument.channel.apply()


def _protection(instrument: Any) -> str:
    return _text(min(instrument.channel.protection, 210.0))


def _put_count(name: str, other: str) -> Callable[[Any, float], None]:
    def put(instrument: Any, value: float) -> None:
        if value * getattr(instrument, other) > LIST_CAPACITY:
            raise ScpiError(-222, f"{LIST_CAPACITY} points in all")
        setattr(instrument, name, int(value))

    return put


def _set_delay(instrument: Any, value: float) -> None:
    for source in instrument.channel.sources.values():
        source.delay, source.delay_auto = value, False


def _set_delay_auto(instrument: Any, on: bool) -> None:
    for source in instrument.channel.sources.values():
        source.delay_auto = on
        source.delay = 0.0 if on else source.delay


def _autozero(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """``ON``, ``OFF``, or ``ONCE``: one zero now, and none with each reading."""
    once = len(arguments) == 1 and arguments[0].strip().upper() == "ONCE"
    instrument.autozero = False if once else only(arguments, _ON)


def _feed(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.trace.feeding = only(arguments, Choice("NEXT", "NEVer")) == "NEXT"


def _status_byte(instrument: Any) -> str:
    """Status byte with the measurement event "buffer full", which PyMeasure polls."""
    byte = (1 if instrument.buffer_full else 0) | (4 if len(instrument.errors) else 0)
    return str(byte | (64 if byte & instrument.service_enable else 0))


def _third(command: Command) -> Command:
    """Let a command of ``CALCulate3`` refuse the other numbers (-114)."""

    def only_three(handler: Any) -> Any:
        def handle(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
            if suffixes != (3,):
                raise ScpiError(-114, command.header)
            return handler(instrument, suffixes, arguments)

        return None if handler is None else handle

    return Command(command.header, only_three(command.write), only_three(command.query), command.takes)


def _self(instrument: Any) -> Any:
    return instrument


_ARM = Choice("IMMediate", "TLINk", "TIMer", "MANual", "BUS", "NSTest", "PSTest", "BSTest")
_TRIGGER_OUTPUT = Choice("SOURce", "DELay", "SENSe", "NONE")
_ARM_OUTPUT = Choice("TENTer", "TEXit", "NONE")
_LINE = whole(1, 4, 1)

COMMANDS: Final = (
    *_of_source("VOLT"),
    *_of_source("CURR"),
    *_of_sense("VOLT"),
    *_of_sense("CURR"),
    setting(
        ":SOURce[1]:FUNCtion[:MODE]",
        _FUNCTION,
        lambda i: i.channel.function,
        lambda i, function: i.set_function(function),
    ),
    Command(":SOURce[1]:VOLTage:PROTection[:LEVel]", _put_protection, plain(_protection)),
    setting(":SOURce[1]:DELay", _DELAY, lambda i: i.channel.source.delay, _set_delay),
    setting(":SOURce[1]:DELay:AUTO", _ON, lambda i: i.channel.source.delay_auto, _set_delay_auto),
    remembered(":SOURce[1]:CLEar:AUTO", _ON, False),
    Command(":SOURce[1]:CLEar[:IMMediate]", plain(lambda i: i.set_output(False))),
    kept(":SOURce[1]:SWEep:CABort[:LEVel]", _ABORT, _self, "compliance_abort"),
    setting(
        ":SOURce[1]:SWEep:POINts",
        whole(2, LIST_CAPACITY, LIST_CAPACITY),
        lambda i: i.spans[i.channel.function][2],
        lambda i, n: i.spans[i.channel.function].__setitem__(2, n),
    ),
    remembered(":SOURce[1]:SWEep:SPACing", Choice("LINear"), "LIN"),
    remembered(":SOURce[1]:SWEep:RANGing", Choice("BEST", "AUTO", "FIXed"), "BEST"),
    remembered(":SOURce[1]:SWEep:DIRection", Choice("UP"), "UP"),
    Command(":SENSe[1]:FUNCtion[:ON]", _sense_writer(True), plain(_sensed)),
    Command(":SENSe[1]:FUNCtion[:ON]:ALL", plain(lambda i: i.sense(frozenset(("VOLT", "CURR", "RES"))))),
    Command(":SENSe[1]:FUNCtion:OFF", _sense_writer(False)),
    Command(
        ":SENSe[1]:FUNCtion:OFF:ALL", plain(lambda i: i.sense(frozenset(("VOLT", "CURR", "RES")), False))
    ),
    kept(":SENSe[1]:FUNCtion:CONCurrent", _ON, _self, "concurrent"),
    remembered(":SENSe[1]:RESistance:MODE", Choice("MANual", "AUTO"), "AUTO"),
    remembered(":SENSe[1]:RESistance:RANGe", Number(0.0, 210e6, 210e3, "OHM", _text), 210e3),
    remembered(":SENSe[1]:RESistance:RANGe:AUTO", _ON, True),
    setting(
        ":SENSe[1]:RESistance:NPLCycles",
        _NPLC,
        lambda i: i.channel.senses["CURR"].nplc,
        lambda i, n: i.set_nplc(n),
    ),
    remembered(":SENSe[1]:AVERage[:STATe]", _ON, False),
    remembered(":SENSe[1]:AVERage:TCONtrol", Choice("REPeat", "MOVing"), "REP"),
    remembered(":SENSe[1]:AVERage:COUNt", whole(1, 100, 10), 10),
    Command(":MEASure", query=plain(_measure_again)),
    Command(":MEASure:RESistance", query=_measure("RES")),
    Command(":CONFigure:RESistance", plain(lambda i: i.configure("RES"))),
    Command(":READ", query=plain(lambda i: trace.written(i, i.read()))),
    Command(":FETCh", query=plain(lambda i: trace.written(i, i.fetch()))),
    Command(":SENSe[1]:DATA[:LATest]", query=plain(lambda i: trace.written(i, i.fetch()[-1:]))),
    Command(":INITiate[:IMMediate]", act("initiate")),
    Command(":ABORt", act("abort")),
    setting(":OUTPut[1][:STATe]", _ON, lambda i: i.channel.output, lambda i, on: i.set_output(on)),
    remembered(":OUTPut[1]:SMODe", Choice("HIMPedance", "NORMal", "ZERO", "GUARd"), "NORM"),
    remembered(":ROUTe:TERMinals", Choice("FRONt", "REAR"), "FRON"),
    Command(":FORMat:ELEMents[:SENSe[1]]", _elements, plain(lambda i: ",".join(i.elements))),
    kept(":FORMat[:DATA]", Choice("ASCii", "REAL", "SREal"), _self, "format"),
    kept(":FORMat:BORDer", Choice("NORMal", "SWAPped"), _self, "byte_order"),
    setting(":TRIGger:COUNt", _COUNT, lambda i: i.trigger_count, _put_count("trigger_count", "arm_count")),
    setting(
        ":ARM[:SEQuence[1]][:LAYer[1]]:COUNt",
        _COUNT,
        lambda i: i.arm_count,
        _put_count("arm_count", "trigger_count"),
    ),
    setting(":ARM:COUNt", _COUNT, lambda i: i.arm_count, _put_count("arm_count", "trigger_count")),
    kept(":TRIGger:DELay", Number(0.0, 999.9999, 0.0, "S", _text), _self, "trigger_delay"),
    remembered(":TRIGger:SOURce", Choice("IMMediate", "TLINk"), "IMM"),
    remembered(":TRIGger:OUTPut", _TRIGGER_OUTPUT, "NONE"),
    remembered(":TRIGger:ILINe", _LINE, 1),
    remembered(":TRIGger:OLINe", _LINE, 2),
    accepted(":TRIGger:CLEar"),
    remembered(":ARM:SOURce", _ARM, "IMM"),
    remembered(":ARM:TIMer", Number(1e-3, 99999.99, 0.1, "S", _text), 0.1),
    remembered(":ARM:OUTPut", _ARM_OUTPUT, "NONE"),
    remembered(":ARM:ILINe", _LINE, 1),
    remembered(":ARM:OLINe", _LINE, 2),
    setting(
        ":TRACe:POINts",
        whole(1, trace.CAPACITY, 100),
        lambda i: i.trace.points,
        lambda i, n: setattr(i.trace, "points", int(n)),
    ),
    Command(":TRACe:POINts:ACTual", query=plain(lambda i: str(len(i.trace)))),
    Command(":TRACe:CLEar", plain(lambda i: i.trace.clear())),
    Command(":TRACe:DATA", query=plain(lambda i: trace.written(i, i.trace.rows()))),
    remembered(":TRACe:FEED", Choice("SENSe[1]", "SENSe", "CALCulate1", "CALCulate2"), "SENS"),
    Command(":TRACe:FEED:CONTrol", _feed, plain(lambda i: "NEXT" if i.trace.feeding else "NEV")),
    remembered(":TRACe:TSTamp:FORMat", Choice("ABSolute", "DELTa"), "ABS"),
    _third(
        kept(
            ":CALCulate#:FORMat",
            Choice("MEAN", "SDEViation", "MAXimum", "MINimum", "PKPK"),
            _self,
            "statistic",
        )
    ),
    _third(Command(":CALCulate#:DATA", query=plain(trace.statistic))),
    Command(":SYSTem:AZERo[:STATe]", _autozero, plain(lambda i: "1" if i.autozero else "0")),
    setting(":SYSTem:RSENse", _ON, lambda i: i.channel.senses["VOLT"].remote, lambda i, on: i.set_remote(on)),
    setting(
        ":SYSTem:LFRequency",
        whole(50, 60, 50),
        lambda i: i.words.get("line", i.line_frequency),
        lambda i, hertz: i.words.__setitem__("line", hertz),
    ),
    remembered(":SYSTem:LFRequency:AUTO", _ON, True),
    accepted(":SYSTem:TIME:RESet"),
    remembered(":DISPlay:ENABle", _ON, True),
    remembered(":STATus:MEASurement:ENABle", whole(0, 65535, 0), 0),
    Command("*STB", query=plain(_status_byte)),
)
