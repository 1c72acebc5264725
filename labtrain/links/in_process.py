"""A link to an instrument that lives in this process: a function from message to reply."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from labtrain.errors import ConnectionLost, InstrumentTimeout
from labtrain.links.link import Link


class InProcessLink(Link):
    """Calls ``handle(message)`` for every message and queues what it returns.

    Parameters
    ----------
    resource
        The name in error messages.
    handle
        Takes one message with its terminator and returns the reply with its terminator,
        or None where the instrument stays silent.

    Notes
    -----
    Nothing can arrive later, so :meth:`receive` with nothing waiting is a time-out at once.
    """

    __slots__ = ("_handle", "_replies", "resource")

    def __init__(self, resource: str, handle: Callable[[bytes], bytes | None]) -> None:
        self.resource = resource
        self._handle: Callable[[bytes], bytes | None] | None = handle
        self._replies: deque[bytes] = deque()

    def send(self, message: bytes) -> None:
        """Hand the message over; raises :class:`ConnectionLost` after :meth:`close`."""
        if self._handle is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        reply = self._handle(message)
        if reply is not None:
            self._replies.append(reply)

    def receive(self) -> bytes:
        """Return the oldest reply; raises :class:`InstrumentTimeout` at once where there is none."""
        if self._replies:
            return self._replies.popleft()
        if self._handle is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        raise InstrumentTimeout("does not answer", resource=self.resource)

    def clear(self) -> None:
        """Drop what waits."""
        self._replies.clear()

    def close(self) -> None:
        """Let go of the instrument."""
        self._handle = None
        self._replies.clear()
