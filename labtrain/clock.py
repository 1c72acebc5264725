"""Time, asked of one object, so that it can be real, virtual or replayed."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod


class Clock(ABC):
    """What the bench asks for time; nanoseconds as integers."""

    @abstractmethod
    def now_ns(self) -> int:
        """Monotonic nanoseconds since the clock started."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    def now_awaiting_ns(self, ns: int) -> int:
        """Return the time, asked about something that runs by itself until ``ns``."""
        return self.now_ns()

    @abstractmethod
    def utc_ns(self) -> int:
        """Nanoseconds since 1970 in UTC, for the record's header only."""


class RealClock(Clock):
    """The computer's own clock."""

    def __init__(self) -> None:
        self._start = time.perf_counter_ns()

    def now_ns(self) -> int:
        """Nanoseconds since this clock was made."""
        return time.perf_counter_ns() - self._start

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        if seconds > 0:
            time.sleep(seconds)

    def utc_ns(self) -> int:
        """The computer's UTC."""
        return time.time_ns()


class VirtualClock(Clock):
    """Time that passes only when somebody lets it; shared by a bench and its simulated instruments.

    Thread-safe: loopback servers advance it from their own threads.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now = start_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance by ``seconds`` at once."""
        self.advance_ns(round(seconds * 1e9))

    def advance_ns(self, nanoseconds: int) -> None:
        """Advance by a whole number of nanoseconds (negative ones are ignored)."""
        if nanoseconds > 0:
            with self._lock:
                self._now += nanoseconds

    def utc_ns(self) -> int:
        """The computer's UTC: the virtual clock has no calendar."""
        return time.time_ns()


class ServedVirtualClock(VirtualClock):
    """Virtual time for clients in other processes, who cannot let it pass.

    While they wait for something that runs by itself, a sweep, virtual time would stand still for ever: so it
    jumps to the end of that when they ask again.
    """

    def now_awaiting_ns(self, ns: int) -> int:
        """Go there at once."""
        self.advance_ns(ns - self.now_ns())
        return self.now_ns()
