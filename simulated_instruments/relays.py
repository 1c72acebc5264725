"""Relays of a virtual switch matrix: coils that are told, contacts that follow, and some that do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labtrain.wiring import Crosspoint
from simulated_instruments.world import World

Place = tuple[int, int]


class Relays:
    """The relays between ``<alias>.row<r>`` and ``<alias>.col<c>``.

    A relay that is told to move is where it was until its settling time has passed.

    Parameters
    ----------
    alias
        The matrix.
    world
        What it is wired to. The owner registers :meth:`catch_up` with it.
    options
        ``settle_time`` (s), ``stuck_open`` and ``stuck_closed`` (``"r,c;r,c"``): relays that do not
        follow, though the coils say so.
    settle_seconds
        Unless the options say otherwise.
    """

    def __init__(self, alias: str, world: World, options: Mapping[str, Any], settle_seconds: float) -> None:
        self._alias = alias
        self._world = world
        self.settle_seconds = float(options.get("settle_time", settle_seconds))
        self._stuck_open = _places(str(options.get("stuck_open", "")))
        self._stuck_closed = _places(str(options.get("stuck_closed", "")))
        self._coils: frozenset[Place] = frozenset()
        self._moving: list[tuple[int, frozenset[Place]]] = []
        self._contacts(self._coils)

    @property
    def coils(self) -> frozenset[Place]:
        """The relays that were told to be closed."""
        return self._coils

    def close(self, places: Iterable[Place]) -> None:
        """Close these beside those that are closed."""
        self._move(self._coils.union(places), self._world.now_ns())

    def open(self, places: Iterable[Place]) -> None:
        """Open these."""
        self._move(self._coils.difference(places), self._world.now_ns())

    def open_all(self, at_ns: int | None = None) -> None:
        """Open all, now or at a time that has passed."""
        self._move(frozenset(), self._world.now_ns() if at_ns is None else at_ns)

    def _move(self, coils: frozenset[Place], at_ns: int) -> None:
        self._coils = coils
        self._moving.append((at_ns + round(self.settle_seconds * 1e9), coils))
        if self.settle_seconds == 0:
            self.catch_up(self._world.now_ns())

    def catch_up(self, now_ns: int) -> None:
        """Let the contacts follow that have settled by now."""
        while self._moving and self._moving[0][0] <= now_ns:
            self._contacts(self._moving.pop(0)[1])

    def _contacts(self, coils: frozenset[Place]) -> None:
        real = (coils - self._stuck_open) | self._stuck_closed
        self._world.set_contacts(self._alias, [Crosspoint(self._alias, r, c) for r, c in real])


def _places(text: str) -> frozenset[Place]:
    return frozenset((int(r), int(c)) for r, c in (p.split(",") for p in text.split(";") if p.strip()))
