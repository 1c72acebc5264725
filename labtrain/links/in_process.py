"""A link to an instrument that lives in this process: a function from message to reply."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import get_ident

from labtrain.errors import ConnectionLost, InstrumentTimeout
from labtrain.interrupts import UNINTERRUPTED
from labtrain.links.framing import Framer
from labtrain.links.link import Link

_END = b"\n"


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
    Nothing can arrive later, so :meth:`receive` with nothing waiting is a time-out at once. What is not
    one whole line (a block, a cut reply, a late one in front of another) is framed as on a socket.
    """

    __slots__ = ("_framer", "_handle", "_replies", "_unframed", "resource")

    def __init__(self, resource: str, handle: Callable[[bytes], bytes | None]) -> None:
        self.resource = resource
        self._handle: Callable[[bytes], bytes | None] | None = handle
        self._replies: deque[bytes] = deque()
        self._framer = Framer(_END, resource)
        self._unframed = False

    def send(self, message: bytes) -> None:
        """Hand the message over; raises :class:`ConnectionLost` after :meth:`close`."""
        if self._handle is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        if get_ident() == UNINTERRUPTED.main:
            reply = self._uninterrupted(self._handle, message)
        else:
            reply = self._handle(message)
        if reply is None:
            return
        if not self._unframed and reply.find(_END) == len(reply) - 1:  # nearly always
            self._replies.append(reply)
        else:
            self._frame(reply)

    @staticmethod
    def _uninterrupted(handle: Callable[[bytes], bytes | None], message: bytes) -> bytes | None:
        UNINTERRUPTED.depth += 1
        try:
            return handle(message)
        finally:
            UNINTERRUPTED.depth -= 1
            if UNINTERRUPTED.late:
                UNINTERRUPTED.end()

    def _frame(self, reply: bytes) -> None:
        """Cut what came into replies; a rest without its terminator waits for more."""
        self._framer.feed(reply)
        self._unframed = True
        while (whole := self._framer.take()) is not None:
            self._replies.append(whole)
        self._unframed = self._framer.waiting

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
        self._framer.drop()
        self._unframed = False

    def close(self) -> None:
        """Let go of the instrument."""
        self._handle = None
        self._replies.clear()
