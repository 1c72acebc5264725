"""One file that says all: what a session keeps, so that a replay needs no second file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labtrain.bench.reading import merged_tables, read_source

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def bench_bytes(file: Path) -> bytes:
    """Return a bench file's exact bytes, or one file that holds all where it names others.

    Included bench files are merged; the texts of twins and tables of devices stand in ``[files]``, unchanged.

    Raises
    ------
    UsageError
        When a file cannot be read or is no TOML.
    """
    source = read_source(file)
    if not (source.included or source.attached):
        return source.main
    others = ", ".join([*source.included, *source.attached])
    head = f"# merged from {Path(source.name).name} and {others}\n"
    tables = merged_tables(source)
    if source.attached:
        texts = {name: content.decode(errors="replace") for name, content in source.attached.items()}
        tables["files"] = texts
    return (head + _table(tables, ())).encode()


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"[{'.'.join(map(_key, path))}]"] if path else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    text = "\n".join(lines) + "\n\n"
    return text + "".join(_table(table[key], (*path, key)) for key in table if key not in plain)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value).replace("\x7f", "\\u007f")  # TOML's basic strings take JSON's escapes
    return repr(value)
