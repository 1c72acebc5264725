"""A run that was recorded up to somewhere and goes on with its instruments from there.

Until :meth:`HandoverConnector.hand_over` the record answers and nothing is driven; then real links do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from labtrain.bench.connecting import Connector, LiveConnector
from labtrain.clock import Clock
from labtrain.errors import InstrumentError
from labtrain.links.link import Link
from labtrain.roles.spec import DriverSpec
from labtrain.session import Replay
from labtrain.wiring import BenchPlan, InstrumentPlan


@final
class HandoverConnector(Connector):
    """Links and clock of a recording first, of the instruments afterwards.

    Parameters
    ----------
    replay
        Of the recorded run.
    plan
        The bench file's.
    going_live
        Called when the instruments take over, before anything is sent to them.
    earlier
        How often the recorded run itself had been taken up: so many handovers stand in the record.
    """

    drives = True

    def __init__(
        self, replay: Replay, plan: BenchPlan, going_live: Callable[[], None], earlier: int = 0
    ) -> None:
        self._earlier = earlier
        self._replay = replay
        self._plan = plan
        self._going_live = going_live
        self._links: list[HandoverLink] = []
        self._live: LiveConnector | None = None
        self.clock: HandoverClock = HandoverClock(replay.clock)

    def link(self, plan: InstrumentPlan, spec: DriverSpec) -> Link:
        """Return the link of one instrument."""
        link = HandoverLink(plan.alias, self._replay, spec, lambda: self._connect().link(plan, spec))
        self._links.append(link)
        return link

    def hand_over(self) -> bool:
        """Connect to every instrument; from here on they answer. Handovers of the record change nothing.

        Raises
        ------
        InstrumentError
            When one cannot be reached; nothing has been sent then.
        """
        if self._earlier:
            self._earlier -= 1
            return False
        live = self._connect()
        for link in self._links:
            link.connect()
        self._going_live()
        for link in self._links:
            link.is_live = True
        self.clock.go_on_with(live.clock)
        return True

    def close(self) -> None:
        """Let go of the instruments."""
        live, self._live = self._live, None
        if live is not None:
            live.close()

    def _connect(self) -> LiveConnector:
        if self._live is None:
            self._live = LiveConnector(self._plan, self._plan.mount)
        return self._live


@final
class HandoverLink(Link):
    """Answers from the record, then carries messages to the instrument.

    Where the record ends before the handover, only questions and the lines of the safe state reach the
    instrument: a run that ends there leaves it safe.
    """

    def __init__(self, alias: str, replay: Replay, spec: DriverSpec, connect: Callable[[], Link]) -> None:
        self.is_live = False
        self._alias = alias
        self._replay = replay
        self._recorded = replay.link(alias)
        self.resource = self._recorded.resource
        self._safe_off = frozenset(spec.safe_off)
        self._connect = connect
        self._live: Link | None = None

    def connect(self) -> Link:
        """Open the real link, once."""
        if self._live is None:
            self._live = self._connect()
            self.resource = self._live.resource
        return self._live

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises
        ------
        InstrumentError
            For a message behind the end of the record that is none of the safe state: nothing was sent.
        """
        harmless = message in self._safe_off or message.rstrip().endswith(b"?")
        if not self.is_live and self._replay.is_over and not harmless:
            raise InstrumentError(
                f"refused {message[:60]!r}: the record has ended and the instruments do not run yet",
                instrument=self._alias,
                remedy="what drives instruments asks the bench for a route, or a pulse path, first",
            )
        self._now().send(message)

    def receive(self) -> bytes:
        """Return the next reply."""
        return self._now().receive()

    def clear(self) -> None:
        """Clear the instrument; nothing waits in a record."""
        self._now().clear()

    def close(self) -> None:
        """Close both."""
        self._recorded.close()
        if self._live is not None:
            self._live.close()

    def _now(self) -> Link:
        return self.connect() if self.is_live or self._replay.is_over else self._recorded


@final
class HandoverClock(Clock):
    """Gives the recorded readings, then goes on from the last of them in real time."""

    def __init__(self, recorded: Clock) -> None:
        self._recorded = recorded
        self._live: Clock | None = None
        self._offset_ns = 0

    def go_on_with(self, live: Clock) -> None:
        """Take the time from ``live`` from now on; it never goes back."""
        self._offset_ns = self._recorded.now_ns() - live.now_ns()
        self._live = live

    def now_ns(self) -> int:
        """Nanoseconds since the recorded run began, the interruption left out."""
        if self._live is None:
            return self._recorded.now_ns()
        return self._live.now_ns() + self._offset_ns

    def sleep(self, seconds: float) -> None:
        """Let time pass; in the record none does."""
        (self._live or self._recorded).sleep(seconds)

    def utc_ns(self) -> int:
        """UTC, for the record's header only."""
        return (self._live or self._recorded).utc_ns()
