"""What is wrong with a bench file, gathered so that one pass reports all of it."""

from __future__ import annotations

import re

from labtrain.bench.positions import Path, dotted, nearest_line
from labtrain.errors import BenchFileError, LabtrainError, UsageError


class _Alike:
    """One problem that several devices of an array have, told with the first of them."""

    def __init__(self, error: LabtrainError) -> None:
        self._error, self._first, self._count = error, error.message, 1

    def again(self) -> None:
        self._count += 1
        self._error.message = f"{self._count} devices: {self._first}, and so on"


class Problems:
    """The problems found so far, each with file, line and key."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[LabtrainError] = []
        self._first_look: list[Path] = []
        self._paths: list[Path] = []
        self._lines: list[tuple[str, dict[Path, int]]] = []
        self._alike: dict[tuple[Path, str], _Alike] = {}

    def knows(self, file: str, lines: dict[Path, int]) -> None:
        """Remember on which line of ``file`` each key stands."""
        self._lines.append((file, lines))

    def add(self, path: Path, message: str, remedy: str | None = None) -> None:
        """Note a problem at the key ``path``; what one template does to many devices is one problem."""
        if any(_same_cause(path, earlier) for earlier in self._first_look):
            return
        alike = self._alike.get((path, _pattern(message)))
        if alike is not None:
            alike.again()
            return
        self._paths.append(path)
        file, line = self._place(path)
        error = UsageError(message, remedy=remedy, file=file, line=line, key=dotted(path) or None)
        self._alike[path, _pattern(message)] = _Alike(error)
        self.found.append(error)

    def end_of_first_look(self) -> None:
        """Take what follows from a value that the schema refused for the same problem from now on."""
        self._first_look = list(self._paths)

    def missing(self, path: Path) -> None:
        """Note that the key ``path`` must be there."""
        self.add(path, f"the key {path[-1]!r} is missing", f"add it to [{dotted(path[:-1])}]")

    def add_error(self, path: Path, error: LabtrainError) -> None:
        """Note an error raised below, placing it at the key ``path``."""
        self.add(path, error.message, error.remedy)

    def unless_none(self) -> None:
        """Raise what has been found.

        Raises
        ------
        BenchFileError
            With every problem, when there is one.
        """
        if self.found:
            raise BenchFileError(self.found, self.file)

    def _place(self, path: Path) -> tuple[str, int | None]:
        for length in range(len(path), 0, -1):
            for file, lines in self._lines:
                if path[:length] in lines:
                    return file, nearest_line(lines, path[:length])
        return self.file, None


def _same_cause(path: Path, earlier: Path) -> bool:
    shorter = min(len(path), len(earlier))
    return path[:shorter] == earlier[:shorter] and len(earlier) - len(path) <= 1


def _pattern(message: str) -> str:
    """Return what is the same in the messages about several devices of one array: all but numbers."""
    return re.sub(r"[0-9]+(\.[0-9]+)?", "#", message)
