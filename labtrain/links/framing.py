"""Cut a stream of bytes into replies: lines, and IEEE 488.2 definite-length blocks read whole."""

from __future__ import annotations

from labtrain.errors import InstrumentError

_HASH = ord("#")


class Framer:
    """Collects what a stream brings and hands out one reply at a time.

    Parameters
    ----------
    termination
        What ends a line; a block is followed by it too.
    resource
        For the message of an error.

    Notes
    -----
    A binary block may contain the terminator as data, so a reply that starts with ``#`` is
    measured by the length that it states (IEEE 488.2-1992, 8.7.9), never by its terminator.
    """

    __slots__ = ("_buffer", "_resource", "_termination")

    def __init__(self, termination: bytes, resource: str) -> None:
        self._buffer = bytearray()
        self._termination = termination
        self._resource = resource

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._buffer += data

    def passes(self, data: bytes) -> bool:
        """Tell whether ``data`` is one whole line and nothing waits in front of it: nearly always."""
        if self._buffer or data[0] == _HASH:
            return False
        return data.endswith(self._termination) and data.count(self._termination) == 1

    def take(self) -> bytes | None:
        """Return the next whole reply with its terminator, or None if more bytes are needed."""
        buffer = self._buffer
        if buffer and buffer[0] == _HASH:
            end = self._block_end()
        else:
            end = buffer.find(self._termination) + len(self._termination)
            if end < len(self._termination):
                return None
        if end < 0 or len(buffer) < end:
            return None
        reply = bytes(buffer[:end])
        del buffer[:end]
        return reply

    @property
    def waiting(self) -> bool:
        """Whether there is a beginning of a reply."""
        return bool(self._buffer)

    def drop(self) -> None:
        """Forget what waits."""
        self._buffer.clear()

    def _block_end(self) -> int:
        """Where the block at the front ends, terminator included; -1 while that is unknown."""
        buffer = self._buffer
        if len(buffer) < 2:
            return -1
        digits = buffer[1] - ord("0")
        if not 1 <= digits <= 9:
            raise InstrumentError(
                "sent a block of indefinite length, whose end a byte stream cannot show",
                resource=self._resource,
                remedy="ask the instrument for ASCII or for definite-length blocks (#<digits><length>...)",
            )
        if len(buffer) < 2 + digits:
            return -1
        return 2 + digits + int(buffer[2 : 2 + digits]) + len(self._termination)
