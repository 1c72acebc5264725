"""A link by VISA: sockets, GPIB, USB, VXI-11, HiSLIP.

Knows PyVISA; does not know instruments. PyVISA opens every session, so that addresses,
aliases and system VISA libraries work as everywhere else. Bytes of a pyvisa-py socket
session are carried on that session's own socket, for three measured reasons: pyvisa-py
leaves Nagle's algorithm on (44 ms for every write followed by a query), spins until the
time-out when the peer has closed (and then reports a time-out), and copies each reply
several times.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

import pyvisa
from pyvisa.constants import ResourceAttribute, StatusCode
from pyvisa_py.highlevel import PyVisaLibrary
from pyvisa_py.tcpip import TCPIPSocketSession

from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout
from labtrain.links.framing import Framer
from labtrain.links.link import Link

_CHUNK = 1 << 16


class _Wire(ABC):
    """How bytes of one VISA session move."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send all of ``data``."""

    @abstractmethod
    def read(self) -> bytes:
        """Return some bytes, at least one."""

    @abstractmethod
    def drain(self) -> None:
        """Device clear where there is one; drop what has arrived."""


class _SocketWire(_Wire):
    """The socket of a pyvisa-py session."""

    def __init__(self, peer: socket.socket, resource: str, timeout: float) -> None:
        error = peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:  # pyvisa-py takes a refused connection for an open one
            raise OSError(error, "the connection was refused")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.settimeout(timeout)
        self._socket, self._resource, self._timeout = peer, resource, timeout

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise InstrumentTimeout("does not take the message", resource=self._resource) from None
        except OSError as error:
            raise ConnectionLost(f"connection lost ({error})", resource=self._resource) from None

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise _silent(self._resource, self._timeout) from None
        except OSError as error:
            raise ConnectionLost(f"connection lost ({error})", resource=self._resource) from None
        if not data:
            raise ConnectionLost("connection lost: the other side closed it", resource=self._resource)
        return data

    def drain(self) -> None:
        self._socket.setblocking(False)
        try:
            with suppress(BlockingIOError, OSError):
                while self._socket.recv(_CHUNK):
                    pass
        finally:
            self._socket.settimeout(self._timeout)


class _SessionWire(_Wire):
    """Any other session, through PyVISA's own reads and writes."""

    def __init__(self, session: Any, resource: str, timeout: float) -> None:
        session.timeout = timeout * 1e3
        with suppress(pyvisa.Error, AttributeError, NotImplementedError):
            session.set_visa_attribute(ResourceAttribute.tcpip_nodelay, True)  # system VISA, sockets only
        self._session, self._resource, self._timeout = session, resource, timeout

    def write(self, data: bytes) -> None:
        try:
            self._session.write_raw(data)
        except pyvisa.VisaIOError as error:
            raise self._named(error) from None

    def read(self) -> bytes:
        try:
            data = bytes(self._session.read_raw())
        except pyvisa.VisaIOError as error:
            raise self._named(error) from None
        return data

    def drain(self) -> None:
        with suppress(pyvisa.VisaIOError, NotImplementedError):
            self._session.clear()

    def _named(self, error: pyvisa.VisaIOError) -> InstrumentError:
        if error.error_code == StatusCode.error_timeout:
            return _silent(self._resource, self._timeout)
        return ConnectionLost(f"connection lost ({error.abbreviation})", resource=self._resource)


def _silent(resource: str, timeout: float) -> InstrumentTimeout:
    return InstrumentTimeout(
        f"no answer within {timeout:g} s",
        resource=resource,
        remedy="is it switched on, in its SCPI command set, and free of other programs?",
    )


class VisaLink(Link):
    """One instrument by its VISA resource name.

    Parameters
    ----------
    resource
        For instance ``"TCPIP0::192.168.0.10::5025::SOCKET"``.
    termination
        Of messages and replies.
    timeout
        In seconds, for opening and for every reply.
    library
        PyVISA's library argument; empty for its default order: a system VISA, then ``"@py"``.

    Raises
    ------
    InstrumentError
        Where the resource cannot be opened.
    """

    def __init__(
        self, resource: str, termination: bytes = b"\n", timeout: float = 5.0, library: str = ""
    ) -> None:
        self.resource = resource
        self._framer = Framer(termination, resource)
        try:
            manager = pyvisa.ResourceManager(library)
            session = manager.open_resource(resource, open_timeout=round(timeout * 1e3))
        except Exception as error:  # PyVISA and its back ends raise plain Exceptions here too
            raise _unreachable(resource, error) from None
        self._session: Any = session
        try:
            self._wire = _wire_of(session, resource, termination, timeout)
        except OSError as error:
            session.close()
            raise _unreachable(resource, error) from None

    def send(self, message: bytes) -> None:
        """Send at once (never delayed by Nagle's algorithm)."""
        if self._session is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        self._wire.write(message)

    def receive(self) -> bytes:
        """Return the next reply; raises :class:`InstrumentTimeout` or :class:`ConnectionLost`."""
        if self._session is None:
            raise ConnectionLost("the link is closed", resource=self.resource)
        framer = self._framer
        if not framer.waiting:
            data = self._wire.read()
            if framer.passes(data):
                return data
            framer.feed(data)
        while (reply := framer.take()) is None:
            framer.feed(self._wire.read())
        return reply

    def clear(self) -> None:
        """Device clear where the interface has one; drop what has arrived."""
        if self._session is not None:
            self._wire.drain()
        self._framer.drop()

    def close(self) -> None:
        """Close the session."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(pyvisa.Error, OSError):
                session.close()


def _wire_of(session: Any, resource: str, termination: bytes, timeout: float) -> _Wire:
    if isinstance(session.visalib, PyVisaLibrary):
        inner = session.visalib.sessions[session.session]
        if isinstance(inner, TCPIPSocketSession):
            return _SocketWire(inner.interface, resource, timeout)
    if isinstance(session, pyvisa.resources.TCPIPSocket):
        session.read_termination = session.write_termination = termination.decode("ascii")
    return _SessionWire(session, resource, timeout)


def _unreachable(resource: str, error: Exception) -> InstrumentError:
    return InstrumentError(
        f"cannot be opened: {error}",
        resource=resource,
        remedy="check the address, the cable and that no other program holds it; `labtrain doctor` lists"
        " what is seen",
    )
