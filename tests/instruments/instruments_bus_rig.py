"""Toy instruments on a bus, in process, over TCP and by serial port; a sink that remembers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from instruments_servers import TOY, PtyServer, TcpServer, Toy
from pymeasure.instruments import Instrument

from labtrain.bus import Bus, Port
from labtrain.clock import VirtualClock
from labtrain.links import InProcessLink, Link, SerialLink, VisaLink
from labtrain.session.sink import NullSink

MOUNTS = ("in-process", "tcp", "serial")


class Notes(NullSink):
    """A sink that remembers messages."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: dict[int, tuple[str, bytes]] = {}
        self.replies: dict[int, tuple[bytes, str]] = {}

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        seq = super().command(port, payload, t_ns)
        self.commands[seq] = (port, payload)
        return seq

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        assert self.commands[seq][0] == port and seq not in self.replies
        self.replies[seq] = (payload, status)


class ToyDriver(Instrument):
    value = Instrument.control("GET?", "SET %d", "Control the value.", cast=int)

    def __init__(self, adapter: Any) -> None:
        super().__init__(adapter, "toy", includeSCPI=False)


class Rig:
    def __init__(self, mount: str, names: tuple[str, ...] = ("a",), timeout: float = 0.3) -> None:
        self.notes = Notes()
        self.bus = Bus(VirtualClock(), self.notes)
        self.order: list[bytes] = []
        self.toys = {name: Toy(name, self.order) for name in names}
        self._exit = ExitStack()
        self._exit.callback(self.bus.close)
        self.servers: dict[str, Any] = {}
        self.links = {name: self._link(mount, name, timeout) for name in names}
        self.ports: dict[str, Port] = {n: self.bus.attach(n, self.links[n], TOY) for n in names}

    def _link(self, mount: str, name: str, timeout: float) -> Link:
        handle = self.toys[name].handle
        if mount == "in-process":
            return InProcessLink(name, handle)
        server = self.servers[name] = TcpServer(handle) if mount == "tcp" else PtyServer(handle)
        self._exit.callback(server.close)
        kind = VisaLink if mount == "tcp" else SerialLink
        return kind(server.resource, b"\n", timeout)

    def close(self) -> None:
        self._exit.close()


def ask(port: Port, question: str) -> str:
    with port.role_call():
        port.adapter.write(question)
        return port.adapter.read()
