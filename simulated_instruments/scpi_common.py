"""IEEE 488.2 and SCPI commands that every SCPI instrument has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulated_instruments.scpi_handlers import accepted, act, constant, none, only
from simulated_instruments.scpi_parameters import Number, whole
from simulated_instruments.scpi_tree import Command

if TYPE_CHECKING:
    from simulated_instruments.scpi import ScpiInstrument

_BYTE: Final = whole(0, 255, 0)
_TONE: Final = Number(0.0, 2e6, 1e3)


def _identify(instrument: ScpiInstrument) -> str:
    return f"{instrument.identity},{instrument.alias.upper()},SIM1.0"


def _status_byte(instrument: ScpiInstrument) -> str:
    byte = (4 if len(instrument.errors) else 0) | (
        32 if instrument.event_status & instrument.event_enable else 0
    )
    return str(byte | (64 if byte & instrument.service_enable else 0))


def _event_status(instrument: ScpiInstrument) -> str:
    value, instrument.event_status = instrument.event_status, 0
    return str(value)


def _clear(instrument: ScpiInstrument) -> None:
    instrument.errors.clear()
    instrument.event_status = 0


def _operation_complete(instrument: ScpiInstrument) -> None:
    instrument.complete()
    instrument.event_status |= 1


def _plain(function: Callable[[Any], Any]) -> Any:
    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        none(arguments)
        return function(instrument)

    return handler


def _reset(instrument: ScpiInstrument) -> None:
    instrument.words.clear()
    instrument.reset()


def _wait_then_one(instrument: ScpiInstrument) -> str:
    instrument.complete()
    return "1"


def _register(name: str) -> tuple[Any, Any]:
    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        setattr(instrument, name, int(only(arguments, _BYTE)))

    return write, _plain(lambda instrument: str(getattr(instrument, name)))


def _next_errors(instrument: ScpiInstrument) -> str:
    return ",".join([instrument.errors.pop() for _ in range(max(1, len(instrument.errors)))])


COMMON: Final = (
    Command("*IDN", query=_plain(_identify)),
    Command("*RST", _plain(_reset), takes=()),
    Command("*CLS", _plain(_clear), takes=()),
    Command("*OPC", _plain(_operation_complete), _plain(_wait_then_one), ()),
    Command("*WAI", act("complete"), takes=()),
    Command("*TRG", act("trigger"), takes=()),
    Command("*TST", query=constant("0")),
    Command("*STB", query=_plain(_status_byte)),
    Command("*ESR", query=_plain(_event_status)),
    Command("*ESE", *_register("event_enable"), (_BYTE,)),
    Command("*SRE", *_register("service_enable"), (_BYTE,)),
    Command(":SYSTem:ERRor[:NEXT]", query=_plain(lambda instrument: instrument.errors.pop())),
    Command(":SYSTem:ERRor:COUNt", query=_plain(lambda instrument: str(len(instrument.errors)))),
    Command(":SYSTem:ERRor:ALL", query=_plain(_next_errors)),
    Command(":SYSTem:CLEar", _plain(lambda instrument: instrument.errors.clear()), takes=()),
    Command(":SYSTem:VERSion", query=constant("1999.0")),
    accepted(":SYSTem:BEEPer[:IMMediate]", _TONE, _TONE, least=0),
    accepted(":STATus:PRESet"),
)
"""IEEE 488.2 and SCPI commands that every model has."""
