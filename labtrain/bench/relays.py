"""Which relays are closed, as far as the bench can be sure: never too few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from labtrain.roles.envelope import Routes
from labtrain.wiring import Crosspoint


@final
class RelayBoard(Routes):
    """The closed relays of all matrices.

    A relay counts as closed from the moment that leave to close it was given, and as open
    only when the matrix has said so: limits are never judged by a hope.
    """

    def __init__(self) -> None:
        self.closed = frozenset()

    def of(self, matrix: str) -> frozenset[Crosspoint]:
        """Return the closed relays of one matrix."""
        return frozenset(relay for relay in self.closed if relay.matrix == matrix)

    def others(self, matrix: str) -> frozenset[Crosspoint]:
        """Return the closed relays of all other matrices."""
        return self.closed - self.of(matrix)

    def closing(self, relays: frozenset[Crosspoint]) -> None:
        """Leave has been given to close these."""
        self.closed |= relays

    def confirmed(self, matrix: str, relays: Iterable[Crosspoint]) -> None:
        """The matrix has said that exactly these are closed."""
        self.closed = self.others(matrix) | frozenset(relays)
