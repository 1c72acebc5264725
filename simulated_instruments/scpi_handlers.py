"""Handlers of SCPI commands in their simplest shapes: no parameters, one, a constant answer."""

from __future__ import annotations

from typing import Any

from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Parameter
from simulated_instruments.scpi_tree import Command


def only(arguments: tuple[str, ...], parameter: Parameter) -> Any:
    """Read exactly one parameter.

    Raises
    ------
    ScpiError
        -109 or -108 for none or several; what the parameter raises.
    """
    if len(arguments) != 1:
        raise ScpiError(-109 if not arguments else -108)
    return parameter.read(arguments[0])


def none(arguments: tuple[str, ...]) -> None:
    """Refuse parameters where none belongs (-108)."""
    if arguments:
        raise ScpiError(-108, arguments[0][:40])


def act(method: str) -> Any:
    """Make a handler without parameters from a method's name."""

    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        none(arguments)
        return getattr(instrument, method)()

    return handler


def constant(text: str) -> Any:
    """Make a query handler that always gives the same reply."""

    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        none(arguments)
        return text

    return handler


def accepted(header: str, *parameters: Parameter, least: int | None = None) -> Command:
    """Make a command that checks its parameters and changes nothing (beeper, display).

    Parameters
    ----------
    header, parameters
        What it takes, in order.
    least
        How many there must be; None for all.
    """
    needed = len(parameters) if least is None else least

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not needed <= len(arguments) <= len(parameters):
            raise ScpiError(-109 if len(arguments) < needed else -108)
        for parameter, argument in zip(parameters, arguments, strict=False):
            parameter.read(argument)

    return Command(header, write, takes=parameters if needed == len(parameters) else None)
