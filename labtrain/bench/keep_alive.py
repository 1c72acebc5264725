"""A long pause with a source on lets no matrix's watchdog open its relays under it.

A matrix whose firmware opens all relays after a silence (so that a dead computer leaves the chip
disconnected) must be spoken to while a sweep or a ramp runs longer than that; found by fuzzing: a pause of
1000 s in a ramp had the relays opened hot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from labtrain.bench.relays import RelayBoard
from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.roles.spec import DriverSpec

EVERY_SECONDS = 15.0
"""Well below the serial matrix's 60 s."""


@final
class KeepingAlive(Clock):
    """The bench's clock, whose pauses are cut so that matrices with closed relays hear from labtrain.

    Parameters
    ----------
    clock
        The bench's.
    ports, specs
        Of all instruments; those with a ``keep_alive`` message are sent it.
    board
        Says which relays are closed.
    """

    def __init__(
        self, clock: Clock, ports: Mapping[str, Port], specs: Mapping[str, DriverSpec], board: RelayBoard
    ) -> None:
        self._clock, self._board = clock, board
        self._messages = {
            alias: (ports[alias], spec.keep_alive) for alias, spec in specs.items() if spec.keep_alive
        }
        self._silence = 0.0

    def now_ns(self) -> int:
        """Read the bench's clock."""
        return self._clock.now_ns()

    def utc_ns(self) -> int:
        """UTC, for the record's header only."""
        return self._clock.utc_ns()

    def sleep(self, seconds: float) -> None:
        """Let time pass, in slices while relays of a watched matrix are closed; short pauses add up."""
        while self._silence + seconds > EVERY_SECONDS and (due := self._due()):
            slice_ = max(EVERY_SECONDS - self._silence, 0.0)
            self._clock.sleep(slice_)
            seconds -= slice_
            self._silence = 0.0
            for port, message in due:
                port.raw([message])  # past the bus's order: the running source is not asked to finish first
        self._clock.sleep(seconds)
        self._silence += seconds

    def _due(self) -> list[tuple[Port, bytes]]:
        return [message for alias, message in self._messages.items() if self._board.of(alias)]
