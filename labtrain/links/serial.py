"""A link by serial port (pyserial): real ports, USB adapters, ptys, ``socket://`` and ``loop://``."""

from __future__ import annotations

import os
import re
from typing import Any

import serial

from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout
from labtrain.links.framing import Framer
from labtrain.links.link import Link

_VISA_NAME = re.compile(r"ASRL(?P<port>.+?)(::INSTR)?", re.IGNORECASE)


def port_of(resource: str) -> str:
    """Translate a VISA name of a serial port into the port's own name.

    ``ASRL/dev/ttyUSB0::INSTR`` is ``/dev/ttyUSB0``; ``ASRL3::INSTR`` is ``COM3`` on Windows and
    ``/dev/ttyS2`` elsewhere, as VISA numbers them. Anything else is taken as it stands.
    """
    match = _VISA_NAME.fullmatch(resource)
    if match is None:
        return resource
    port = match["port"]
    if not port.isdigit():
        return port
    return f"COM{port}" if os.name == "nt" else f"/dev/ttyS{int(port) - 1}"


class SerialLink(Link):
    """One instrument on a serial port.

    Parameters
    ----------
    resource
        ``"ASRL/dev/ttyUSB0::INSTR"``, ``"COM4"``, ``"/dev/ttyACM0"``, ``"socket://host:port"``.
    termination
        Of messages and replies.
    timeout
        In seconds, for every reply.
    baud_rate
        Bits per second; 8 data bits, no parity, 1 stop bit.

    Notes
    -----
    DTR is taken down before the port is opened: Arduino-type boards reset when it rises, and a
    reset drops every relay of a matrix. (The operating system may still pulse it: see the hardware
    fix in the documentation of the serial matrix.)

    Raises
    ------
    InstrumentError
        Where the port cannot be opened.
    """

    def __init__(
        self, resource: str, termination: bytes = b"\n", timeout: float = 5.0, baud_rate: int = 115_200
    ) -> None:
        self.resource = resource
        self._timeout = timeout
        self._framer = Framer(termination, resource)
        try:
            port = serial.serial_for_url(port_of(resource), do_not_open=True)
            port.baudrate, port.timeout, port.write_timeout = baud_rate, timeout, timeout
            port.dtr = False
            port.open()
        except (OSError, ValueError) as error:
            raise InstrumentError(
                f"cannot be opened: {error}",
                resource=resource,
                remedy="check the port's name and that no other program holds it; `labtrain doctor` lists"
                " the ports",
            ) from None
        self._port: Any = port

    def send(self, message: bytes) -> None:
        """Write the message."""
        try:
            self._open_port().write(message)
        except serial.SerialTimeoutException:
            raise InstrumentTimeout("does not take the message", resource=self.resource) from None
        except OSError as error:  # SerialException is one
            raise ConnectionLost(f"connection lost ({error})", resource=self.resource) from None

    def receive(self) -> bytes:
        """Return the next reply; raises :class:`InstrumentTimeout` or :class:`ConnectionLost`."""
        framer = self._framer
        while (reply := framer.take()) is None:
            framer.feed(self._read_some())
        return reply

    def clear(self) -> None:
        """Drop what has arrived; serial lines have no device clear."""
        self._framer.drop()
        if self._port is not None:
            try:
                self._port.reset_input_buffer()
            except OSError as error:
                raise ConnectionLost(f"connection lost ({error})", resource=self.resource) from None

    def close(self) -> None:
        """Close the port."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _read_some(self) -> bytes:
        # one read a byte costs 2.5 us each; whatever waits comes in one read
        port = self._open_port()
        try:
            data = bytes(port.read(port.in_waiting or 1))
        except OSError as error:
            raise ConnectionLost(f"connection lost ({error})", resource=self.resource) from None
        if not data:
            raise InstrumentTimeout(
                f"no answer within {self._timeout:g} s",
                resource=self.resource,
                remedy="is it switched on, and does it speak at this baud rate?",
            )
        return data

    def _open_port(self) -> Any:
        if self._port is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        return self._port
