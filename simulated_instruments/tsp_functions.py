"""Functions that a script defines: ``function f(x) return 2 * x end``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_expressions import Expression, all_values
from simulated_instruments.tsp_run import Break, Run
from simulated_instruments.tsp_statements import Statement, execute

DEEPEST: Final = 40
"""Calls inside calls; a real instrument has room for some hundred."""


class Returned(Exception):
    """``return`` leaves a function, or a chunk.

    Attributes
    ----------
    results
        What it returns.
    """

    def __init__(self, results: list[Any]) -> None:
        super().__init__()
        self.results = results


class Function:
    """What ``function ... end`` makes: called with a list of arguments, as the instrument's own are."""

    def __init__(self, body: FunctionBody, where: Run) -> None:
        self._body, self._where = body, where

    def __call__(self, arguments: list[Any]) -> list[Any]:
        """Run it; nil for arguments that are not given."""
        run, budget = self._where.inner(), self._where.budget
        names = self._body.parameters
        for name, value in zip(names, [*arguments, *[None] * len(names)], strict=False):
            run.declare(name, value)
        budget.calls += 1
        try:
            if budget.calls > DEEPEST:
                raise runtime("stack overflow")
            execute(self._body.block, run)
        except Returned as returned:
            return returned.results
        except Break:
            raise runtime("no loop to break") from None
        finally:
            budget.calls -= 1
        return []


@dataclass(frozen=True, slots=True)
class FunctionBody(Expression):
    """``function (a, b) ... end``."""

    parameters: tuple[str, ...]
    block: tuple[Statement, ...]

    def value(self, run: Run) -> Any:
        """Make a function that sees the variables of here."""
        return Function(self, run)


@dataclass(frozen=True, slots=True)
class LocalFunction(Statement):
    """``local function f() ... end``, which may call itself."""

    name: str
    body: FunctionBody

    def execute(self, run: Run) -> None:
        """Declare, then make."""
        run.declare(self.name, None)
        run.declare(self.name, self.body.value(run))


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """``return a, b``."""

    results: tuple[Expression, ...]

    def execute(self, run: Run) -> None:
        """Leave."""
        raise Returned(all_values(self.results, run))
