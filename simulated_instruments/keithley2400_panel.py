"""What the virtual Keithley 2400 is told besides sourcing and measuring: panel, status, trace memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from simulated_instruments.keithley2400_runs import RUNS
from simulated_instruments.scpi import accepted, act
from simulated_instruments.scpi_commands import numbered, plain, remembered
from simulated_instruments.scpi_housekeeping import (
    always_off,
    error_codes,
    front_panel,
    status_groups,
    status_queue,
)
from simulated_instruments.scpi_parameters import Boolean, Choice, Text, whole
from simulated_instruments.scpi_tree import Command

_ON = Boolean()
_SWEEPING, _IDLE, _BUFFER_FULL = 1 << 3, 1 << 10, 1 << 9
"""Bits of the operation and of the measurement status (manual, figures 15-4 and 15-5)."""
_TEXT = Text(32)


def _operation(instrument: Any) -> int:
    return _IDLE if instrument.channel.running is None else _SWEEPING


def _measurement(instrument: Any) -> int:
    return _BUFFER_FULL if instrument.buffer_full else 0


def _free(instrument: Any) -> str:
    """Answer ``:TRACe:FREE?``: places that are free, and those in use."""
    used = len(instrument.trace)
    return f"{instrument.trace.points - used}, {used}"


def _configured(instrument: Any) -> str:
    return f'"{(sorted(instrument.measured) or ["CURR"])[0]}"'


def _data_names() -> Iterator[Command]:
    """Give every command of ``TRACe`` its second name, ``DATA``."""
    for command in RUNS:
        if command.header.startswith(":TRACe"):
            yield replace(command, header=command.header.replace(":TRACe", ":DATA", 1))


PANEL: Final = (
    *front_panel(),
    *status_queue(),
    *error_codes(),
    *status_groups(
        ("OPERation", "QUEStionable", "MEASurement"), OPERation=_operation, MEASurement=_measurement
    ),
    *_data_names(),
    *always_off(":SENSe[1]:RESistance:OCOMpensated", ":CALCulate[1]:STATe", ":OUTPut[1]:ENABle[:STATe]"),
    Command(":TRACe:FREE", query=plain(_free)),
    Command(":CONFigure", query=plain(_configured)),
    Command(":SYSTem:PRESet", act("reset"), takes=()),
    remembered(":SYSTem:MEP[:STATe]", _ON, True),
    remembered(":SYSTem:POSetup", Choice("RST", "PRESet", "SAV0", "SAV1", "SAV2", "SAV3", "SAV4"), "PRES"),
    remembered(":SYSTem:GUARd", Choice("OHMS", "CABLe"), "CABL"),
    remembered(":SYSTem:RCMode", Choice("SINGle", "MULTiple"), "SING"),
    remembered(":SYSTem:TIME:RESet:AUTO", _ON, False),
    remembered(":FORMat:SREGister", Choice("ASCii"), "ASC"),
    remembered(":TRIGger:INPut", Choice("NONE"), "NONE"),
    remembered(":ARM:DIRection", Choice("ACCeptor", "SOURce"), "ACC"),
    remembered(":DISPlay:DIGits", whole(4, 7, 6), 6),
    accepted(":DISPlay:CNDisplay"),
    remembered(":DISPlay:TEXT[:DATA]", _TEXT, ""),
    remembered(":DISPlay:TEXT:STATe", _ON, False),
    numbered(":DISPlay:WINDow#:TEXT[:DATA]", 2, _TEXT, ""),
    numbered(":DISPlay:WINDow#:TEXT:STATe", 2, _ON, False),
)
