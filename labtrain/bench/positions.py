"""On which line of a TOML file a key stands, so that errors can point at it.

The standard library's parser keeps no positions. This scanner reads a file that
the parser has already accepted, so it only needs to recognise table headers and
the keys at the start of a line; keys of inline tables share their line.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

Path = tuple[str, ...]

_BARE = r"[A-Za-z0-9_-]+"
_PART = rf"(?:{_BARE}|\"(?:[^\"\\]|\\.)*\"|'[^']*')"
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*\[\[?\s*({_KEY})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"^\s*({_KEY})\s*=\s*(.*)$")
_STRINGS = re.compile(r"\"\"\"|'''|\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*$")


def key_lines(text: str) -> dict[Path, int]:
    """Map every table and every key at the start of a line to its line number, from 1."""
    lines: dict[Path, int] = {}
    table: Path = ()
    depth = 0
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if depth == 0:
            if header := _HEADER.match(line):
                table = _split(header[1])
                for length in range(1, len(table) + 1):
                    lines.setdefault(table[:length], number)
                continue
            if assignment := _ASSIGNMENT.match(line):
                path = table + _split(assignment[1])
                lines.setdefault(path, number)
        depth, quote = _after(line, depth)
    return lines


def nearest_line(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of ``path``, or of the nearest table above it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def dotted(path: Path) -> str:
    """Write a path as it would be written in the file: ``wires."smu.hi".to``."""
    return ".".join(part if re.fullmatch(_BARE, part) else f'"{part}"' for part in path)


def _split(key: str) -> Path:
    nested: Any = tomllib.loads(f"{key} = 0")
    parts = []
    while isinstance(nested, dict):
        (part, nested) = next(iter(nested.items()))
        parts.append(part)
    return tuple(parts)


def _after(line: str, depth: int) -> tuple[int, str]:
    """Follow brackets that stay open, and multi-line strings, past the end of ``line``."""
    code = line
    for mark in ('"""', "'''"):
        if code.count(mark) % 2:
            return depth, mark
    code = _STRINGS.sub("", code)
    assignment = _ASSIGNMENT.match(line)
    if depth == 0 and assignment is None:
        return 0, ""
    opened = sum(code.count(c) for c in "[{") - sum(code.count(c) for c in "]}")
    return max(0, depth + opened), ""
