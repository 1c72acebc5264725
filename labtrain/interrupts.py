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
    """Re-entrant; counts in the main thread only, the one that signals interrupt.

    Attributes
    ----------
    main
        The main thread's number.
    depth, late
        How many blocks are open, and the signals that wait. What is done for every message counts ``depth``
        up and down by itself, in the main thread only, and calls :meth:`end` where ``late`` holds something:
        entering and leaving a block costs as much as what it guards.
    """

    __slots__ = ("depth", "late", "main")

    def __init__(self) -> None:
        self.depth = 0
        self.late: list[int] = []
        self.main = threading.main_thread().ident

    def __enter__(self) -> None:
        if get_ident() == self.main:
            self.depth += 1

    def __exit__(self, *exception: object) -> None:
        if get_ident() == self.main:
            self.depth -= 1
            if self.late:
                self.end()

    def end(self) -> None:
        """Raise the first signal that waits, unless another block is open; in the main thread only."""
        if self.late and not self.depth:
            signal.raise_signal(self.late.pop(0))

    def holds_back(self, number: int) -> bool:
        """Say whether a signal has to wait; if so it is raised again at the end of the block."""
        if self.depth:
            self.late.append(number)
        return bool(self.depth)


UNINTERRUPTED = _Uninterrupted()
