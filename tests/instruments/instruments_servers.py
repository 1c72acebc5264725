"""Real mounts for small instruments: TCP sockets and ptys, and a toy that counts, waits and breaks."""

from __future__ import annotations

import os
import select
import socket
import threading
import tty
from collections.abc import Callable
from contextlib import suppress

from labtrain.roles.spec import DriverSpec

Handle = Callable[[bytes], bytes | None]

TOY = DriverSpec(model="toy", role="source-meter", open=lambda adapter, name, options: adapter)


class Toy:
    """Knows SET, GET?, ECHO?, BLOCK?, *IDN? and *OPC?; to anything else it says nothing."""

    def __init__(self, name: str = "toy", log: list[bytes] | None = None) -> None:
        self.name = name
        self.value = 0
        self.received: list[bytes] = []
        self.log = self.received if log is None else log
        self._lock = threading.Lock()

    def handle(self, message: bytes) -> bytes | None:
        with self._lock:
            self.received.append(message)
            if self.log is not self.received:
                self.log.append(self.name.encode() + b" " + message)
            word, _, rest = message.strip().partition(b" ")
            if word == b"SET":
                self.value = int(rest)
                return None
            answers = {
                b"GET?": b"%d" % self.value,
                b"*IDN?": b"LAB,toy,%s,1" % self.name.encode(),
                b"*OPC?": b"1",
                b"ECHO?": rest,
                b"BLOCK?": b"#16a\nb#\n!",
            }
            answer = answers.get(word)
            return None if answer is None else answer + b"\n"


class TcpServer:
    """One instrument on a loopback socket, one message a line."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peers: list[socket.socket] = []
        self.resource = f"TCPIP0::127.0.0.1::{self._listener.getsockname()[1]}::SOCKET"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._peers.append(peer)
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, suppress(OSError), peer.makefile("rb") as lines:
            for line in lines:
                reply = self._handle(line)
                if reply is not None:
                    peer.sendall(reply)

    def send(self, data: bytes) -> None:
        """Say something unasked."""
        for peer in self._peers:
            peer.sendall(data)

    def hang_up(self) -> None:
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()

    def close(self) -> None:
        self._listener.close()
        self.hang_up()


class PtyServer:
    """One instrument on a pseudo-terminal."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._stop, self._stopped = os.pipe()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.resource = f"ASRL{os.ttyname(self._slave)}::INSTR"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        waiting = b""
        with suppress(OSError):
            while self._stop not in select.select([self._master, self._stop], [], [])[0]:
                data = os.read(self._master, 4096)
                *lines, waiting = (waiting + data).split(b"\n")
                for line in lines:
                    reply = self._handle(line + b"\n")
                    if reply is not None:
                        os.write(self._master, reply)

    def send(self, data: bytes) -> None:
        os.write(self._master, data)

    def hang_up(self) -> None:
        os.write(self._stopped, b"!")
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    def close(self) -> None:
        with suppress(OSError):
            self.hang_up()
