"""From the characters of a SCPI message to headers and parameters.

Knows quotes, separators and the tree path rule; knows no command.
"""

from __future__ import annotations

from typing import NamedTuple

from simulated_instruments.scpi_errors import ScpiError


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


def parse_unit(text: str) -> tuple[str, tuple[str, ...]]:
    """Split one unit, which is not blank, into its header and its parameters as sent, blanks removed."""
    pieces = text.split(None, 1)
    if len(pieces) == 1:
        return pieces[0], ()
    header, rest = pieces
    return header, tuple([argument.strip() for argument in split_outside_quotes(rest, ",")])


class Header(NamedTuple):
    """A header, read.

    Attributes
    ----------
    path
        Mnemonics in capitals, from the root: ``("SOUR", "VOLT")``, or ``("*IDN",)``.
    query
        Whether it ended in ``?``.
    following
        The path that a following unit starts from.
    """

    path: tuple[str, ...]
    query: bool
    following: tuple[str, ...]


def parse_header(header: str, start: tuple[str, ...]) -> Header:
    """Read a header.

    Parameters
    ----------
    start
        Where a header without a leading colon starts (SCPI-1999, volume 1, 6.2.4).

    Raises
    ------
    ScpiError
        -101 or -102 for what is no header.
    """
    query = header.endswith("?")
    name = (header[:-1] if query else header).upper()
    bare = name.lstrip(":")
    if bare.startswith("*"):  # a common command leaves the path alone; ":*CLS" is met in the field
        return Header((bare,), query, start)
    nodes = tuple(name.removeprefix(":").split(":"))
    if not all(nodes):
        raise ScpiError(-102, header[:40])
    if not name.isascii() or not all(node.replace("_", "").isalnum() for node in nodes):
        raise ScpiError(-101, header[:40])
    full = nodes if name.startswith(":") else start + nodes
    return Header(full, query, full[:-1])
