"""Termination requests become an exception in the main thread, so that every ``finally`` runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, final

from labtrain.errors import Terminated
from labtrain.interrupts import UNINTERRUPTED

_REQUESTS = ("SIGTERM", "SIGHUP", "SIGBREAK")
_ALL = (*_REQUESTS, "SIGINT")


def _numbers(names: tuple[str, ...]) -> list[signal.Signals]:
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


def _raise(number: int, frame: FrameType | None) -> None:
    if UNINTERRUPTED.holds_back(number):
        return
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(f"asked to end by {signal.Signals(number).name}")


@final
class TerminationAsException:
    """While installed, SIGTERM, SIGHUP and a closing console raise :class:`Terminated`.

    Ctrl-C goes on raising ``KeyboardInterrupt``; all of them wait for the end of an uninterrupted block.
    Only in the main thread, and only where the program has no handler of its own.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in _numbers(_ALL):
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = signal.signal(number, _raise)

    def uninstall(self) -> None:
        """Put back what was there; twice is harmless. Only the main thread can: for others it stays."""
        if threading.current_thread() is threading.main_thread():
            before, self._before = self._before, {}
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and termination requests back until the block has ended, then let them through."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: waiting.append(number))
        for number in _numbers(_ALL)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for late in waiting:
        signal.raise_signal(late)
