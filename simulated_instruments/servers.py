"""Loopback servers: a simulated instrument behind a real TCP socket or a real pseudo-terminal.

Each client of a socket has its own thread, as each has its own connection on a real
instrument; all end with :meth:`Server.close`.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from labtrain.errors import LabtrainError

Handle = Callable[[bytes], bytes | None]

_CHUNK: Final = 65536
_LONGEST_LINE: Final = 1 << 20


class Server(ABC):
    """Something that answers until it is closed."""

    resource: str
    """The VISA resource by which clients reach it."""

    @abstractmethod
    def close(self) -> None:
        """Stop answering and wait for its threads; closing twice is harmless."""


class LineBuffer:
    """Cuts a stream of bytes into messages that end in a newline."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the messages that are complete, terminators included."""
        if not self._kept and data.find(b"\n") == len(data) - 1:  # one message: nearly always
            return [data]
        whole = self._kept + data
        if not whole.endswith(b"\n"):
            head, _, self._kept = whole.rpartition(b"\n")
            if len(self._kept) > _LONGEST_LINE:
                self._kept = b""
            return [line + b"\n" for line in head.split(b"\n")] if head else []
        self._kept = b""
        return [line + b"\n" for line in whole[:-1].split(b"\n")]


class TcpServer(Server):
    """Serves one instrument on a TCP port, Nagle's algorithm off.

    Parameters
    ----------
    handle
        The instrument.
    host
        Where to listen; the port is chosen by the system.
    url
        Formats the resource from host and port.
    """

    def __init__(
        self, handle: Handle, host: str = "127.0.0.1", url: str = "TCPIP0::{host}::{port}::SOCKET"
    ) -> None:
        self._handle = handle
        self._listener = socket.create_server((host, 0))
        self._clients: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._closed = False
        self.resource = url.format(host=host, port=self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True, name=self.resource)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._guard:
                self._clients.add(client)
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True, name=self.resource)
                self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        lines = LineBuffer()
        with suppress(OSError, LabtrainError), client:
            while data := client.recv(_CHUNK):
                for message in lines.feed(data):
                    reply = self._handle(message)
                    if reply is not None:
                        client.sendall(reply)
        with self._guard:
            self._clients.discard(client)

    def close(self) -> None:
        """Close the port and every connection."""
        if self._closed:
            return
        self._closed = True
        with suppress(OSError):  # wakes accept(), which close() alone does not do on Linux
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            clients, threads = list(self._clients), list(self._threads)
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(timeout=5.0)


class PtyServer(Server):
    """Serves one instrument on a pseudo-terminal, which clients open like a serial port (POSIX)."""

    def __init__(self, handle: Handle) -> None:
        import pty
        import tty

        self._handle = handle
        self._ours, self._theirs = pty.openpty()  # theirs stays open, so that clients may come and go
        tty.setraw(self._theirs)
        self._wake, self._stop = os.pipe()
        self.resource = f"ASRL{os.ttyname(self._theirs)}::INSTR"
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True, name=self.resource)
        self._thread.start()

    def _serve(self) -> None:
        lines = LineBuffer()
        with suppress(OSError):
            while True:
                ready, _, _ = select.select([self._ours, self._wake], [], [])
                if self._wake in ready:
                    return
                for message in lines.feed(os.read(self._ours, _CHUNK)):
                    self._answer(message)

    def _answer(self, message: bytes) -> None:
        with suppress(LabtrainError):  # a cut connection: a serial line just stays silent
            reply = self._handle(message)
            if reply is not None:
                os.write(self._ours, reply)

    def close(self) -> None:
        """Stop and close the terminal."""
        if self._closed:
            return
        self._closed = True
        os.write(self._stop, b"x")
        self._thread.join(timeout=5.0)
        for descriptor in (self._ours, self._theirs, self._wake, self._stop):
            os.close(descriptor)


def serve_serial(handle: Handle, host: str) -> Server:
    """Serve a serial instrument: a pseudo-terminal, or pyserial's ``socket://`` where there is none."""
    if os.name == "posix":
        return PtyServer(handle)
    return TcpServer(handle, host, url="socket://{host}:{port}")


def serve_socket(handle: Handle, host: str) -> Server:
    """Serve a SCPI instrument on a raw socket."""
    return TcpServer(handle, host)
