"""Leave to move relays: never hot, never two sources on one device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from labtrain.bench.circuit import Channel, Circuit, Closed
from labtrain.bench.relays import RelayBoard
from labtrain.bench.sources import Source
from labtrain.errors import LimitExceeded
from labtrain.roles.envelope import RouteGate
from labtrain.wiring import Crosspoint


@final
class SafetyGate(RouteGate):
    """Asked by every matrix role before a relay moves.

    Parameters
    ----------
    sources
        Every source channel of the bench, filled as roles are made.
    """

    def __init__(self, circuit: Circuit, board: RelayBoard, sources: Mapping[Channel, Source]) -> None:
        self._circuit, self._board, self._sources = circuit, board, sources

    def before_close(self, matrix: str, closed_after: frozenset[Crosspoint]) -> None:
        """Raise where closing would endanger a device; note what may now be closed.

        Raises
        ------
        LimitExceeded
            For a hot source on the route, or two sources joined.
        """
        moving = closed_after - self._board.of(matrix)
        after = self._board.others(matrix) | closed_after
        self._none_hot(moving, after, "close")
        self._none_joined(moving, after)
        self._board.closing(closed_after)

    def before_move(self, matrix: str, closing: frozenset[Crosspoint]) -> None:
        """Raise where these relays would close under a hot source, whatever the board believes of them.

        Raises
        ------
        LimitExceeded
            Naming the source.
        """
        self._none_hot(closing, self._board.closed | closing, "close")

    def before_open(self, matrix: str, opening: frozenset[Crosspoint]) -> None:
        """Raise where relays would open under a hot source.

        Raises
        ------
        LimitExceeded
            Naming the source.
        """
        self._none_hot(opening & self._board.of(matrix), self._board.closed, "open")

    def _none_hot(self, moving: Closed, closed: Closed, what: str) -> None:
        for channel, paths in self._circuit.touched_by(moving, closed):
            reason = self._sources[channel].hot() if channel in self._sources else None
            if reason is not None:
                relays = ", ".join(sorted(map(str, moving)))
                raise _refusal(
                    f"the relay {relays} would {what} hot: {channel} {reason}",
                    paths,
                    f"switch {channel} off first, or use bench.route(device, terminal), which does",
                )

    def _none_joined(self, moving: Closed, closed: Closed) -> None:
        joined = self._circuit.touched_by(moving, closed)
        if len(joined) > 1:
            names = " and ".join(str(channel) for channel, _ in joined)
            raise _refusal(
                f"{names} would be connected to one another", joined[0][1], "open the other route first"
            )


def _refusal(what: str, where: str, remedy: str) -> LimitExceeded:
    return LimitExceeded(f"{what}; nothing was sent", remedy=remedy, key=where)
