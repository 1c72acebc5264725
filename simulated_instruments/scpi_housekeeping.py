"""What many SCPI instruments can be told besides their work: front panel, status, functions that are off.

Other people's drivers send these as a matter of course. What changes nothing that is simulated is kept and
answered; what would change what is sourced or read, and is not simulated, may be switched off only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simulated_instruments.scpi import accepted, constant
from simulated_instruments.scpi_commands import plain, remembered
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, whole
from simulated_instruments.scpi_tree import Command

_REGISTER = whole(0, 65535, 0)


class Off(Boolean):
    """A switch of something that is not simulated: -221 for whoever turns it on."""

    def read(self, text: str) -> bool:
        """Read it; only off is there."""
        if super().read(text):
            raise ScpiError(-221, "not simulated")
        return False


OFF = Off()


def always_off(*headers: str) -> Iterator[Command]:
    """Make the switches of functions that are not simulated."""
    for header in headers:
        yield remembered(header, OFF, False)


def front_panel() -> Iterator[Command]:
    """Make the commands of local and remote operation, and of the beeper's switch."""
    for header in (":SYSTem:LOCal", ":SYSTem:REMote", ":SYSTem:RWLock"):
        yield accepted(header)
    yield remembered(":SYSTem:BEEPer:STATe", Boolean(), True)


def status_groups(names: Iterable[str], **conditions: Callable[[Any], int]) -> Iterator[Command]:
    """Make the register groups of ``STATus``.

    Parameters
    ----------
    names
        As manuals print them: ``"OPERation"``.
    conditions
        What a group's condition register says, by the group's name; 0 without. An event register says what
        the condition is: events that have passed by are not kept.
    """
    for name in names:
        at = f":STATus:{name}"
        answer = plain(_shown(conditions[name])) if name in conditions else constant("0")
        yield Command(f"{at}[:EVENt]", query=answer)
        yield Command(f"{at}:CONDition", query=answer)
        yield remembered(f"{at}:ENABle", _REGISTER, 0)


def _shown(condition: Callable[[Any], int]) -> Callable[[Any], str]:
    return lambda instrument: str(condition(instrument))


def status_queue() -> Iterator[Command]:
    """Make the second names of the error queue."""
    yield Command(":STATus:QUEue:CLEar", plain(lambda instrument: instrument.errors.clear()), takes=())
    yield Command(":STATus:QUEue[:NEXT]", query=plain(lambda instrument: instrument.errors.pop()))


def error_codes() -> Iterator[Command]:
    """Make the questions for the numbers of the error queue alone."""
    yield Command(":SYSTem:ERRor:CODE[:NEXT]", query=plain(_next_code))
    yield Command(":SYSTem:ERRor:CODE:ALL", query=plain(_all_codes))


def _next_code(instrument: Any) -> str:
    code: str = instrument.errors.pop().partition(",")[0]
    return code


def _all_codes(instrument: Any) -> str:
    return ",".join([_next_code(instrument) for _ in range(max(1, len(instrument.errors)))])
