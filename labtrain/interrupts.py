"""Short pieces of work that Ctrl-C and termination requests must not tear apart.

Python raises ``KeyboardInterrupt`` between any two instructions: between taking a
lock and the block that would release it, or in the middle of a simulated
instrument, which a real one would never be. Inside ``with UNINTERRUPTED:`` a
request waits for the end of the block; handlers ask :meth:`holds_back` first.
"""

from __future__ import annotations

import signal
import threading
from threading import get_ident
from typing import final


@final
class _Uninterrupted:
    """Re-entrant; counts in the main thread only, the one that signals interrupt."""

    __slots__ = ("_depth", "_late", "_main")

    def __init__(self) -> None:
        self._depth = 0
        self._late: list[int] = []
        self._main = threading.main_thread().ident

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self._depth += 1

    def __exit__(self, *exception: object) -> None:
        if get_ident() == self._main:
            self._depth -= 1
            if self._late and not self._depth:
                signal.raise_signal(self._late.pop(0))

    def holds_back(self, number: int) -> bool:
        """Say whether a signal has to wait; if so it is raised again at the end of the block."""
        if self._depth:
            self._late.append(number)
        return bool(self._depth)


UNINTERRUPTED = _Uninterrupted()
