"""What a running TSP chunk has at hand: names, output, and an end to endless loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_values import Table, TspObject, describe

MOST_STEPS: Final = 1_000_000
"""Statements after which a chunk is given up; a real instrument would run on."""


class Break(Exception):
    """``break`` leaves the innermost loop."""


class Aborted(Exception):
    """The command ``abort`` ends a chunk where it stands; that is no error."""


class Budget:
    """Statements that a chunk may still do, and calls that are open in it; its functions share it."""

    def __init__(self) -> None:
        self.steps = 0
        self.calls = 0


class Run:
    """One execution of a chunk, or of a function in it.

    Parameters
    ----------
    names
        The instrument's objects and functions; a script may not replace them.
    variables
        Global variables, kept from chunk to chunk.
    aborted
        Asked before each statement: whether ``abort`` has come.
    budget
        Shared by all that runs for one message.
    around
        The local variables that a function sees beside its own, innermost first.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        variables: dict[str, Any],
        aborted: Callable[[], bool],
        budget: Budget,
        around: tuple[dict[str, Any], ...] = (),
    ) -> None:
        self._names, self._variables, self._aborted = names, variables, aborted
        self._locals: dict[str, Any] = {}
        self._around = around
        self.budget = budget

    def inner(self) -> Run:
        """Return the run of a function that was made here: it sees these variables."""
        around = (self._locals, *self._around)
        return Run(self._names, self._variables, self._aborted, self.budget, around)

    def step(self) -> None:
        """Count one statement.

        Raises
        ------
        TspError
            -286 after a million.
        Aborted
            When ``abort`` has come.
        """
        self.budget.steps += 1
        if self.budget.steps > MOST_STEPS:
            raise runtime("the chunk does not come to an end")
        if self._aborted():
            raise Aborted

    def name(self, name: str) -> Any:
        """Return a variable; nil where there is none."""
        for known in (self._locals, *self._around, self._names, self._variables):
            if name in known:
                return known[name]
        return None

    def assign(self, name: str, value: Any) -> None:
        """Assign a variable."""
        for known in (self._locals, *self._around):
            if name in known:
                known[name] = value
                return
        if name in self._names:
            raise runtime(f"`{name}' belongs to the instrument")
        self._variables[name] = value

    def declare(self, name: str, value: Any) -> None:
        """Make a local variable (of the chunk: blocks have no scope of their own here)."""
        self._locals[name] = value


def index(holder: Any, key: Any, what: str) -> Any:
    """Return ``holder[key]``."""
    if isinstance(holder, TspObject):
        return holder.read(key)
    if isinstance(holder, Table):
        return holder.items.get(key)
    raise runtime(f"attempt to index {what} (a {type_name(holder)} value)")


def put(holder: Any, key: Any, value: Any, what: str) -> None:
    """Do ``holder[key] = value``."""
    if isinstance(holder, TspObject):
        holder.write(key, value)
    elif isinstance(holder, Table) and isinstance(key, (float, str)):
        if value is None:
            holder.items.pop(key, None)
        else:
            holder.items[key] = value
    else:
        raise runtime(f"attempt to index {what} (a {type_name(holder)} value)")


def call(function: Any, arguments: list[Any], what: str) -> list[Any]:
    """Call a function."""
    if not callable(function):
        raise runtime(f"attempt to call {what} (a {type_name(function)} value)")
    results: list[Any] = function(arguments)
    return results


def type_name(value: Any) -> str:
    """Name a value's type, as Lua does."""
    if value is None:
        return "nil"
    names = {bool: "boolean", float: "number", str: "string", Table: "table", TspObject: "table"}
    return names.get(type(value), "function")


def text_of(key: Any) -> str:
    """Write a name for a message."""
    return f"`{describe(key)}'"
