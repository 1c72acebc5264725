"""Files of devices that a bench file names in ``kind``: read beside it, or kept inside it by a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

SUFFIX = ".toml"


def names_a_file(kind: str) -> bool:
    """Whether a ``kind`` is a file's name and not a device model's."""
    return kind.endswith(SUFFIX)


def is_relative(name: str) -> bool:
    """Whether a path is relative on any system: an absolute one means nothing on another computer."""
    return not (PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor)


def attached_files(tables: Iterable[Mapping[str, Any]], folder: Path) -> dict[str, bytes]:
    """Return what can be read of the files that ``kind`` names, relative to ``folder``.

    What cannot is left out: planning reports it with every other problem of the bench file.
    """
    found: dict[str, bytes] = {}
    for table in tables:
        found |= kept_files(table)
        for name in _named(table):
            if name not in found and is_relative(name) and (folder / name).is_file():
                found[name] = (folder / name).read_bytes()
    return found


def kept_files(tables: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that a recorded bench file holds in its table ``[files]``."""
    files = tables.get("files", {})
    texts = files.items() if isinstance(files, dict) else ()
    return {name: text.encode() for name, text in texts if isinstance(text, str)}


def _named(tables: Mapping[str, Any]) -> list[str]:
    """Return the names in any order of tables, which may still be malformed."""
    groups = [tables.get(key) for key in ("arrays", "devices")]
    entries = [entry for group in groups if isinstance(group, dict) for entry in group.values()]
    kinds = [entry.get("kind") for entry in entries if isinstance(entry, dict)]
    return [kind for kind in kinds if isinstance(kind, str) and names_a_file(kind)]
