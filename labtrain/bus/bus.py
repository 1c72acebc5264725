"""One order over all links of a bench."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

from labtrain.bus.clock import PORT, RecordedClock
from labtrain.bus.port import Port
from labtrain.clock import Clock
from labtrain.errors import UsageError
from labtrain.links.link import Link
from labtrain.session.sink import Sink

if TYPE_CHECKING:
    from labtrain.roles.spec import DriverSpec


@final
class Bus:
    """Every message of a bench, in one order, noted in one sink.

    Two links have no order between them: a pulse sent to a generator may fire after a reading
    that was asked of a source meter later. So before the bus talks to another instrument it
    waits for the last unanswered write (``DriverSpec.synchronise``), on every kind of link
    alike, and runs in process, by TCP and by serial send the same messages in the same order.

    Parameters
    ----------
    clock
        The bench's time.
    sink
        Where messages are noted, before they are sent and after they are answered.

    Attributes
    ----------
    clock
        :class:`RecordedClock` over ``clock``: its readings are in the record.
    lock
        Held for the whole of each role call: a transaction is never interleaved with another.
    unanswered
        The port that has been told something last, and has not answered since.
    """

    def __init__(self, clock: Clock, sink: Sink) -> None:
        self.sink = sink
        self.lock = threading.RLock()
        self.clock = RecordedClock(clock, sink, self.lock, self.settle)
        self.now_ns = clock.now_ns
        self._ports: dict[str, Port] = {}
        self.unanswered: Port | None = None

    def attach(self, alias: str, link: Link, spec: DriverSpec) -> Port:
        """Put one instrument on the bus; sends nothing.

        Raises
        ------
        UsageError
            For an alias that is taken (``"clock"`` always is).
        """
        if alias in self._ports or alias == PORT:
            raise UsageError(
                f"the bus has a port {alias!r} already", remedy="give each instrument its own name"
            )
        port = self._ports[alias] = Port(self, alias, link, spec)
        return port

    def renew(self, alias: str) -> Port:
        """Put a new port in the place of one, which is retired: whoever holds it can send nothing more."""
        old = self._ports[alias]
        self.settled(old)
        self._ports[alias] = old.renewed()
        return self._ports[alias]

    def settle(self) -> None:
        """Wait for the last unanswered write, whichever instrument it went to."""
        if self.unanswered is not None:
            self.unanswered.synchronise()

    def settled(self, port: Port) -> None:
        """Note that ``port`` has answered, and so has carried out what was sent before."""
        if self.unanswered is port:
            self.unanswered = None

    def close(self) -> None:
        """Close all links, the last attached first."""
        for port in reversed(self._ports.values()):
            port.close()
