"""From tokens to statements: the part of Lua 5.0 that instrument drivers send.

Not known here: variable numbers of arguments (``...``), methods (``a:b()``), metatables, coroutines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from simulated_instruments.tsp_errors import TspError
from simulated_instruments.tsp_expressions import (
    Binary,
    Call,
    Constant,
    Expression,
    Index,
    Name,
    NumberList,
    TableOf,
    Unary,
    must_be_settable,
)
from simulated_instruments.tsp_functions import FunctionBody, LocalFunction, Return
from simulated_instruments.tsp_statements import (
    Assign,
    Do,
    For,
    ForEach,
    If,
    Leave,
    Local,
    Statement,
    While,
)
from simulated_instruments.tsp_text import Token, tokens

_BINDING: Final[Mapping[str, int]] = {
    "or": 1, "and": 2, "<": 3, ">": 3, "<=": 3, ">=": 3, "~=": 3, "==": 3, "..": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "^": 8,
}  # fmt: skip
_UNARY: Final = 7
_CONSTANTS: Final = {"nil": None, "true": True, "false": False}
_ENDS: Final = frozenset(("end", "else", "elseif", "until"))
_DEEPEST: Final = 100


def parse(text: str) -> tuple[Statement, ...]:
    """Parse a chunk.

    Raises
    ------
    TspError
        -285 for what is not TSP, or not of the part known here.
    """
    return _Parser(tokens(text)).chunk()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._place = 0
        self._depth = 0

    # --- tokens ----------------------------------------------------------------------------

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._place += 1
        return token

    def _wrong(self) -> TspError:
        near = self._now
        return TspError(-285, f"TSP Syntax error at line {near.line}: unexpected symbol near `{near.text}'")

    def _take(self, text: str) -> bool:
        if self._now.text == text and self._now.kind in ("symbol", "keyword"):
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._wrong()

    def _name(self) -> str:
        if self._now.kind != "name":
            raise self._wrong()
        return self._next().text

    # --- statements ------------------------------------------------------------------------

    def chunk(self) -> tuple[Statement, ...]:
        """Parse all."""
        block = self._block()
        if self._now.kind != "end":
            raise self._wrong()
        return block

    def _block(self) -> tuple[Statement, ...]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TspError(-285, "TSP Syntax error: the chunk is nested too deeply")
        found: list[Statement] = []
        while not self._at_end():
            if not self._take(";"):
                found += self._statement()
        self._depth -= 1
        return tuple(found)

    def _statement(self) -> tuple[Statement, ...]:
        if self._take("do"):
            return self._ended()
        if self._take("if"):
            return (self._if(),)
        if self._take("for"):
            return (self._for(),)
        if self._take("while"):
            condition = self._expression()
            self._expect("do")
            return (While(condition, self._ended()),)
        if self._take("repeat"):
            block = self._block()
            self._expect("until")
            return (While(self._expression(), block, until=True),)
        if self._take("function"):
            return (self._function(),)
        if self._take("return"):
            return (self._return(),)
        if self._take("local"):
            if self._take("function"):
                return (LocalFunction(self._name(), self._function_body()),)
            names = self._names()
            return (Local(names, self._expressions() if self._take("=") else ()),)
        if self._take("break"):
            return (Leave(),)
        return (self._assignment_or_call(),)

    def _function(self) -> Statement:
        """``function a.b(...) ... end``."""
        target: Expression = Name(self._name())
        while self._take("."):
            target = Index(target, Constant(self._name()))
        return Assign((target,), (self._function_body(),))

    def _function_body(self) -> FunctionBody:
        self._expect("(")
        parameters = () if self._now.text == ")" else self._names()
        self._expect(")")
        return FunctionBody(parameters, self._ended())

    def _return(self) -> Statement:
        """Parse ``return``, which ends its block."""
        results = () if self._at_end() or self._now.text == ";" else self._expressions()
        self._take(";")
        if not self._at_end():
            raise self._wrong()
        return Return(results)

    def _at_end(self) -> bool:
        return self._now.kind == "end" or (self._now.kind == "keyword" and self._now.text in _ENDS)

    def _ended(self) -> tuple[Statement, ...]:
        block = self._block()
        self._expect("end")
        return block

    def _if(self) -> Statement:
        branches: list[tuple[Expression | None, tuple[Statement, ...]]] = []
        while True:
            condition = self._expression()
            self._expect("then")
            branches.append((condition, self._block()))
            if not self._take("elseif"):
                break
        if self._take("else"):
            branches.append((None, self._block()))
        self._expect("end")
        return If(tuple(branches))

    def _for(self) -> Statement:
        names = self._names()
        if self._take("in"):
            source = self._expression()
            self._expect("do")
            return ForEach(names, source, self._ended())
        self._expect("=")
        bounds = self._expressions()
        if len(names) != 1 or len(bounds) not in (2, 3):
            raise self._wrong()
        self._expect("do")
        return For(names[0], bounds, self._ended())

    def _names(self) -> tuple[str, ...]:
        found = [self._name()]
        while self._take(","):
            found.append(self._name())
        return tuple(found)

    def _assignment_or_call(self) -> Statement:
        first = self._suffixed()
        if isinstance(first, Call) and self._now.text not in ("=", ","):
            return Do(first)
        targets = [first]
        while self._take(","):
            targets.append(self._suffixed())
        near = self._now.text
        self._expect("=")
        for target in targets:
            must_be_settable(target, near)
        return Assign(tuple(targets), self._expressions())

    # --- expressions -----------------------------------------------------------------------

    def _expressions(self) -> tuple[Expression, ...]:
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        return tuple(found)

    def _expression(self, binding: int = 0) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TspError(-285, "TSP Syntax error: the chunk is nested too deeply")
        left = self._operand()
        while self._now.kind in ("symbol", "keyword") and _BINDING.get(self._now.text, 0) > binding:
            sign = self._next().text
            right_binding = _BINDING[sign] - (1 if sign in ("^", "..") else 0)  # these group to the right
            left = Binary(sign, left, self._expression(right_binding))
        self._depth -= 1
        return left

    def _operand(self) -> Expression:
        if self._now.text in ("-", "not") and self._now.kind != "string":
            return Unary(self._next().text, self._expression(_UNARY))
        token = self._now
        if token.kind == "number":
            self._next()
            base = 16 if token.text[:2].lower() == "0x" else 10
            return Constant(float(int(token.text, 16)) if base == 16 else float(token.text))
        if token.kind == "list":
            return self._number_list()
        if token.kind == "string":
            self._next()
            return Constant(re.sub(r"\\(.)", r"\1", token.text[1:-1]))
        if token.kind == "keyword" and token.text in _CONSTANTS:
            self._next()
            return Constant(_CONSTANTS[token.text])
        if self._take("function"):
            return self._function_body()
        return self._table() if self._take("{") else self._suffixed()

    def _suffixed(self) -> Expression:
        """Parse a name or a bracket with what follows it: ``.key``, ``[key]``, ``(arguments)``."""
        if self._take("("):
            found = self._expression()
            self._expect(")")
        else:
            found = Name(self._name())
        while True:
            if self._take("."):
                found = Index(found, Constant(self._name()))
            elif self._take("["):
                found = Index(found, self._expression())
                self._expect("]")
            elif self._take("("):
                arguments = () if self._now.text == ")" else self._expressions()
                self._expect(")")
                found = Call(found, arguments)
            elif self._now.kind == "list":
                found = Call(found, (self._number_list(),))
            elif self._take("{"):
                found = Call(found, (self._table(),))
            elif self._now.kind == "string":
                found = Call(found, (self._operand(),))
            else:
                return found

    def _number_list(self) -> Expression:
        try:
            numbers = tuple([float(one) for one in self._now.text[1:-1].split(",")])
        except ValueError:
            raise self._wrong() from None
        self._next()
        return NumberList(numbers)

    def _table(self) -> Expression:
        positional: list[Expression] = []
        named: list[tuple[Expression, Expression]] = []
        while not self._take("}"):
            following = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
            if self._now.kind == "name" and following.text == "=" and following.kind == "symbol":
                key = Constant(self._name())
                self._expect("=")
                named.append((key, self._expression()))
            else:
                positional.append(self._expression())
            if not (self._take(",") or self._take(";")) and self._now.text != "}":
                raise self._wrong()
        return TableOf(tuple(positional), tuple(named))
