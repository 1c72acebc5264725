"""Statements of TSP: assignments, calls, branches, loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_expressions import Call, Expression, Index, Name, all_values, shown
from simulated_instruments.tsp_run import Break, Run, put
from simulated_instruments.tsp_values import Table, TspObject, as_number, truth


class Statement:
    """Something that is done."""

    def execute(self, run: Run) -> None:
        """Do it."""
        raise NotImplementedError


def execute(block: Sequence[Statement], run: Run) -> None:
    """Do one statement after the other."""
    for statement in block:
        run.step()
        statement.execute(run)


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """``a, b.c = 1, 2``."""

    targets: tuple[Expression, ...]
    sources: tuple[Expression, ...]

    def execute(self, run: Run) -> None:
        """Work out the right side, then assign."""
        values = all_values(self.sources, run)
        values += [None] * (len(self.targets) - len(values))
        for target, value in zip(self.targets, values, strict=False):
            if isinstance(target, Name):
                run.assign(target.name, value)
            elif isinstance(target, Index):
                holder, key = target.holder.value(run), target.key.value(run)
                if isinstance(holder, TspObject):  # the commonest, without making up a message
                    holder.write(key, value)
                else:
                    put(holder, key, value, shown(target.holder))


@dataclass(frozen=True, slots=True)
class Local(Statement):
    """``local a, b = 1, 2``."""

    names: tuple[str, ...]
    sources: tuple[Expression, ...]

    def execute(self, run: Run) -> None:
        """Declare."""
        values = all_values(self.sources, run) + [None] * len(self.names)
        for name, value in zip(self.names, values, strict=False):
            run.declare(name, value)


@dataclass(frozen=True, slots=True)
class Do(Statement):
    """A call for what it does."""

    call: Call

    def execute(self, run: Run) -> None:
        """Call."""
        self.call.values(run)


@dataclass(frozen=True, slots=True)
class If(Statement):
    """``if ... then ... elseif ... else ... end``; the last condition may be None."""

    branches: tuple[tuple[Expression | None, tuple[Statement, ...]], ...]

    def execute(self, run: Run) -> None:
        """Do the first branch that holds."""
        for condition, block in self.branches:
            if condition is None or truth(condition.value(run)):
                execute(block, run)
                return


@dataclass(frozen=True, slots=True)
class While(Statement):
    """``while ... do ... end``; ``until`` of ``repeat`` is tested behind the block."""

    condition: Expression
    block: tuple[Statement, ...]
    until: bool = False

    def execute(self, run: Run) -> None:
        """Go round."""
        try:
            while self.until or truth(self.condition.value(run)):
                run.step()
                execute(self.block, run)
                if self.until and truth(self.condition.value(run)):
                    return
        except Break:
            return


@dataclass(frozen=True, slots=True)
class For(Statement):
    """``for i = a, b, c do ... end``."""

    name: str
    bounds: tuple[Expression, ...]
    block: tuple[Statement, ...]

    def execute(self, run: Run) -> None:
        """Count."""
        start, stop, *rest = (as_number(bound.value(run)) for bound in self.bounds)
        stride = rest[0] if rest else 1.0
        if stride == 0:
            raise runtime("a `for' of stride zero")
        try:
            for value in _counted(start, stop, stride):
                run.step()
                run.declare(self.name, value)
                execute(self.block, run)
        except Break:
            return


@dataclass(frozen=True, slots=True)
class ForEach(Statement):
    """``for k, v in ipairs(t) do ... end``."""

    names: tuple[str, ...]
    source: Expression
    block: tuple[Statement, ...]

    def execute(self, run: Run) -> None:
        """Go through a table."""
        table = self.source.value(run)
        if not isinstance(table, Table):
            raise runtime("`for ... in' goes through ipairs(t) or pairs(t) here")
        try:
            for pair in list(table.items.items()):
                run.step()
                for name, value in zip(self.names, pair, strict=False):
                    run.declare(name, value)
                execute(self.block, run)
        except Break:
            return


@dataclass(frozen=True, slots=True)
class Leave(Statement):
    """``break``."""

    def execute(self, run: Run) -> None:
        """Leave the loop."""
        raise Break


def _counted(start: float, stop: float, stride: float) -> Iterator[Any]:
    value = start
    while value <= stop if stride > 0 else value >= stop:
        yield value
        value += stride
