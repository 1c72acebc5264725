"""The bench's clock as the record sees it: every reading is a message to the port ``clock``."""

from __future__ import annotations

import struct
import threading
from typing import final

from labtrain.clock import Clock
from labtrain.session.sink import Sink

PORT = "clock"
QUESTION = b"now"
_NANOSECONDS = struct.Struct("<q")


@final
class RecordedClock(Clock):
    """Readings go through the sink, so that a replay gives the same times and so the same decisions.

    Parameters
    ----------
    clock
        Real, virtual or replayed.
    sink
        Where readings are noted: port ``"clock"``, command ``b"now"``, reply int64 little endian.
    lock
        The bench's.
    """

    def __init__(self, clock: Clock, sink: Sink, lock: threading.RLock) -> None:
        self._clock, self._sink, self._lock = clock, sink, lock

    def now_ns(self) -> int:
        """Read the clock and note the reading."""
        with self._lock:
            now = self._clock.now_ns()
            seq = self._sink.command(PORT, QUESTION, now)
            self._sink.reply(PORT, seq, _NANOSECONDS.pack(now), "ok", now)
            return now

    def sleep(self, seconds: float) -> None:
        """Let time pass; nothing to note."""
        self._clock.sleep(seconds)

    def utc_ns(self) -> int:
        """UTC, for the record's header only; not noted."""
        return self._clock.utc_ns()
