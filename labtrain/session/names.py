"""Names under which things stand in a session, and that no two of them collide.

A stream, an array or a document becomes a path in the sealed file, so a name
that could not be written there is refused when it is noted, not when sealing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import final

from labtrain.errors import UsageError
from labtrain.session.frames import MAX_NUMBER

_RESERVED = ("session", "instruments", "exchanges")


def check_part(what: str, name: str) -> str:
    """Accept a name of one part: not empty, printable, without ``/`` and ``@``.

    Raises
    ------
    UsageError
        For any other name.
    """
    if name and name.isprintable() and not set(name) & {"/", "@"} and name not in {".", ".."}:
        return name
    raise UsageError(
        f"{what} {name!r} cannot be recorded",
        remedy="a name has at least one printable character and neither '/' nor '@'",
    )


@lru_cache(maxsize=4096)
def check_path(what: str, name: str) -> str:
    """Accept a name of parts joined by ``/``, whose first part the session does not keep for itself."""
    for part in name.split("/"):
        check_part(f"{what} {name!r}: the part", part)
    if name.split("/", 1)[0] in _RESERVED:
        raise UsageError(
            f"{what} {name!r} begins with a part that the session keeps for itself",
            remedy=f"use another first part than {', '.join(_RESERVED)}",
        )
    return name


def numbered(number: int, what: str) -> int:
    """Accept the number of a port, stream or form that a record's header can hold."""
    if number > MAX_NUMBER:
        raise UsageError(f"one session holds at most {MAX_NUMBER} {what}", remedy="split the run")
    return number


def document_path(name: str) -> str:
    """Where a document stands: analyses where viewers look for them, the others with the session's own."""
    return name if name.startswith("analysis/") else f"session/documents/{name}"


@final
class Claims:
    """The paths taken so far; a path holds either one thing or further paths."""

    def __init__(self) -> None:
        self._leaves: dict[str, str] = {}
        self._groups: set[str] = set()

    def claim(self, what: str, path: str) -> bool:
        """Take ``path`` for ``what`` (``"array"``, ``"document"``, ``"stream"``); True when it is new.

        Raises
        ------
        UsageError
            When another kind of thing stands there, above it or below it.
        """
        held = self._leaves.get(path)
        if held == what:
            return False
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts))]
        clash = path if held or path in self._groups else next((a for a in above if a in self._leaves), None)
        if clash is not None:
            raise UsageError(
                f"{what} {path!r} cannot be recorded: {self._leaves.get(clash, 'group')} {clash!r} is there",
                remedy="choose a name that is neither above nor below another one",
            )
        self._leaves[path] = what
        self._groups.update(above)
        return True
