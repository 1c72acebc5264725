"""A p-GAF step over the same step with dense products that are masked; run by training_pgaf.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from harness import Ratio, paired

from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.populations import draw
from labtrain.training.pgaf import GATES, SwitchSampler, convert, layers
from labtrain.training.pgaf.chip import MEASURED
from labtrain.training.pgaf.gates import SIGMOID
from labtrain.training.pgaf.networks import conventional

BATCH, OPEN = 256, 0.1
STEP_GOALS = {128: "<= 1.1", 512: "<= 0.9", 1024: "<= 0.8"}


class GivenSwitches(SwitchArray):
    """Switches that have already switched: what a step costs besides them."""

    name, max_volts, resolution_volts = "given", 2.0, 0.0

    def __init__(self, count: int) -> None:
        drawn = np.random.default_rng(0).random((BATCH, count)) < OPEN
        # Each sample's two attempts follow each other; the second ones stay.
        both = np.stack([drawn, np.zeros_like(drawn)], axis=1).reshape(2 * BATCH, count)
        self._outcome = Outcome(torch.from_numpy(both), torch.zeros(both.shape, dtype=torch.uint8))
        self._count = count

    def __len__(self) -> int:
        return self._count

    def select(self, indices: Sequence[int]) -> GivenSwitches:
        return self

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        return self._outcome

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


@contextmanager
def dense_products() -> Iterator[None]:
    """Let layers compute all products and mask them afterwards."""
    with mock.patch.object(layers, "compactable", lambda delta: False):
        yield


def stepper(width: int, simulated: bool, dense: bool) -> Callable[[], None]:
    """One step as mnist-pgaf makes it, 784-width-width-10, biases such that a tenth of the gates is open."""

    def make(activation: Any, neurons: int, layer: int) -> SwitchSampler:
        array: SwitchArray = GivenSwitches(neurons)
        if simulated:
            population = draw("sot-mtj", 1, neurons, {}, f"s{layer}")
            array = SimulatedSwitchArray(population, max_volts=2.0, reset_volts=1.6, reset_seconds=0.75e-9)
        return SwitchSampler(array, MEASURED, activation, GATES["first-not-second"])

    network = conventional((784, width, width, 10), SIGMOID.name, 1)
    with torch.no_grad():
        for layer in (network[0], network[2]):
            layer.bias.fill_(2.06)  # sigmoid' = 0.1
            layer.weight.mul_(0.1)
    gated = convert(network, make)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(BATCH, 784)).astype(np.float32))
    y, optimiser = torch.arange(BATCH) % 10, torch.optim.Adam(gated.parameters(), lr=1e-6, fused=True)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(gated(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def masked() -> None:
        with dense_products():
            step()

    return masked if dense else step


def steps(pairs: int) -> list[Ratio]:
    ratios = []
    for simulated, what in ((False, "gates given"), (True, "switches simulated in the step")):
        for width, goal in STEP_GOALS.items():
            ours, theirs = (stepper(width, simulated, dense) for dense in (False, True))
            name, clock = f"width {width}, {what}", time.process_time
            ratios.append(paired(name, ours, theirs, pairs=pairs, calls=3, goal=goal, clock=clock))
            print(ratios[-1].row(), flush=True)
    return ratios
