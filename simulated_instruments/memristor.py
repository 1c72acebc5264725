"""A memristor cell: programmed by pulses and levels, relaxing in log time, read with noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from labtrain import noise
from labtrain.kernels import flicker
from labtrain.physics import memristor
from simulated_instruments.devices import Branch, Circumstances
from simulated_instruments.draws import Draws
from simulated_instruments.laws import Floats, MemristorLaw
from simulated_instruments.level_driven import LevelDriven

_MOST_DRAWS: Final = 100_000


class Memristor(LevelDriven):
    """A cell from ``top`` to ground; positive volts raise its conductance.

    A pulse is an event of the stream ``"<array>/write"``; a level above the threshold counts as a
    pulse of its length. Readings meet the noise of :mod:`labtrain.kernels.flicker`, as those of
    :class:`labtrain.arrays.simulated_synapses.SimulatedSynapseArray` do.
    """

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        super().__init__(what.seconds)
        self._population, self._cell = what.population, what.index
        self._parameters = what.population.cell(what.index)
        if what.stuck:
            self._parameters["stuck"] = 1.0
        relaxing = any(self._parameters[name] for name in ("relax_mean", "relax_spread"))
        self._relaxes = relaxing and not self._parameters["stuck"]
        self._programmed = self._parameters["g_start"]
        self._programmed_at = what.seconds()
        self._writes = 0
        draws = Draws(self._deviations, what.population.seed, what.population.stream("read"), what.index)
        law = MemristorLaw(lambda: self.standing)
        self.branches = (what.branch("top", law, what.index, draws=draws),)

    def _deviations(self, seed: int, stream: int, cell: int, k: Floats) -> Floats:
        white, pink = (np.array([self._parameters[name]]) for name in ("read_noise", "read_flicker"))
        streams = stream, self._population.stream("flicker")
        first = np.array([k[0]], dtype=np.int64)
        return flicker.read_deviations(white, pink, seed, streams, np.array([cell]), first, len(k))[:, 0]

    def pulsed(self, branch: Branch, volts: float, seconds: float, count: int) -> None:
        """Move by ``count`` noisy steps, each of its own event; a cell that is worn out keeps still."""
        if abs(volts) <= self._parameters["v_threshold"]:
            return
        if (lasts := self._parameters["endurance"]) > 0:
            count = int(min(count, max(lasts - self._writes, 0)))
            if count == 0:
                return
        draws = min(count, _MOST_DRAWS)
        events = self._writes + np.arange(draws)
        self._writes += count
        xi = noise.normal(self._population.seed, self._population.stream("write"), self._cell, events)
        steps = np.maximum(1.0 + self._parameters["cycle_spread"] * xi, 0.0).mean() * count
        before = self.present()
        self._programmed = float(memristor.pulsed(self._parameters, before, volts, seconds * steps))
        self._programmed_at = self._seconds()

    def evolve(self, volts: float, seconds: float) -> None:
        """A level is a long pulse."""
        self.pulsed(self.branches[0], volts, seconds, 1)

    def present(self) -> float:
        """Conductance in S, relaxed since it was programmed."""
        elapsed = self._seconds() - self._programmed_at
        if elapsed <= 0 or not self._relaxes:
            return self._programmed
        address = self._population.seed, self._population.stream("relax"), self._cell, self._writes
        xi = float(noise.normal(*address))
        return float(memristor.relaxed(self._parameters, self._programmed, elapsed, xi))

    def averaged(self, volts: float, seconds: float) -> float:
        """The conductance; read noise is drawn apart."""
        return self.present()

    def state_dict(self) -> dict[str, Any]:
        """Branches, time, conductance and counter."""
        more = {"siemens": self._programmed, "at": self._programmed_at, "writes": self._writes}
        return super().state_dict() | more

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        super().load_state_dict(state)
        self._programmed, self._programmed_at = float(state["siemens"]), float(state["at"])
        self._writes = int(state["writes"])
