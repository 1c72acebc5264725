"""How far the record was when somebody stopped the run.

An interrupted run goes on recording while it unwinds (outputs go off, relays
open). A replay and a resumed run must know where the run itself ended, so the
signal handler remembers the last sequence number, before anything unwinds.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, final

from labtrain.errors import Terminated
from labtrain.interrupts import UNINTERRUPTED

_REQUESTS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@final
class InterruptMark:
    """While installed, Ctrl-C and termination requests are marked and then do what they did before.

    Only in the main thread. A request that would end the process at once raises
    :class:`~labtrain.errors.Terminated` instead, so that the record is sealed.

    Parameters
    ----------
    position
        Gives the last sequence number; called inside a signal handler, so it may take no lock.

    Attributes
    ----------
    after
        The last sequence number before the first request; None without one.
    """

    def __init__(self, position: Callable[[], int]) -> None:
        self.after: int | None = None
        self._position = position
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Begin to mark; a request that the program ignores stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _REQUESTS:
            if name in signal.Signals.__members__:
                number = signal.Signals[name]
                before = signal.getsignal(number)
                if callable(before) or before is signal.SIG_DFL:
                    self._before[number] = before
                    signal.signal(number, self._mark)

    def uninstall(self) -> None:
        """Put the handlers back, unless somebody put others in their place; twice is harmless."""
        if threading.current_thread() is not threading.main_thread():
            return
        before, self._before = self._before, {}
        for number, handler in before.items():
            if signal.getsignal(number) == self._mark:
                signal.signal(number, handler)

    def _mark(self, number: int, frame: FrameType | None) -> None:
        if UNINTERRUPTED.holds_back(number):
            return
        if self.after is None:
            self.after = self._position()
        before = self._before.get(number, signal.SIG_DFL)
        if callable(before):
            before(number, frame)
            return
        raise Terminated(f"asked to end by {signal.Signals(number).name}")
