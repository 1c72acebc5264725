"""Links that know when silence is certain, so that a test of lost replies waits for none and trusts no clock.

A link's own time-out is long. But once the instrument has dealt with every message that was sent, and a
moment later nothing has come, nothing will: the wait ends there, as it would after the time-out.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from labtrain.links import Link, SerialLink, VisaLink

Handle = Callable[[bytes], bytes | None]

TIMEOUT = 20.0
MOMENT = 0.1
"""Seconds between an instrument's return and its reply on the wire, at the most."""


class Counted:
    """An instrument that counts what it has dealt with; ``sent`` counts what links gave it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.sent = self.done = 0

    def __call__(self, message: bytes) -> bytes | None:
        try:
            return self._handle(message)
        finally:
            self.done += 1

    @property
    def idle(self) -> bool:
        return self.done >= self.sent


class _Waiting:
    """Stands before a socket or a port: counts what goes out, waits for what comes in."""

    def __init__(self, inner: Any, counted: Counted) -> None:
        self._inner, self._counted = inner, counted
        self._moment = MOMENT

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _count(self, data: bytes) -> None:
        self._counted.sent += data.count(b"\n")

    def _silent(self) -> bool:
        """Wait until something can be read or it is certain that nothing will come."""
        for _ in range(round(TIMEOUT / MOMENT)):
            idle = self._counted.idle
            if select.select([self._inner], [], [], self._moment)[0]:
                return False
            if idle:
                return True
        return True


class WaitingSocket(_Waiting):
    def sendall(self, data: bytes) -> None:
        self._count(data)
        self._inner.sendall(data)

    def recv(self, size: int) -> bytes:
        if self._moment and self._silent():
            raise TimeoutError
        return self._inner.recv(size)

    def setblocking(self, on: bool) -> None:
        self._moment = MOMENT if on else 0.0
        self._inner.setblocking(on)

    def settimeout(self, seconds: float) -> None:
        self._moment = MOMENT
        self._inner.settimeout(seconds)


class WaitingPort(_Waiting):
    def write(self, data: bytes) -> int:
        self._count(data)
        return self._inner.write(data)

    def read(self, size: int) -> bytes:
        return b"" if self._silent() else self._inner.read(size)


def open_link(resource: str, counted: Counted) -> Link:
    """Open a link to a counted instrument's server."""
    if resource.startswith("TCPIP"):
        visa = VisaLink(resource, b"\n", TIMEOUT)
        visa._wire._socket = WaitingSocket(visa._wire._socket, counted)
        return visa
    serial = SerialLink(resource, b"\n", TIMEOUT)
    serial._port = WaitingPort(serial._port, counted)
    return serial
