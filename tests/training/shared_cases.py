"""Small trainings on every kind of layer, made for one process or for several that share their batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from test_training_fused import make_layer

from labtrain import noise
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.populations import draw
from labtrain.training.determinism import deterministic, weights_digest
from labtrain.training.eapu import EaPU
from labtrain.training.loop import Schedule, Split, Training
from labtrain.training.networks import perceptron
from labtrain.training.pgaf import SwitchCurve, SwitchSampler, convert
from labtrain.training.pgaf.converting import convert_branched, neurons_of
from labtrain.training.pgaf.gates import GATES, Activation
from labtrain.training.processes import Processes
from labtrain.training.randomness import initialise
from labtrain.training.stochastic import BIPOLAR, Counting, Design, stochastic_perceptron

SAMPLES, SIDE, CLASSES, HIDDEN = 30, 4, 3, 12
SCHEDULE = Schedule(epochs=2, batch_size=7, learning_rate=0.05)
"""Four batches of 7 and one of 2: parts of unequal sizes, and of one sample."""
CURVE = SwitchCurve(0.896, 43.0, 0.75e-9)

Make = Callable[[Processes], tuple[torch.nn.Module, torch.dtype]]


def neurons(estimator: str, dtype: torch.dtype) -> Make:
    def make(processes: Processes) -> tuple[torch.nn.Module, torch.dtype]:
        layer = make_layer(estimator, HIDDEN, rows=processes.rows)
        return perceptron((SIDE * SIDE, HIDDEN, CLASSES), [layer], dtype), dtype

    return make


def sampler(processes: Processes, reset: float) -> Callable[[Activation, int, int], SwitchSampler]:
    def make(activation: Activation, count: int, layer: int) -> SwitchSampler:
        population = draw("sot-mtj", 5, count, {"mismatch": 0.1}, f"s{layer}")
        array = SimulatedSwitchArray(
            population, max_volts=2.0, reset_volts=reset, reset_seconds=CURVE.seconds, rows=processes.rows
        )
        return SwitchSampler(array, CURVE, activation, GATES["half-xor"])

    return make


def gates(reset: float) -> Make:
    def make(processes: Processes) -> tuple[torch.nn.Module, torch.dtype]:
        sizes = (SIDE * SIDE, HIDDEN, HIDDEN, CLASSES)
        net = perceptron(sizes, [torch.nn.Tanh(), torch.nn.Tanh()], torch.float64)
        return convert(net, sampler(processes, reset)), torch.float64

    return make


def pictures(*after: torch.nn.Module) -> torch.nn.Sequential:
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, SIDE, SIDE)),
        torch.nn.Conv2d(1, 3, 3, padding=1, bias=False),
        *after,
        torch.nn.Flatten(),
        torch.nn.Linear(3 * SIDE * SIDE, CLASSES),
    ).double()


def gated_convolutions(processes: Processes) -> tuple[torch.nn.Module, torch.dtype]:
    net = pictures(torch.nn.Tanh())
    counts = neurons_of(net, torch.zeros(1, SIDE * SIDE, dtype=torch.float64))
    return convert_branched(net, counts, sampler(processes, 1.6)), torch.float64


def normalised_convolutions(processes: Processes) -> tuple[torch.nn.Module, torch.dtype]:
    return pictures(torch.nn.BatchNorm2d(3).double(), torch.nn.ReLU()), torch.float64


def streams(how: str) -> Make:
    def make(processes: Processes) -> tuple[torch.nn.Module, torch.dtype]:
        design = Design(Counting(BIPOLAR, n_bits=50), train_with=how, seed=3, rows=processes.rows)
        return stochastic_perceptron((SIDE * SIDE, HIDDEN, CLASSES), design).double(), torch.float64

    return make


CASES: dict[str, Make] = {
    "neurons, fused": neurons("calibrated-pair", torch.float32),
    "neurons, plain": neurons("same-device", torch.float64),
    "gates": gates(1.6),
    "gates, weak resets": gates(0.9),
    "gated convolutions": gated_convolutions,
    "streams, moments": streams("moments"),
    "streams, bits": streams("bits"),
    "written weights": normalised_convolutions,
}


def split(dtype: torch.dtype) -> Split:
    drawn = noise.uniform(11, 1, np.arange(SAMPLES * SIDE * SIDE), 0)
    x = torch.from_numpy(2.0 * drawn - 1.0).view(SAMPLES, -1).to(dtype)
    return Split(x, torch.arange(SAMPLES) % CLASSES, x[:6], torch.arange(6) % CLASSES)


def training_of(name: str, processes: Processes) -> Training:
    network, dtype = CASES[name](processes)
    if not name.startswith("streams"):
        initialise(network, 5, 0)
    optimiser = torch.optim.SGD(network.parameters(), lr=SCHEDULE.learning_rate)
    if name == "written weights":
        optimiser = EaPU(optimiser, threshold=0.02, write_noise=0.02, seed=9)
    return Training(network, split(dtype), SCHEDULE, seed=5, optimiser=optimiser, processes=processes)


def run_case(name: str, processes: Processes) -> dict[str, Any]:
    """Train a case; return what its first step's gradients, its steps and its end were."""
    with deterministic(threads=1):
        training = training_of(name, processes)
        found: dict[str, Any] = {"digests": [], "losses": []}

        def after_step(step: Any) -> None:
            if step.step == 0:
                found["gradients"] = [tensor.grad.clone() for tensor in training.network.parameters()]
            found["digests"].append(weights_digest(training.network))
            found["losses"].append(step.loss)

        training.run(after_step)
        found["state"] = training.state_dict()
    return found
