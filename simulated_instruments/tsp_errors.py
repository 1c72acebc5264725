"""Errors of a TSP instrument: numbers, texts, and the queue that ``errorqueue.next()`` reads.

Numbers are those of the Series 2600B Reference Manual (2600BS-901-01), "Error summary list".
"""

from __future__ import annotations

from collections import deque
from typing import Final

_SEVERITY: Final = 20.0
"""Recoverable."""


class TspError(Exception):
    """Raised inside a TSP instrument; ends in its error queue, never outside."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def runtime(what: str) -> TspError:
    """Make the error of a chunk that reads well but cannot be carried out."""
    return TspError(-286, f"TSP Runtime error at line 1: {what}")


def too_big(what: str) -> TspError:
    """Make the error of a value above its bounds."""
    return TspError(1101, f"Parameter too big: {what}")


def too_small(what: str) -> TspError:
    """Make the error of a value below its bounds."""
    return TspError(1102, f"Parameter too small: {what}")


class TspErrorQueue:
    """First in, first out; the last place turns into -350 when it is full."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._entries: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, error: TspError) -> None:
        """Add one error."""
        if len(self._entries) >= self._size:
            self._entries[-1] = (-350, "Queue overflow")
            return
        self._entries.append((error.code, error.message.replace("\n", " ").replace("\t", " ")))

    def pop(self) -> tuple[float, str, float, float]:
        """Take the oldest: code, message, severity, node."""
        if not self._entries:
            return 0.0, "Queue Is Empty", 0.0, 0.0
        code, message = self._entries.popleft()
        return float(code), message, _SEVERITY, 1.0

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()

    def codes(self) -> list[int]:
        """The numbers waiting, oldest first."""
        return [code for code, _ in self._entries]
