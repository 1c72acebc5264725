"""What TSP values are in Python, and the objects of an instrument that commands act on.

nil is None; numbers are floats; a table is :class:`Table`; instrument objects are :class:`TspObject`;
functions are Python callables from a list of arguments to a list of results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from simulated_instruments.tsp_errors import runtime, too_big, too_small

Function = Callable[[list[Any]], list[Any]]


class Table:
    """A Lua table; only numbers and strings are keys."""

    def __init__(self) -> None:
        self.items: dict[Any, Any] = {}

    def append(self, value: Any) -> None:
        """Put a value behind the last."""
        self.items[float(self.length() + 1)] = value

    def length(self) -> int:
        """Return ``table.getn``."""
        count = len(self.items)
        while count and float(count) not in self.items:
            count -= 1
        return count

    def numbers(self) -> list[float]:
        """Return its numbers in order."""
        return [as_number(self.items[float(k)]) for k in range(1, self.length() + 1)]


class Attribute(NamedTuple):
    """A value of an instrument that is read and, unless ``put`` is None, assigned."""

    get: Callable[[], Any]
    put: Callable[[Any], None] | None = None


def remembered(words: dict[str, float], name: str, default: float, low: float, high: float) -> Attribute:
    """Make a number that is kept in ``words`` and answered, and changes nothing in the simulation."""

    def put(value: Any) -> None:
        words[name] = bounded(float(value) if isinstance(value, bool) else value, low, high, name)

    return Attribute(lambda: words.get(name, default), put)


class TspObject:
    """A part of the instrument: ``smua.source``, ``format``.

    Parameters
    ----------
    name
        As a script writes it.
    members
        Attributes, constants (numbers, strings), functions and further objects, by name.
    """

    def __init__(self, name: str, members: Mapping[str, Any]) -> None:
        self.name = name
        self.members = dict(members)

    def read(self, key: Any) -> Any:
        """Return a member's value; an unknown one is an error."""
        if key not in self.members:
            raise runtime(f"{self.name} has no `{describe(key)}'")
        member = self.members[key]
        return member.get() if isinstance(member, Attribute) else member

    def write(self, key: Any, value: Any) -> None:
        """Assign an attribute."""
        member = self.members.get(key)
        if not isinstance(member, Attribute) or member.put is None:
            raise runtime(f"cannot assign {self.name}.{describe(key)}")
        member.put(value)


def describe(value: Any) -> str:
    """Write a value for a message."""
    return value if isinstance(value, str) else repr(value)


def truth(value: Any) -> bool:
    """Tell what Lua holds for true: all but nil and false."""
    return value is not None and value is not False


def as_number(value: Any) -> float:
    """Read a number, also one in a string, as Lua does."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise runtime(f"a number is needed, not `{describe(value)}'")


def bounded(value: Any, low: float, high: float, what: str) -> float:
    """Read a number between bounds; NaN is refused."""
    number = as_number(value)
    if number < low:
        raise too_small(what)
    if not number <= high:
        raise too_big(what)
    return number


def chosen(value: Any, allowed: Mapping[float, Any], what: str) -> Any:
    """Read one of some numbers, and return what it stands for; true and false are 1 and 0."""
    number = float(value) if isinstance(value, bool) else as_number(value)
    if number not in allowed:
        raise too_big(what) if number > max(allowed) else too_small(what)
    return allowed[number]


def as_text(value: Any, precision: int) -> str:
    """Write a value as ``print`` does: numbers with ``format.asciiprecision`` digits."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, int)):  # a script knows one kind of number
        return number_text(value, precision)
    return value if isinstance(value, str) else f"{type(value).__name__.lower()}: {id(value):08x}"


def number_text(value: float, precision: int) -> str:
    """Write one number."""
    if math.isnan(value):
        return "nan"
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else f"{value:.{max(precision, 1) - 1}e}"
