"""Expressions of TSP: each knows its value in a run; a call may have several."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_run import Run, call, index, text_of
from simulated_instruments.tsp_values import Table, TspObject, as_number, as_text, truth


class Expression:
    """Something with a value."""

    def value(self, run: Run) -> Any:
        """Return its (first) value."""
        raise NotImplementedError

    def values(self, run: Run) -> list[Any]:
        """Return all its values."""
        return [self.value(run)]


def all_values(expressions: Sequence[Expression], run: Run) -> list[Any]:
    """Return one value of each, and all of the last."""
    if not expressions:
        return []
    return [one.value(run) for one in expressions[:-1]] + expressions[-1].values(run)


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A number, a string, true, false, nil."""

    constant: Any

    def value(self, run: Run) -> Any:
        """Return it."""
        return self.constant


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A variable or one of the instrument's objects."""

    name: str

    def value(self, run: Run) -> Any:
        """Return what it stands for."""
        return run.name(self.name)


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """``holder.key`` or ``holder[key]``."""

    holder: Expression
    key: Expression

    def value(self, run: Run) -> Any:
        """Return the member."""
        holder = self.holder.value(run)
        if isinstance(holder, TspObject):  # the commonest, without making up a message that nobody reads
            return holder.read(self.key.value(run))
        return index(holder, self.key.value(run), shown(self.holder))


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """``function(arguments)``."""

    function: Expression
    arguments: tuple[Expression, ...]

    def value(self, run: Run) -> Any:
        """Return the first result, nil where there is none."""
        results = self.values(run)
        return results[0] if results else None

    def values(self, run: Run) -> list[Any]:
        """Return all results."""
        function = self.function.value(run)
        arguments = all_values(self.arguments, run)
        return call(function, arguments, "" if callable(function) else shown(self.function))


@dataclass(frozen=True, slots=True)
class NumberList(Expression):
    """``{1, 2.5, -3e-6}``."""

    numbers: tuple[float, ...]

    def value(self, run: Run) -> Any:
        """Make a new table."""
        table = Table()
        table.items = {float(place): number for place, number in enumerate(self.numbers, 1)}
        return table


@dataclass(frozen=True, slots=True)
class TableOf(Expression):
    """``{1, 2, x = 3}``."""

    positional: tuple[Expression, ...]
    named: tuple[tuple[Expression, Expression], ...]

    def value(self, run: Run) -> Any:
        """Make a new table."""
        table = Table()
        for place, value in enumerate(all_values(self.positional, run), 1):
            table.items[float(place)] = value
        for key, value in self.named:
            table.items[key.value(run)] = value.value(run)
        return table


def _divide(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return result if isinstance(result, float) else math.nan


def _remainder(a: float, b: float) -> float:
    return math.nan if b == 0 else math.fmod(a, b)


_NUMERIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "%": _remainder,
}
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left operator right``."""

    sign: str
    left: Expression
    right: Expression

    def value(self, run: Run) -> Any:
        """Work it out; ``and`` and ``or`` look at the right only where they must."""
        left = self.left.value(run)
        if self.sign in ("and", "or"):
            return left if truth(left) == (self.sign == "or") else self.right.value(run)
        right = self.right.value(run)
        if self.sign in ("==", "~="):
            return (left == right and type(left) is type(right)) == (self.sign == "==")
        if self.sign == "..":
            return as_text(left, 6) + as_text(right, 6)
        if self.sign in _ORDER:
            if isinstance(left, str) and isinstance(right, str):
                return _ORDER[self.sign](left, right)
            return _ORDER[self.sign](as_number(left), as_number(right))
        return _NUMERIC[self.sign](as_number(left), as_number(right))


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """``-x`` or ``not x``."""

    sign: str
    operand: Expression

    def value(self, run: Run) -> Any:
        """Work it out."""
        value = self.operand.value(run)
        return not truth(value) if self.sign == "not" else -as_number(value)


def shown(expression: Expression) -> str:
    """Write an expression for a message: ``global `foo'``, ``field `bar'``."""
    if isinstance(expression, Name):
        return f"global {text_of(expression.name)}"
    if isinstance(expression, Index) and isinstance(expression.key, Constant):
        return f"field {text_of(expression.key.constant)}"
    return "a value"


def must_be_settable(expression: Expression, near: str) -> None:
    """Refuse what cannot stand left of ``=``."""
    if not isinstance(expression, (Name, Index)):
        raise runtime(f"unexpected symbol near `{near}'")
