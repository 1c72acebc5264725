"""The commonest shapes of SCPI commands, made from getters and setters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from simulated_instruments.scpi import none, only
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Number, Parameter
from simulated_instruments.scpi_tree import Command

LIST_CHUNK: Final = 100
LIST_CAPACITY: Final = 2500
"""Levels a command, and in all (Keithley 2400 and 2450)."""

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


def setting(header: str, parameter: Parameter, get: Getter, put: Setter) -> Command:
    """Make a command with its query; the query answers MIN, MAX and DEF too."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        put(instrument, read(arguments[0]) if len(arguments) == 1 else only(arguments, parameter))

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        if arguments:
            return parameter.write(parameter.special(arguments[0]))
        return parameter.write(get(instrument))

    read = parameter.read
    return Command(header, write, query, (parameter,))


def remembered(header: str, parameter: Parameter, default: Any) -> Command:
    """Make a setting that is kept and answered, and changes nothing in the simulation."""
    return setting(
        header,
        parameter,
        lambda instrument: instrument.words.get(header, default),
        lambda instrument, value: instrument.words.__setitem__(header, value),
    )


def numbered(header: str, last: int, parameter: Parameter, default: Any) -> Command:
    """Make as many such settings, by the suffix of the header's one ``#`` node, from 1 to ``last``."""

    def key(suffixes: tuple[int, ...]) -> str:
        if not 1 <= suffixes[-1] <= last:
            raise ScpiError(-114, f"{header}: 1 to {last}")
        return f"{header}{suffixes[-1]}"

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        instrument.words[key(suffixes)] = only(arguments, parameter)

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> str:
        none(arguments)
        return parameter.write(instrument.words.get(key(suffixes), default))

    return Command(header, write, query, (parameter,))


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


def list_commands(header: str, name: str, parameter: Number, empty: str = "") -> Iterator[Command]:
    """Make the commands of ``instrument.lists[name]``: replace, append, ask, count.

    Parameters
    ----------
    empty
        What the question for an empty list is answered with.
    """
    yield Command(
        header,
        _list_writer(name, parameter, append=False),
        plain(lambda i: ",".join(map(parameter.write, i.lists[name])) or empty),
    )
    yield Command(f"{header}:APPend", _list_writer(name, parameter, append=True))
    yield Command(f"{header}:POINts", query=plain(lambda i: str(len(i.lists[name]))))


def _list_writer(name: str, parameter: Number, append: bool) -> Any:
    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not arguments:
            raise ScpiError(-109)
        if len(arguments) > LIST_CHUNK:
            raise ScpiError(-223, f"{len(arguments)} values; {LIST_CHUNK} a command")
        values = parameter.read_all(arguments)
        before = instrument.lists[name] if append else []
        if len(before) + len(values) > LIST_CAPACITY:
            raise ScpiError(-223, f"{LIST_CAPACITY} values in all")
        instrument.lists[name] = before + values

    return write
