"""The switch matrix of a bench: routes that close only with leave, break before make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentStateChanged, LimitExceeded, UsageError
from labtrain.roles.dialects import SwitchMatrixDialect
from labtrain.roles.envelope import RouteGate
from labtrain.roles.role import Role
from labtrain.wiring import Crosspoint

Place = Crosspoint | tuple[int, int]


@final
class SwitchMatrix(Role):
    """Opens and closes relays, asking the bench before each close.

    Parameters
    ----------
    driver
        The dialect object; private from here on.
    port
        Its port on the bus.
    gate
        Asked with all relays that would be closed, before a byte is sent.
    clock
        The bench's clock.
    alias
        The matrix's name in the bench file.
    settle_time
        Seconds that a relay needs; waited after each change, on the bench's clock.
    forbidden
        Relays that may never close.

    Raises
    ------
    LimitExceeded
        From every method that closes: the gate refused it, or it is forbidden; nothing was sent.
    """

    __slots__ = ("_closed", "_driver", "_forbidden", "_gate", "_seen", "_settle_time")

    def __init__(
        self,
        driver: SwitchMatrixDialect,
        port: Port,
        gate: RouteGate,
        clock: Clock,
        alias: str,
        settle_time: float,
        forbidden: Iterable[Place] = (),
    ) -> None:
        super().__init__(port, clock, alias, "")
        self._driver = driver
        self._gate = gate
        self._settle_time = settle_time
        self._closed: frozenset[Crosspoint] | None = None
        self._seen = -1
        self._forbidden = frozenset(self._crosspoint(place) for place in forbidden)

    @property
    def rows(self) -> range:
        """The row numbers, as used on the wire."""
        return self._driver.rows

    @property
    def columns(self) -> range:
        """The column numbers, as used on the wire."""
        return self._driver.columns

    @property
    def settle_time(self) -> float:
        """Seconds waited after each change."""
        return self._settle_time

    @property
    def forbidden(self) -> frozenset[Crosspoint]:
        """Relays that may never close."""
        return self._forbidden

    @property
    def identity(self) -> str:
        """The instrument's own answer to ``*IDN?``."""
        with self._call:
            return self._driver.identity

    @property
    def closed(self) -> frozenset[Crosspoint]:
        """The relays that are closed; asked of the instrument only where that is not known."""
        with self._call:
            return self._known()

    def close(self, place: Place) -> None:
        """Close one relay beside those that are closed; nothing is sent where it is closed already."""
        with self._call:
            crosspoint, closed = self._crosspoint(place), self._known()
            if crosspoint in closed:
                return
            self._ask(closed, closed | {crosspoint})
            self._close_in_turn(closed, [crosspoint])

    def open(self, place: Place) -> None:
        """Open one relay; sent whether or not it is believed to be open."""
        with self._call:
            crosspoint, closed = self._crosspoint(place), self._known()
            self._gate.before_open(self._alias, frozenset({crosspoint}) & closed)
            self._open_in_turn(closed, [crosspoint])

    def connect_only(self, *places: Place) -> None:
        """Have exactly these relays closed: open the others, wait, then close in the order given.

        Give the ground side first. The gate is asked before anything moves. Where it is so already
        nothing moves, but the instrument is asked whether it really is.
        """
        with self._call:
            wanted = list(dict.fromkeys(self._crosspoint(place) for place in places))
            closed = self._known()
            self._ask(closed, frozenset(wanted))
            if closed == frozenset(wanted):
                self._compare(closed)  # believed so; a watchdog may have opened them meanwhile
                return
            leaving = sorted(closed.difference(wanted), key=str)
            if leaving:
                self._gate.before_open(self._alias, frozenset(leaving))
            self._open_in_turn(closed, leaving)
            kept = closed.intersection(wanted)
            self._close_in_turn(kept, [crosspoint for crosspoint in wanted if crosspoint not in kept])

    def open_all(self) -> None:
        """Open every relay; never refused. The instrument is asked afterwards whether it did."""
        with self._call:
            self._closed = None
            self._driver.open_all()
            self._clock.sleep(self._settle_time)
            self._compare(frozenset())

    def shutdown(self) -> None:
        """Open every relay."""
        self.open_all()

    def keep_alive(self) -> None:
        """Tell the instrument's watchdog that somebody is there."""
        with self._call:
            self._driver.keep_alive()

    def check(self) -> None:
        """Compare the relays with what the instrument says.

        Raises
        ------
        InstrumentStateChanged
            Where they differ (a reset, a watchdog).
        """
        with self._call:
            self._compare(self._known())

    def _ask(self, closed: frozenset[Crosspoint], closed_after: frozenset[Crosspoint]) -> None:
        banned = closed_after & self._forbidden
        if banned:
            raise LimitExceeded(
                f"{', '.join(sorted(map(str, banned)))} may never close; nothing was sent",
                remedy="the bench file forbids it",
                key=self._alias,
            )
        self._gate.before_move(self._alias, closed_after - closed)
        self._gate.before_close(self._alias, closed_after)

    def _close_in_turn(self, closed: frozenset[Crosspoint], places: list[Crosspoint]) -> None:
        for crosspoint in places:
            self._closed = None  # an interrupt here leaves it unknown, and so asked for
            self._driver.close_relay(crosspoint.row, crosspoint.column)
            self._clock.sleep(self._settle_time)
            closed = closed | {crosspoint}
            self._remember(closed)

    def _open_in_turn(self, closed: frozenset[Crosspoint], places: list[Crosspoint]) -> None:
        for crosspoint in places:
            self._closed = None
            self._driver.open_relay(crosspoint.row, crosspoint.column)
            closed = closed - {crosspoint}
            self._remember(closed)
        if places:
            self._clock.sleep(self._settle_time)

    def _known(self) -> frozenset[Crosspoint]:
        if self._closed is not None and self._seen == self._port.incidents:
            return self._closed
        was_off = self._closed is not None and self._port.lost_power()
        self._remember(self._says())
        if was_off:
            raise InstrumentStateChanged(
                "its power has been off, so its relays have opened",
                instrument=self._alias,
                remedy="see why, and what was connected; then connect anew",
            )
        assert self._closed is not None
        return self._closed

    def _says(self) -> frozenset[Crosspoint]:
        return frozenset(Crosspoint(self._alias, row, column) for row, column in self._driver.closed())

    def _remember(self, closed: frozenset[Crosspoint]) -> None:
        self._closed, self._seen = closed, self._port.incidents

    def _compare(self, expected: frozenset[Crosspoint]) -> None:
        says = self._says()
        self._remember(says)
        if says != expected:
            raise InstrumentStateChanged(
                f"says that {_listed(says)} closed where {_listed(expected)} should be",
                instrument=self._alias,
                remedy="a stuck relay, a reset or its watchdog; look at the matrix before going on",
            )

    def _crosspoint(self, place: Any) -> Crosspoint:
        if isinstance(place, Crosspoint):
            matrix, row, column = place.matrix, place.row, place.column
        else:
            matrix, (row, column) = self._alias, place
        rows, columns = self._driver.rows, self._driver.columns
        if matrix != self._alias or row not in rows or column not in columns:
            raise UsageError(
                f"{self._alias} has no crosspoint {matrix}.{row},{column}",
                remedy=f"rows {rows.start} to {rows.stop - 1}, columns {columns.start} to {columns.stop - 1}",
            )
        return Crosspoint(self._alias, row, column)


def _listed(places: frozenset[Crosspoint]) -> str:
    return ", ".join(sorted(map(str, places))) + " is" if places else "nothing is"
