"""The commonest shapes of SCPI commands, made from getters and setters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulated_instruments.scpi import none, only
from simulated_instruments.scpi_parameters import Parameter
from simulated_instruments.scpi_tree import Command

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


def setting(header: str, parameter: Parameter, get: Getter, put: Setter) -> Command:
    """Make a command with its query; the query answers MIN, MAX and DEF too."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        put(instrument, only(arguments, parameter))

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        if arguments:
            return parameter.write(parameter.special(arguments[0]))
        return parameter.write(get(instrument))

    return Command(header, write, query, (parameter,))


def remembered(header: str, parameter: Parameter, default: Any) -> Command:
    """Make a setting that is kept and answered, and changes nothing in the simulation."""
    return setting(
        header,
        parameter,
        lambda instrument: instrument.words.get(header, default),
        lambda instrument, value: instrument.words.__setitem__(header, value),
    )


def kept(header: str, parameter: Parameter, where: Getter, name: str, after: Any = None) -> Command:
    """Make a command that keeps its value in an attribute, and then does ``after(instrument)``."""

    def put(instrument: Any, value: Any) -> None:
        setattr(where(instrument), name, value)
        if after is not None:
            after(instrument)

    return setting(header, parameter, lambda instrument: getattr(where(instrument), name), put)


def plain(function: Getter) -> Any:
    """Make a handler without parameters."""

    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        none(arguments)
        return function(instrument)

    return handler
