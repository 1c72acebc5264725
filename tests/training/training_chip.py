"""A small chip for tests: MTJ neuron pairs straight from the physics, with addressed noise and faults."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from labtrain import noise
from labtrain.arrays.neurons import DifferentiableNeuronArray, Flag, NeuronPairArray, Reading
from labtrain.physics import neuron
from labtrain.populations.neurons import MTJ_NEURON_PAIR


class TestChip(NeuronPairArray, DifferentiableNeuronArray):
    """Pairs with mismatch; ``dead`` ones are in compliance, ``stuck`` ones are constant resistances."""

    __test__ = False

    def __init__(
        self,
        count: int = 10,
        *,
        seed: int = 1,
        mismatch: float = 0.05,
        seconds: float = 200e-6,
        dead: tuple[int, ...] = (),
        stuck: tuple[int, ...] = (),
        noisy: bool = True,
        polarity: float = 1.0,
        resolution_amperes: float = 5e-9,
    ) -> None:
        self.name = "neurons"
        self.max_amperes = 50e-6
        self.resolution_amperes = resolution_amperes
        self.seed, self.seconds, self.noisy = seed, seconds, noisy
        self.dead, self.stuck = list(dead), list(stuck)
        settings = {"mismatch": mismatch, "polarity": polarity}
        self.parameters = dict(MTJ_NEURON_PAIR.draw(seed, count, settings, "neurons").parameters)
        self.counters = np.zeros(2 * count, dtype=np.int64)
        self.columns = np.arange(count)
        self.calls: list[tuple[str, int]] = []
        self.worst_amperes = 0.0

    def __len__(self) -> int:
        return len(self.columns)

    def respond(self, amperes: Any) -> Reading:
        self.calls.append(("respond", len(amperes)))
        return self._read(amperes, 0)

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        self.calls.append(("respond_pair", len(amperes)))
        return self._read(amperes, 0), self._read(partner_amperes, 1)

    def derivative(self, amperes: Any) -> Any:
        return neuron.slope(self._devices(0), amperes)

    def _devices(self, partner: int) -> dict[str, Any]:
        return {name: values[2 * self.columns + partner] for name, values in self.parameters.items()}

    def _read(self, amperes: Any, partner: int) -> Reading:
        assert np.isfinite(amperes).all()
        self.worst_amperes = max(self.worst_amperes, float(np.abs(amperes).max()))
        devices, cells = self._devices(partner), 2 * self.columns + partner
        volts = neuron.mean_voltage(devices, amperes)
        if self.noisy:
            k = self.counters[cells] + np.arange(len(amperes))[:, None]
            drawn = noise.normal(self.seed, noise.stream("neurons/read"), cells + 0 * k, k)
            volts = volts + neuron.window_noise(devices, amperes, self.seconds) * drawn
        self.counters[cells] += len(amperes)
        flags = np.zeros(volts.shape, dtype=np.uint8)
        stuck, dead = np.isin(self.columns, self.stuck), np.isin(self.columns, self.dead)
        volts[:, stuck] = 4e3 * amperes[:, stuck]
        volts[:, dead] = 0.5
        flags[:, dead] = int(Flag.COMPLIANCE)
        return Reading(volts, flags)

    def select(self, indices: Any) -> TestChip:
        view = copy.copy(self)
        view.columns = self.columns[list(indices)]
        return view

    def state_dict(self) -> dict[str, Any]:
        return {"counters": self.counters.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.counters = np.array(state["counters"], dtype=np.int64)
