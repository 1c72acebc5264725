"""From the characters of a TSP chunk to tokens. TSP is Lua 5.0 with the instrument as objects."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from simulated_instruments.tsp_errors import TspError

KEYWORDS: Final = frozenset(
    (
        "and break do else elseif end false for function if in local"
        " nil not or repeat return then true until while"
    ).split()
)

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+ | --[^\n]*)
  | (?P<list>\{[ ]*-?[\d.]+(?:[eE][+-]?\d+)?(?:[ ]*,[ ]*-?[\d.]+(?:[eE][+-]?\d+)?)+[ ]*\})
  | (?P<number>0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<symbol>\.\.\.|\.\.|==|~=|<=|>=|[-+*/^%(){}\[\];:,.<>=])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """One word of a chunk: ``kind`` is number, name, string, symbol, keyword, list or end.

    A list is a table of plain numbers, whole: sweeps send hundreds of them.
    """

    kind: str
    text: str
    line: int


def tokens(text: str) -> list[Token]:
    """Split a chunk.

    Raises
    ------
    TspError
        -285 at a character that begins nothing.
    """
    found: list[Token] = []
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise TspError(-285, f"TSP Syntax error at line {line}: unexpected symbol near `{text[place]}'")
        kind, word = str(match.lastgroup), match[0]
        if kind == "name" and word in KEYWORDS:
            kind = "keyword"
        if kind != "space":
            found.append(Token(kind, word, line))
        line += word.count("\n")
        place = match.end()
    found.append(Token("end", "<eof>", line))
    return found
