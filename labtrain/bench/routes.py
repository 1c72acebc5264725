"""Routes from a source to a device: closed cold, ground side first; always opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import final

from labtrain.bench.circuit import Channel, Circuit
from labtrain.bench.relays import RelayBoard
from labtrain.bench.rests import Rests
from labtrain.bench.sources import Source
from labtrain.errors import UsageError
from labtrain.roles.switch_matrix import SwitchMatrix
from labtrain.wiring import Crosspoint, DevicePlan, TerminalPlan


@final
class Routes:
    """Closes and opens routes; at most one at a time on each source channel.

    Parameters
    ----------
    matrix
        Gives the role of a matrix by its alias.
    rests
        Told where a route was left by an error.
    """

    def __init__(
        self, circuit: Circuit, board: RelayBoard, matrix: Callable[[str], SwitchMatrix], rests: Rests
    ) -> None:
        self._circuit, self._board, self._matrix, self._rests = circuit, board, matrix, rests
        self._busy: dict[Channel, str] = {}

    @contextmanager
    def closed(
        self,
        device: DevicePlan,
        terminal: TerminalPlan,
        channel: Channel,
        source: Source,
        sensing: Iterable[Crosspoint] = (),
    ) -> Iterator[None]:
        """Connect ``channel`` to a terminal for the length of the block.

        The source is cold when relays close (ground side first, those of sense leads last) and when they open
        again (in reverse).

        Raises
        ------
        UsageError
            When the channel is on another route.
        LimitExceeded
            When a relay may not move.
        InstrumentStateChanged
            When the matrix does not say what it was told (a stuck relay, a watchdog).
        """
        name = f"{device.name}.{terminal.name}"
        if channel in self._busy:
            message = f"{channel} is connected to {self._busy[channel]} already"
            raise UsageError(message, remedy="leave that route before another is closed", key=name)
        own = [terminal.crosspoint] if terminal.crosspoint else []
        relays = [*self._returns(device, terminal), *own, *sorted(sensing, key=str)]
        self._busy[channel] = name
        done: list[Crosspoint] = []
        try:
            if relays or not source.rests_at_zero:
                source.make_cold()
            for relay in relays:
                done.append(relay)
                self._matrix(relay.matrix).close(relay)
            self._confirm(relays)
            yield
        except BaseException:
            self._rests.disturbed = True
            raise
        finally:
            try:
                self._open(source, done)
            finally:
                del self._busy[channel]

    @property
    def are_closed(self) -> bool:
        """Whether any route is closed."""
        return bool(self._busy)

    def _returns(self, device: DevicePlan, terminal: TerminalPlan) -> list[Crosspoint]:
        """Return the relays that connect the device's other terminals to ground."""
        relays = (other.crosspoint for other in device.terminals.values() if other.name != terminal.name)
        return [relay for relay in relays if relay is not None and self._circuit.is_grounded_row(relay)]

    def _open(self, source: Source, relays: list[Crosspoint]) -> None:
        if relays or not source.rests_at_zero:
            source.make_cold()
        for relay in reversed(relays):
            self._matrix(relay.matrix).open(relay)
        self._confirm(relays)

    def _confirm(self, moved: list[Crosspoint]) -> None:
        """Have every matrix concerned say what is closed, and believe that only."""
        for alias in dict.fromkeys(relay.matrix for relay in moved):
            matrix = self._matrix(alias)
            try:
                matrix.check()
            finally:
                self._board.confirmed(alias, matrix.closed)
