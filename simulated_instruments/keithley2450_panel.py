"""What the virtual Keithley 2450 is told besides sourcing and measuring: panel, status, event log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from simulated_instruments.scpi import accepted, constant
from simulated_instruments.scpi_commands import numbered, plain, remembered
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_housekeeping import always_off, error_codes, status_groups
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Text, whole
from simulated_instruments.scpi_tree import Command

_ON = Boolean()
_DIGITS = whole(3, 6, 5)
_EVENTS = Choice("ALL", "ERRor", "WARNing", "INFormation")
_UNITS: Final = {"VOLTage": "VOLT", "CURRent": "AMP", "RESistance": "OHM"}
"""Of each measure function; the others (ohm of a current, watt) are not simulated."""


def _of_measuring(long: str, unit: str) -> Iterator[Command]:
    """Commands of one measure function."""
    at = f"[:SENSe[1]]:{long}" + ("" if long == "RESistance" else "[:DC]")
    yield from always_off(
        f"{at}:OCOMpensated", f"{at}:RELative:STATe", f":CALCulate[1]:{long}[:DC]:MATH:STATe"
    )
    yield remembered(f"{at}:RELative", Number(-210e6, 210e6, 0.0), 0.0)
    yield remembered(f"{at}:UNIT", Choice(unit), unit)
    yield remembered(f"{at}:RANGe:AUTO:LLIMit", Number(0.0, 210e6, 0.0), 0.0)
    yield remembered(f":DISPlay:{long}[:DC]:DIGits", _DIGITS, 5)
    if long != "RESistance":
        yield remembered(f":SOURce[1]:{long}:HIGH:CAPacitance", _ON, False)


def _which(arguments: tuple[str, ...]) -> str:
    if len(arguments) > 1:
        raise ScpiError(-108, arguments[1][:40])
    return str(_EVENTS.read(arguments[0])) if arguments else "ALL"


def _count_events(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
    """Answer ``:SYSTem:EVENtlog:COUNt? [which]``; there are errors only."""
    return str(len(instrument.errors)) if _which(arguments) in ("ALL", "ERR") else "0"


def _next_event(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
    return str(instrument.errors.pop()) if _which(arguments) in ("ALL", "ERR") else '0,"No error"'


PANEL: Final = (
    *(command for long, unit in _UNITS.items() for command in _of_measuring(long, unit)),
    *error_codes(),
    *status_groups(("OPERation", "QUEStionable")),
    accepted(":STATus:CLEar"),
    Command(":SYSTem:EVENtlog:COUNt", query=_count_events),
    Command(":SYSTem:EVENtlog[:NEXT]", query=_next_event),
    accepted(":SENSe[1]:AZERo:ONCE"),
    remembered(":SYSTem:ACCess", Choice("FULL", "EXCLusive", "PROTected", "LOCKout"), "FULL"),
    remembered(":SYSTem:POSetup", Choice("RST", "SAV0", "SAV1", "SAV2", "SAV3", "SAV4"), "RST"),
    remembered(":SYSTem:GPIB:ADDRess", whole(1, 30, 18), 18),
    Command(":OUTPut[1]:INTerlock:TRIPped", query=constant("0")),
    accepted(":DISPlay:CLEar"),
    numbered(":DISPlay:USER#:TEXT[:DATA]", 2, Text(32), ""),
    remembered(":DISPlay:READing:FORMat", Choice("PREFix", "EXPonent"), "PREF"),
    Command(
        ":SOURce[1]:VOLTage:PROTection[:LEVel]:TRIPped", query=plain(lambda i: "1" if i.protected else "0")
    ),
)
