"""The functions and objects that every TSP instrument has: print, tables, errors, formats, time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulated_instruments.tsp_errors import runtime
from simulated_instruments.tsp_panel import panel
from simulated_instruments.tsp_run import type_name
from simulated_instruments.tsp_values import (
    Attribute,
    Table,
    TspObject,
    as_number,
    as_text,
    bounded,
    truth,
)

if TYPE_CHECKING:
    from simulated_instruments.tsp import TspInstrument

LONGEST_DELAY = 3600.0


def first(arguments: list[Any], what: str) -> Any:
    """Return the first argument; an error where there is none."""
    if not arguments:
        raise runtime(f"bad argument #1 to `{what}' (a value is expected)")
    return arguments[0]


def library(instrument: TspInstrument) -> dict[str, Any]:
    """Return the common names."""
    return {
        "print": _printer(instrument),
        "delay": _delay(instrument),
        "waitcomplete": lambda arguments: _nothing(instrument.complete()),
        "reset": lambda arguments: _nothing(instrument.reset()),
        "errorqueue": _error_queue(instrument),
        "table": TspObject(
            "table", {"insert": _insert, "getn": lambda a: [float(_table(a, "getn").length())]}
        ),
        "ipairs": lambda arguments: [_table(arguments, "ipairs")],
        "pairs": lambda arguments: [_table(arguments, "pairs")],
        "tonumber": lambda arguments: [_number_or_nil(first(arguments, "tonumber"))],
        "tostring": lambda arguments: [as_text(first(arguments, "tostring"), 6)],
        "type": lambda arguments: [type_name(first(arguments, "type"))],
        "math": _mathematics(),
        "string": _strings(),
        "collectgarbage": _ignore,
        "opc": lambda arguments: _nothing(instrument.complete()),
        **panel(),
    }


def _nothing(result: None) -> list[Any]:
    return []


def _ignore(arguments: list[Any]) -> list[Any]:
    return []


def _printer(instrument: TspInstrument) -> Callable[[list[Any]], list[Any]]:
    def show(arguments: list[Any]) -> list[Any]:
        line = "\t".join([as_text(value, instrument.precision) for value in arguments])
        instrument.say(line.encode("latin-1", "replace") + b"\n")
        return []

    return show


def _delay(instrument: TspInstrument) -> Callable[[list[Any]], list[Any]]:
    def delay(arguments: list[Any]) -> list[Any]:
        instrument.pause(bounded(first(arguments, "delay"), 0.0, LONGEST_DELAY, "delay"))
        return []

    return delay


def _error_queue(instrument: TspInstrument) -> TspObject:
    return TspObject(
        "errorqueue",
        {
            "next": lambda arguments: list(instrument.errors.pop()),
            "clear": lambda arguments: _nothing(instrument.errors.clear()),
            "count": Attribute(lambda: float(len(instrument.errors))),
        },
    )


def _table(arguments: list[Any], what: str) -> Table:
    table = first(arguments, what)
    if not isinstance(table, Table):
        raise runtime(f"bad argument #1 to `{what}' (a table is expected, not {type_name(table)})")
    return table


def _insert(arguments: list[Any]) -> list[Any]:
    if len(arguments) != 2:
        raise runtime("table.insert takes a table and a value here")
    _table(arguments, "insert").append(arguments[1])
    return []


def _number_or_nil(value: Any) -> Any:
    try:
        return as_number(value)
    except Exception:  # what is no number is nil: that is what tonumber is for
        return None


_FORMAT = re.compile(r"%[-+ #0]*\d{0,2}(?:\.\d{1,2})?([diouxXeEfgGsq%])")


def _format(arguments: list[Any]) -> list[Any]:
    """``string.format``: C's formats for numbers and text."""
    rest = iter(arguments[1:])

    def one(match: re.Match[str]) -> str:
        kind = match[1]
        if kind == "%":
            return "%"
        value = next(rest, None)
        if kind in "sq":
            return match[0].replace("q", "s") % as_text(value, 6)
        number = as_number(value)
        if kind in "diouxX" and not math.isfinite(number):
            raise runtime("string.format takes a whole number here")
        return match[0] % (number if kind in "eEfgG" else int(number))

    pattern = first(arguments, "format")
    if not isinstance(pattern, str) or "%" in _FORMAT.sub("", pattern):
        raise runtime("bad argument #1 to `format'")
    return [_FORMAT.sub(one, pattern)]


def _strings() -> TspObject:
    def of(function: Callable[[str], Any]) -> Callable[[list[Any]], list[Any]]:
        return lambda arguments: [function(as_text(first(arguments, "string"), 6))]

    return TspObject(
        "string",
        {
            "format": _format,
            "len": of(lambda s: float(len(s))),
            "upper": of(str.upper),
            "lower": of(str.lower),
        },
    )


def _mathematics() -> TspObject:
    def of(function: Callable[[float], float]) -> Callable[[list[Any]], list[Any]]:
        def apply(arguments: list[Any]) -> list[Any]:
            try:
                return [float(function(as_number(first(arguments, "math"))))]
            except (ValueError, OverflowError):
                return [math.nan]

        return apply

    names = {
        "abs": abs,
        "floor": math.floor,
        "ceil": math.ceil,
        "sqrt": math.sqrt,
        "sin": math.sin,
        "cos": math.cos,
        "exp": math.exp,
        "log": math.log,
    }
    return TspObject("math", {**{name: of(f) for name, f in names.items()}, "pi": math.pi})


def flag(value: Any) -> bool:
    """Read 0 or 1, or a boolean, as on and off."""
    return truth(value) if isinstance(value, bool) else bounded(value, 0.0, 1.0, "0 or 1") >= 0.5
