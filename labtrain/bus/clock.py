"""The bench's clock as the record sees it: every reading is a message to the port ``clock``."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import final

from labtrain.clock import Clock
from labtrain.session.sink import Sink

PORT = "clock"
QUESTION = b"now"
_NANOSECONDS = struct.Struct("<q")


@final
class RecordedClock(Clock):
    """Readings go through the sink, so that a replay gives the same times and so the same decisions.

    Before time is read or passes, the bus waits for its last unanswered write: otherwise a message that
    is still on its way would be carried out after the pause that was meant to follow it.

    Parameters
    ----------
    clock
        Real, virtual or replayed.
    sink
        Where readings are noted: port ``"clock"``, command ``b"now"``, reply int64 little endian.
    lock
        The bench's.
    settle
        Waits for the last unanswered write.
    """

    def __init__(self, clock: Clock, sink: Sink, lock: threading.RLock, settle: Callable[[], None]) -> None:
        self._clock, self._sink, self._lock, self._settle = clock, sink, lock, settle

    def now_ns(self) -> int:
        """Read the clock and note the reading."""
        with self._lock:
            self._settle()
            now = self._clock.now_ns()
            seq = self._sink.command(PORT, QUESTION, now)
            self._sink.reply(PORT, seq, _NANOSECONDS.pack(now), "ok", now)
            return now

    def sleep(self, seconds: float) -> None:
        """Let time pass; the pause itself is not noted."""
        with self._lock:
            self._settle()
        self._clock.sleep(seconds)

    def utc_ns(self) -> int:
        """UTC, for the record's header only; not noted."""
        return self._clock.utc_ns()
