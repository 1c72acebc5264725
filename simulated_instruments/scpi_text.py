"""From the characters of a SCPI message to headers and parameters.

Knows quotes, separators and the tree path rule; knows no command.
"""

from __future__ import annotations

from typing import NamedTuple

from simulated_instruments.scpi_errors import ScpiError


class Unit(NamedTuple):
    """One program message unit.

    Attributes
    ----------
    path
        Mnemonics in capitals, from the root: ``("SOUR", "VOLT")``, or ``("*IDN",)``.
    query
        Whether it ended in ``?``.
    arguments
        The parameters as sent, blanks at their ends removed.
    """

    path: tuple[str, ...]
    query: bool
    arguments: tuple[str, ...]


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at ``separator`` where it is not inside ``'...'``, ``"..."`` or ``(@...)``.

    Raises
    ------
    ScpiError
        -151 for a quote that never ends.
    """
    if "'" not in text and '"' not in text and "(" not in text:
        return text.split(separator)
    parts, start, quote, depth = [], 0, "", 0
    for index, character in enumerate(text):
        if quote:
            if character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == separator and depth <= 0:
            parts.append(text[start:index])
            start = index + 1
    if quote:
        raise ScpiError(-151, "a quote is not closed")
    parts.append(text[start:])
    return parts


def parse_unit(text: str, path: tuple[str, ...]) -> tuple[Unit, tuple[str, ...]]:
    """Parse one unit; return it and the path that a following unit starts from.

    Parameters
    ----------
    text
        Without separators; not blank.
    path
        Where a header without a leading colon starts (SCPI-1999, volume 1, 6.2.4).

    Raises
    ------
    ScpiError
        -101 or -102 for what is no header.
    """
    pieces = text.split(None, 1)
    header, rest = pieces[0], (pieces[1] if len(pieces) > 1 else "")
    query = header.endswith("?")
    name = (header[:-1] if query else header).upper()
    arguments = tuple(map(str.strip, split_outside_quotes(rest, ","))) if rest.strip() else ()
    if name.lstrip(":").startswith(
        "*"
    ):  # a common command leaves the path alone; ":*CLS" is met in the field
        return Unit((name.lstrip(":"),), query, arguments), path
    start = () if name.startswith(":") else path
    nodes = tuple(name.removeprefix(":").split(":"))
    if not all(nodes):
        raise ScpiError(-102, text[:40])
    if not name.isascii() or not all(node.replace("_", "").isalnum() for node in nodes):
        raise ScpiError(-101, text[:40])
    full = start + nodes
    return Unit(full, query, arguments), full[:-1]
