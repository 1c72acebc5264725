"""Bench files read from disk or from a record, included files merged in.

A file names others in ``include``; a key may stand in one of them only, so that
no limit is loosened by a second file unseen.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labtrain.bench.attached import attached_files, kept_files
from labtrain.bench.positions import Path as KeyPath
from labtrain.bench.positions import key_lines
from labtrain.bench.problems import Problems
from labtrain.bench.schema import BenchTable
from labtrain.bench.unknown_keys import allowed_keys
from labtrain.errors import UsageError


@dataclass(frozen=True, slots=True)
class BenchSource:
    """The bytes of a bench file and of the files that it names, by the names that it uses.

    ``included`` are bench files (``include``), ``attached`` are twins and tables of devices (``kind``).
    """

    name: str
    main: bytes
    included: Mapping[str, bytes] = field(default_factory=dict)
    attached: Mapping[str, bytes] = field(default_factory=dict)


def read_source(file: Path | bytes | BenchSource) -> BenchSource:
    """Read a bench file and everything that it includes.

    Raises
    ------
    UsageError
        When a file cannot be read or is no TOML.
    """
    if isinstance(file, BenchSource):
        return file
    if isinstance(file, bytes):
        return BenchSource("recorded bench file", file, {}, kept_files(_toml("recorded bench file", file)))
    main = _bytes(file)
    included: dict[str, bytes] = {}
    _gather(str(file), main, file.parent, included, (file.resolve(),))
    tables = [_toml(name, content) for name, content in {str(file): main, **included}.items()]
    return BenchSource(str(file), main, included, attached_files(tables, file.parent))


def parse_source(source: BenchSource) -> tuple[BenchTable, Problems]:
    """Merge and validate; what the schema refuses is noted and left out, so that the rest can be checked.

    Raises
    ------
    UsageError
        When a file is no TOML, or an included file is not at hand.
    """
    problems = Problems(source.name)
    merged = merged_tables(source, problems)
    while True:
        try:
            table = BenchTable.model_validate(merged)
            break
        except ValidationError as error:
            for one in error.errors(include_url=False):
                _translate(one, problems)
                _leave_out(merged, one["loc"])
    problems.end_of_first_look()
    return table, problems


def _leave_out(merged: dict[str, Any], path: tuple[Any, ...]) -> None:
    """Remove the innermost thing on ``path`` that stands in the file."""
    here: Any = merged
    *above, last = path
    for part in above:
        inside = here[part] if _has(here, part) else None
        if not isinstance(inside, (dict, list)):
            last = part
            break
        here = inside
    if _has(here, last):
        del here[last]
    elif above:
        _leave_out(merged, tuple(above))


def _has(table: Any, key: Any) -> bool:
    return key in table if isinstance(table, dict) else isinstance(key, int) and key < len(table)


def merged_tables(source: BenchSource, problems: Problems | None = None) -> dict[str, Any]:
    """Merge a file's tables with those that it includes; a key that stands twice is noted as a problem."""
    problems = problems or Problems(source.name)
    merged: dict[str, Any] = {}
    pending, seen = [(source.name, source.main)], set[str]()
    while pending:
        name, content = pending.pop(0)
        tables = _toml(name, content)
        problems.knows(name, key_lines(content.decode()))
        for other in _includes(tables, name):
            if other not in source.included:
                raise UsageError(f"the included file {other!r} is not at hand", file=name, key="include")
            if other not in seen:
                seen.add(other)
                pending.append((_beside(source.name, other), source.included[other]))
        tables.pop("include", None)
        _merge(merged, tables, (), name, problems)
    return merged


def _gather(
    name: str, content: bytes, folder: Path, included: dict[str, bytes], above: tuple[Path, ...]
) -> None:
    for other in _includes(_toml(name, content), name):
        place = (folder / other).resolve()
        if place in above:
            circle = " -> ".join(one.name for one in (*above, place))
            remedy = "a file may include others, which do not lead back to it"
            message = f"the included files go round in a circle: {circle}"
            raise UsageError(message, remedy=remedy, file=name, key="include")
        if other not in included:
            included[other] = _bytes(folder / other, asked_by=name)
            _gather(str(folder / other), included[other], folder, included, (*above, place))


def _includes(tables: Mapping[str, Any], file: str) -> list[str]:
    names = tables.get("include", [])
    if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
        return names
    remedy = 'write a list of file names, such as include = ["chip7.toml"]'
    raise UsageError(f"{names!r} is no list of files", remedy=remedy, file=file, key="include")


def _beside(main: str, other: str) -> str:
    return str(Path(main).parent / other)


def _bytes(file: Path, asked_by: str | None = None) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read the bench file {str(file)!r}: {error.strerror}",
            remedy="give the path of a .toml file; paths in include are relative to the bench file",
            file=asked_by or str(file),
            key="include" if asked_by else None,
        ) from None


def _toml(name: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise UsageError("the file is not UTF-8 text", remedy="save it as UTF-8", file=name) from None
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        line = int(text.split("at line ")[1].split(",")[0]) if "at line " in text else None
        remedy = "see docs/bench-file.md for the shape of a bench file"
        raise UsageError(f"the file is not TOML: {text}", remedy=remedy, file=name, line=line) from None


def _merge(
    into: dict[str, Any], tables: Mapping[str, Any], path: KeyPath, name: str, problems: Problems
) -> None:
    for key, value in tables.items():
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict):
            into[key] = dict(into[key])
            _merge(into[key], value, (*path, key), name, problems)
        else:
            message = f"this key stands in {name} too"
            problems.add((*path, key), message, "keep it in one file: a second value would hide the first")


def _translate(error: Any, problems: Problems) -> None:
    """Turn one of pydantic's errors into ours: what was given, what is allowed, the remedy."""
    path = tuple(str(part) for part in error["loc"])
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        problems.add(path, f"unknown key {path[-1]!r}", allowed_keys(BenchTable, path))
    elif kind == "missing":
        problems.missing(path)
    elif kind == "labtrain":
        problems.add(path, error["msg"], error["ctx"]["remedy"] or None)
    else:
        problems.add(path, f"{given!r} is not allowed here", error["msg"])
