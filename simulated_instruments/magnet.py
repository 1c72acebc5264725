"""The free layer of a bistable junction: its state, and the pulses and levels that switch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from labtrain.populations import Population
from simulated_instruments.draws import Draws

_MOST_DRAWS: Final = 100_000

Probability = Callable[[float, float], float]
"""P(volts, seconds), signed volts: positive drives P to AP."""


class Magnet:
    """A bistable free layer; an event is numbered in the stream ``"<array>/<kind>"``.

    Parameters
    ----------
    population, cell
        Whose it is.
    probability
        Of one pulse to switch the state that its sign acts on.
    stuck
        Whether nothing switches it.
    """

    def __init__(
        self, population: Population, cell: int, probability: Probability, *, stuck: bool = False
    ) -> None:
        self._population, self._cell, self._stuck = population, cell, stuck
        self._probability = lru_cache(maxsize=256)(probability)  # a device meets few amplitudes, many times
        self._events: dict[str, int] = {}
        self._draws: dict[str, Draws] = {}
        self.antiparallel = False

    def expose(self, volts: float, seconds: float, count: int = 1, kind: str = "pulse") -> None:
        """Meet ``count`` equal pulses (or one level); each is an event, whether it can switch or not."""
        first = self._events.get(kind, 0)
        self._events[kind] = first + count
        wanted = volts > 0
        if self._stuck or volts == 0 or wanted == self.antiparallel:
            return
        draws = self._draws_of(kind).take(first, min(count, _MOST_DRAWS))
        if bool((draws < self._probability(volts, seconds)).any()):
            self.antiparallel = wanted

    def _draws_of(self, kind: str) -> Draws:
        if kind not in self._draws:
            seed, stream = self._population.seed, self._population.stream(kind)
            self._draws[kind] = Draws("uniform", seed, stream, self._cell)
        return self._draws[kind]

    def state_dict(self) -> dict[str, Any]:
        """State and counters."""
        return {"antiparallel": self.antiparallel, "events": dict(self._events)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.antiparallel = bool(state["antiparallel"])
        self._events = {str(kind): int(count) for kind, count in state["events"].items()}
