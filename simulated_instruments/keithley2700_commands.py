"""The SCPI commands of the virtual Keithley 2700, one table, and its channel lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from simulated_instruments.scpi import act, constant, ignore, none, only
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Parameter, unquote
from simulated_instruments.scpi_tree import Command

_PIECE: Final = re.compile(r"(\d{3})(?::(\d{3}))?")
_LONGEST: Final = 12


class ChannelList(Parameter):
    """``(@101,103:105)``: channels and ranges of channels."""

    def read(self, text: str) -> list[int]:
        """Read it."""
        inside = re.fullmatch(r"\(\s*@(.*)\)", text)
        if inside is None:
            raise ScpiError(-104, text[:40])
        channels: list[int] = []
        for piece in inside[1].split(","):
            match = _PIECE.fullmatch(piece.strip()) if piece.isascii() else None
            if match is None:
                raise ScpiError(-102, piece[:40])
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first:
                raise ScpiError(-222, piece[:40])
            channels += range(first, last + 1)
        return channels

    def write(self, value: list[int]) -> str:
        """Write it."""
        return f"(@{','.join(map(str, value))})"


_LIST = ChannelList()
_ON = Boolean()
_FUNCTION = Choice(
    "VOLTage", "VOLTage:DC", "VOLTage:AC", "CURRent", "RESistance", "FRESistance", "TEMPerature", quoted=True
)


def _with_list(method: str) -> Any:
    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        getattr(instrument, method)(only(arguments, _LIST))

    return handler


def _bare(function: Callable[[Any], str]) -> Any:
    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        none(arguments)
        return function(instrument)

    return handler


def _state(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
    asked, closed = only(arguments, _LIST), instrument.closed()
    instrument.numbers(asked)
    return ", ".join("1" if channel in closed else "0" for channel in asked)


def _close_system(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    channels = only(arguments, _LIST)
    if len(channels) != 1:
        raise ScpiError(-223, "one system channel at a time")
    instrument.close_system(channels[0])


def _system(instrument: Any) -> str:
    return _LIST.write([] if instrument.system is None else [instrument.system])


def _cards(instrument: Any) -> str:
    return "7709,NONE" if instrument.slot == 1 else "NONE,7709"


def _set_function(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.function = only(arguments, _FUNCTION).removesuffix(":DC")


def _set_text(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    if len(arguments) != 1:
        raise ScpiError(-109 if not arguments else -108)
    text = unquote(arguments[0])
    if text == arguments[0] or len(text) > _LONGEST:
        raise ScpiError(-151, f"a string of at most {_LONGEST} characters")
    instrument.text = text


def _show_text(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    instrument.text_shown = only(arguments, _ON)


def _measure(instrument: Any) -> str:
    return f"{instrument.measure():+.8E}"


COMMANDS: Final = (
    Command("*OPT", query=_bare(_cards)),
    Command(":ROUTe:MULTiple:CLOSe", _with_list("close"), _bare(lambda i: _LIST.write(i.closed()))),
    Command(":ROUTe:MULTiple:CLOSe:STATe", query=_state),
    Command(":ROUTe:MULTiple:STATe", query=_state),
    Command(":ROUTe:MULTiple:OPEN", _with_list("open")),
    Command(":ROUTe:OPEN:ALL", act("open_all")),
    Command(":ROUTe:CLOSe", _close_system, _bare(_system)),
    Command("[:SENSe]:FUNCtion", _set_function, _bare(lambda i: f'"{i.function}"')),
    *(Command(header, query=_bare(_measure)) for header in (":READ", ":FETCh", ":MEASure[:VOLTage][:DC]")),
    Command(":INITiate:CONTinuous", ignore, constant("0")),
    Command(":FORMat:ELEMents", ignore, constant("READ")),
    Command(":DISPlay:TEXT:DATA", _set_text, _bare(lambda i: f'"{i.text}"')),
    Command(":DISPlay:TEXT:STATe", _show_text, _bare(lambda i: _ON.write(i.text_shown))),
    Command(":STATus:QUEue:CLEar", _bare(lambda i: i.errors.clear())),
    Command(":STATus:QUEue[:NEXT]", query=_bare(lambda i: i.errors.pop())),
    Command(":SYSTem:PRESet", act("reset")),
)
