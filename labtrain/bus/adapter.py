"""PyMeasure's message seam, onto the bus."""

from __future__ import annotations

from logging import DEBUG
from typing import TYPE_CHECKING, Any, final

from pymeasure.adapters.adapter import Adapter

from labtrain.errors import InstrumentError

if TYPE_CHECKING:
    from labtrain.bus.port import Port


@final
class BusAdapter(Adapter):
    """The adapter that a driver gets; it carries messages only inside a role's call.

    A driver is a PyMeasure instrument, so ``.write``, ``.adapter`` and inherited setters exist.
    Going round the role that owns the driver, and so round its limits, ends here: a message that
    does not come from inside a role call is refused before a byte is sent.

    ``write`` and ``read`` are PyMeasure's with the same log entries, which are only made where somebody
    listens: made for nobody they cost as much as the way to the bus.
    """

    def __init__(self, port: Port, termination: bytes) -> None:
        super().__init__()
        self._port = port
        self._termination = termination
        self._rest = b""
        self._listened_to = self.log.isEnabledFor

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command, terminated."""
        if self._listened_to(DEBUG):
            self.log.debug("WRITE:%s", command)
        self._port.write(command.encode("ascii") + self._termination)

    def read(self, **kwargs: Any) -> str:
        """Return the next reply without its terminator."""
        reply = self._port.read()
        try:
            text = reply.removesuffix(self._termination).decode("ascii")
        except UnicodeDecodeError:
            raise InstrumentError(
                f"sent a reply that is no text: {reply[:40]!r}", instrument=self._port.alias
            ) from None
        if self._listened_to(DEBUG):
            self.log.debug("READ:%s", text)
        return text

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self._port.write(bytes(content))

    def _read_bytes(self, count: int, break_on_termchar: bool, **kwargs: Any) -> bytes:
        reply = self._rest or self._port.read()
        if count < 0 or break_on_termchar:
            count = len(reply)
        self._rest = reply[count:]
        return reply[:count]

    def flush_read_buffer(self) -> None:
        """Drop what waits to be read."""
        self._rest = b""
        self._port.clear()

    def __repr__(self) -> str:
        return f"<BusAdapter of {self._port.alias!r}>"
