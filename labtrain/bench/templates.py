"""Templates of an array's terminals: ``"matrix.1,{2i+1}"`` for every index ``i`` from 0."""

from __future__ import annotations

import re

from labtrain.errors import UsageError

_BRACES = re.compile(r"\{([^{}]*)\}")
_EXPRESSION = re.compile(r"^\s*(?:(\d*)\s*\*?\s*i\s*(?:([+-])\s*(\d+))?|(\d+))\s*$")


def expand(template: str, index: int) -> str:
    """Replace every ``{a i + b}`` of ``template`` by its value at ``index``.

    Raises
    ------
    UsageError
        For an expression other than a whole number, ``i``, ``2i``, ``2i+1``, ``i-1``.
    """
    text = _BRACES.sub(lambda match: str(_value(match[1], template, index)), template)
    if "{" in text or "}" in text:
        raise UsageError(
            f"the template {template!r} has an unmatched brace", remedy='write for instance "matrix.1,{2i}"'
        )
    return text


def _value(expression: str, template: str, index: int) -> int:
    match = _EXPRESSION.match(expression)
    if match is None:
        remedy = "allowed are {i}, {2i}, {2i+1} and the like; i counts the array's devices from 0"
        raise UsageError(f"{{{expression}}} in {template!r} cannot be read", remedy=remedy)
    factor, sign, offset, constant = match.groups()
    if constant is not None:
        return int(constant)
    shift = int(offset or 0) * (-1 if sign == "-" else 1)
    return (int(factor) if factor else 1) * index + shift
