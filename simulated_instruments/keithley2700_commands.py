"""The SCPI commands of the virtual Keithley 2700, one table, and its channel lists."""

from __future__ import annotations

import re
from typing import Any, Final

from simulated_instruments.scpi import accepted, act, constant, only
from simulated_instruments.scpi_commands import plain, remembered, setting
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_housekeeping import always_off, front_panel, status_groups, status_queue
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, Text, whole
from simulated_instruments.scpi_tree import Command

_PIECE: Final = re.compile(r"(\d{3})(?::(\d{3}))?")


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
_ONE = whole(1, 1, 1)
"""One reading at a time is simulated."""
_NPLC = Number(0.01, 50.0, 5.0)
_VOLTS = Number(0.0, 1010.0, 1000.0, "V")
_ELEMENTS = Choice("READing")
"""The others (time stamp, channel, units) are not simulated."""
_FUNCTION = Choice(
    "VOLTage", "VOLTage:DC", "VOLTage:AC", "CURRent", "RESistance", "FRESistance", "TEMPerature", quoted=True
)


def _with_list(method: str) -> Any:
    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        getattr(instrument, method)(only(arguments, _LIST))

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


def _measure(instrument: Any) -> str:
    return f"{instrument.measure():+.8E}"


COMMANDS: Final = (
    Command("*OPT", query=plain(_cards)),
    Command(":ROUTe:MULTiple:CLOSe", _with_list("close"), plain(lambda i: _LIST.write(i.closed())), (_LIST,)),
    Command(":ROUTe:MULTiple:CLOSe:STATe", query=_state),
    Command(":ROUTe:MULTiple:STATe", query=_state),
    Command(":ROUTe:MULTiple:OPEN", _with_list("open"), takes=(_LIST,)),
    Command(":ROUTe:OPEN:ALL", act("open_all"), takes=()),
    Command(":ROUTe:CLOSe", _close_system, plain(_system)),
    Command("[:SENSe]:FUNCtion", _set_function, plain(lambda i: f'"{i.function}"')),
    *(Command(header, query=plain(_measure)) for header in (":READ", ":FETCh", ":MEASure[:VOLTage][:DC]")),
    remembered(":INITiate:CONTinuous", _ON, False),
    remembered(":FORMat:ELEMents", _ELEMENTS, "READ"),
    setting(":DISPlay:TEXT:DATA", Text(12), lambda i: i.text, lambda i, text: setattr(i, "text", text)),
    setting(":DISPlay:TEXT:STATe", _ON, lambda i: i.text_shown, lambda i, on: setattr(i, "text_shown", on)),
    *front_panel(),
    *status_queue(),
    *status_groups(("OPERation", "QUEStionable", "MEASurement")),
    *always_off(
        "[:SENSe]:VOLTage[:DC]:AVERage[:STATe]",
        ":ROUTe:MONitor[:STATe]",
        "[:SENSe]:VOLTage[:DC]:REFerence:STATe",
    ),
    setting("[:SENSe]:VOLTage[:DC]:NPLCycles", _NPLC, lambda i: i.nplc, lambda i, n: setattr(i, "nplc", n)),
    remembered("[:SENSe]:VOLTage[:DC]:RANGe[:UPPer]", _VOLTS, 1000.0),
    remembered("[:SENSe]:VOLTage[:DC]:RANGe:AUTO", _ON, True),
    remembered("[:SENSe]:VOLTage[:DC]:DIGits", whole(4, 7, 7), 7),
    remembered(":TRIGger:SOURce", Choice("IMMediate"), "IMM"),
    remembered(":TRIGger:COUNt", _ONE, 1.0),
    remembered(":TRIGger:DELay", Number(0.0, 0.0, 0.0, "S"), 0.0),
    remembered(":TRIGger:DELay:AUTO", _ON, True),
    remembered(":SAMPle:COUNt", _ONE, 1.0),
    remembered(":ROUTe:SCAN:LSELect", Choice("NONE"), "NONE"),
    remembered(":FORMat[:DATA]", Choice("ASCii"), "ASC"),
    remembered(":FORMat:BORDer", Choice("NORMal", "SWAPped"), "NORM"),
    remembered(":UNIT:TEMPerature", Choice("C", "F", "K"), "C"),
    remembered(":SYSTem:AZERo[:STATe]", _ON, True),
    remembered(":SYSTem:POSetup", Choice("RST", "PRESet", "SAV0", "SAV1", "SAV2", "SAV3"), "PRES"),
    remembered(":SYSTem:TSTamp:TYPE", Choice("RELative", "RTCLock"), "REL"),
    remembered(":DISPlay:ENABle", _ON, True),
    Command(":SYSTem:LFRequency", query=constant("50")),
    Command(":CONFigure:VOLTage[:DC]", plain(lambda i: setattr(i, "function", "VOLT")), takes=()),
    Command(":CONFigure", query=plain(lambda i: f'"{i.function}"')),
    accepted(":ABORt"),
    Command(":SYSTem:PRESet", act("reset"), takes=()),
)
