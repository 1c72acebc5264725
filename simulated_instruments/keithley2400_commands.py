"""The SCPI commands of the virtual Keithley 2400, but for its runs: source, sense, output, format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simulated_instruments import keithley2400_trace as trace
from simulated_instruments.keithley2400_parameters import LEVELS, LONG, text
from simulated_instruments.scpi import accepted, only
from simulated_instruments.scpi_commands import kept, plain, remembered, setting
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, whole
from simulated_instruments.scpi_tree import Command

_FUNCTION = Choice("VOLTage", "CURRent")
_MEASURED = Choice("VOLTage", "CURRent", "RESistance", "VOLTage:DC", "CURRent:DC", quoted=True)
_ON = Boolean()
_LIMITS = {"VOLT": Number(2e-4, 210.0, 21.0, "V", text), "CURR": Number(1e-9, 1.05, 105e-6, "A", text)}
_PROTECTION = Number(-210.0, 210.0, 210.0, "V", text)
_DELAY = Number(0.0, 9999.999, 0.0, "S", text)
_NPLC = Number(0.01, 10.0, 1.0, text="{:.2f}".format)
_MODE = Choice("FIXed", "LIST", "SWEep")
_OFF_STATE = Choice("HIMPedance", "NORMal", "ZERO", "GUARd")
_STEPS: Final = (20.0, 40.0, 60.0, 80.0, 100.0, 120.0, 160.0)


def _of_source(name: str) -> Iterator[Command]:
    """Commands of one source function."""
    at = f"[:SOURce[1]]:{LONG[name]}"

    def source(instrument: Any) -> Any:
        return instrument.channel.sources[name]

    for level in ("[:LEVel][:IMMediate][:AMPLitude]", "[:LEVel]:TRIGgered[:AMPLitude]"):
        yield setting(
            f"{at}{level}",
            LEVELS[name],
            lambda i: i.fixed[name],
            lambda i, value: i.set_level(name, value),
        )
    yield setting(
        f"{at}:RANGe",
        LEVELS[name],
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


def _of_sense(name: str) -> Iterator[Command]:
    """Commands of one measure function."""
    at = f":SENSe[1]:{LONG[name]}[:DC]"
    # without SENSe, VOLTage is the source's
    limit = f"[:SENSe[1]]:{LONG[name]}[:DC]:PROTection" if name == "CURR" else f"{at}:PROTection"

    def sense(instrument: Any) -> Any:
        return instrument.channel.senses[name]

    yield setting(
        f"{at}:RANGe[:UPPer]",
        LEVELS[name],
        lambda i: sense(i).range,
        lambda i, value: i.set_sense_range(name, value),
    )
    yield kept(f"{at}:RANGe:AUTO", _ON, sense, "auto", lambda i: i.channel.apply())
    yield setting(f"{at}:NPLCycles", _NPLC, lambda i: sense(i).nplc, lambda i, n: i.set_nplc(n))
    yield setting(
        f"{limit}[:LEVel]",
        _LIMITS[name],
        lambda i: i.limit_of(name),
        lambda i, value: i.set_limit(name, value),
    )
    yield Command(
        f"{limit}:TRIPped",
        query=plain(lambda i: "1" if i.tripped(name) else "0"),
    )
    yield Command(f":MEASure:{LONG[name]}[:DC]", query=_measure(name))
    yield Command(f":CONFigure:{LONG[name]}[:DC]", plain(lambda i: i.configure(name)))


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
    return text(min(instrument.channel.protection, 210.0))


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


def _status_byte(instrument: Any) -> str:
    """Status byte with the measurement event "buffer full", which PyMeasure polls."""
    byte = (1 if instrument.buffer_full else 0) | (4 if len(instrument.errors) else 0)
    return str(byte | (64 if byte & instrument.service_enable else 0))


def _self(instrument: Any) -> Any:
    return instrument


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
    Command(":SENSe[1]:FUNCtion[:ON]", _sense_writer(True), plain(_sensed)),
    Command(":SENSe[1]:FUNCtion[:ON]:ALL", plain(lambda i: i.sense(frozenset(("VOLT", "CURR", "RES"))))),
    Command(":SENSe[1]:FUNCtion:OFF", _sense_writer(False)),
    Command(
        ":SENSe[1]:FUNCtion:OFF:ALL", plain(lambda i: i.sense(frozenset(("VOLT", "CURR", "RES")), False))
    ),
    kept(":SENSe[1]:FUNCtion:CONCurrent", _ON, _self, "concurrent"),
    remembered(":SENSe[1]:RESistance:MODE", Choice("MANual", "AUTO"), "AUTO"),
    remembered(":SENSe[1]:RESistance:RANGe", Number(0.0, 210e6, 210e3, "OHM", text), 210e3),
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
    setting(":OUTPut[1][:STATe]", _ON, lambda i: i.channel.output, lambda i, on: i.set_output(on)),
    kept(":OUTPut[1]:SMODe", _OFF_STATE, lambda i: i.channel, "off_state", lambda i: i.channel.apply()),
    remembered(":ROUTe:TERMinals", Choice("FRONt", "REAR"), "FRON"),
    Command(":FORMat:ELEMents[:SENSe[1]]", _elements, plain(lambda i: ",".join(i.elements))),
    kept(":FORMat[:DATA]", Choice("ASCii", "REAL", "SREal"), _self, "format"),
    kept(":FORMat:BORDer", Choice("NORMal", "SWAPped"), _self, "byte_order"),
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
