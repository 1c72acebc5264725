"""Where a rig stands: live in process, over TCP or serial, or on a recording that answers in its place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from instruments_servers import PtyServer, TcpServer

from labtrain.clock import Clock, VirtualClock
from labtrain.links import InProcessLink, Link, SerialLink, VisaLink
from labtrain.session import Replay
from labtrain.session.sink import NullSink, Sink

Handle = Callable[[bytes], bytes | None]


class Stage:
    """Live: instruments are mounted, what is said goes to ``sink``.

    Attributes
    ----------
    clock
        The bus's time. The virtual instruments' own is ``world_clock``, the same when live.
    """

    def __init__(self, mount: str = "in-process", sink: Sink | None = None) -> None:
        self.clock: Clock = VirtualClock()
        self.world_clock = self.clock
        self.sink = sink or NullSink()
        self._mount = mount

    def link(self, alias: str, handle: Handle, exit_stack: ExitStack) -> Link:
        """Mount one instrument."""
        if self._mount == "in-process":
            return InProcessLink(alias, handle)
        server = TcpServer(handle) if self._mount == "tcp" else PtyServer(handle)
        exit_stack.callback(server.close)
        kind = VisaLink if self._mount == "tcp" else SerialLink
        return kind(server.resource, b"\n", 20.0)


class ReplayStage(Stage):
    """A recording in the place of the instruments: none of them hears a word."""

    def __init__(self, replay: Replay) -> None:
        super().__init__(sink=replay.sink)
        self.clock = replay.clock
        self._replay = replay

    def link(self, alias: str, handle: Handle, exit_stack: ExitStack) -> Link:
        """Return the record's answers."""
        return self._replay.link(alias)
