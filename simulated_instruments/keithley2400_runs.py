"""Runs of the virtual Keithley 2400: lists and staircases, the trigger model, the trace buffer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from simulated_instruments import keithley2400_trace as trace
from simulated_instruments.keithley2400_parameters import LEVELS, LONG, text
from simulated_instruments.scpi import accepted, act, only
from simulated_instruments.scpi_commands import LIST_CAPACITY, kept, list_commands, plain, remembered, setting
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Choice, Number, whole
from simulated_instruments.scpi_tree import Command

_ABORT = Choice("NEVer", "EARLy", "LATE")
_COUNT = whole(1, 2500, 1)
_ARM = Choice("IMMediate", "TLINk", "TIMer", "MANual", "BUS", "NSTest", "PSTest", "BSTest")
_TRIGGER_OUTPUT = Choice("SOURce", "DELay", "SENSe", "NONE")
_ARM_OUTPUT = Choice("TENTer", "TEXit", "NONE")
_LINE = whole(1, 4, 1)


def _of_levels(name: str) -> Iterator[Command]:
    """Commands of a source function's list and staircase."""
    at = f"[:SOURce[1]]:{LONG[name]}"
    for place, word in enumerate(("STARt", "STOP")):
        yield setting(f"{at}:{word}", LEVELS[name], _span(name, place), _put_span(name, place))
    yield setting(f"{at}:STEP", LEVELS[name], _step(name), _put_step(name))
    yield from list_commands(f"[:SOURce[1]]:LIST:{LONG[name]}", name, LEVELS[name])


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


def _put_count(name: str, other: str) -> Callable[[Any, float], None]:
    def put(instrument: Any, value: float) -> None:
        if value * getattr(instrument, other) > LIST_CAPACITY:
            raise ScpiError(-222, f"{LIST_CAPACITY} points in all")
        setattr(instrument, name, int(value))

    return put


def _feed(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.trace.feeding = only(arguments, Choice("NEXT", "NEVer")) == "NEXT"


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


RUNS: Final = (
    *_of_levels("VOLT"),
    *_of_levels("CURR"),
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
    Command(":INITiate[:IMMediate]", act("initiate")),
    Command(":ABORt", act("abort")),
    setting(":TRIGger:COUNt", _COUNT, lambda i: i.trigger_count, _put_count("trigger_count", "arm_count")),
    setting(
        ":ARM[:SEQuence[1]][:LAYer[1]]:COUNt",
        _COUNT,
        lambda i: i.arm_count,
        _put_count("arm_count", "trigger_count"),
    ),
    setting(":ARM:COUNt", _COUNT, lambda i: i.arm_count, _put_count("arm_count", "trigger_count")),
    kept(":TRIGger:DELay", Number(0.0, 999.9999, 0.0, "S", text), _self, "trigger_delay"),
    remembered(":TRIGger:SOURce", Choice("IMMediate", "TLINk"), "IMM"),
    remembered(":TRIGger:OUTPut", _TRIGGER_OUTPUT, "NONE"),
    remembered(":TRIGger:ILINe", _LINE, 1),
    remembered(":TRIGger:OLINe", _LINE, 2),
    accepted(":TRIGger:CLEar"),
    remembered(":ARM:SOURce", _ARM, "IMM"),
    remembered(":ARM:TIMer", Number(1e-3, 99999.99, 0.1, "S", text), 0.1),
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
    remembered(":TRACe:FEED", Choice("SENSe1", "SENSe", "CALCulate1", "CALCulate2"), "SENS"),
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
)
