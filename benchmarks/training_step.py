"""A whole training step with device neurons over the same step with tanh, both in one run.

    python benchmarks/training_step.py [--pairs 40] [--publish]

784-128-128-128-10, one thread, Adam as the recipes use it, float32, calibrated pairs at 5 % mismatch: every
device by its own physics and two noisy readings, not one tanh. Times are of the process's CPU, so that
other work on the machine counts less; pairs are interleaved. ``compiled``: a layer in one float32 pass, as
training on simulated chips runs; ``plain``: the array read in float64 through a recorder, as training does
that keeps every call.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from harness import Ratio, publish, ratio_table

from labtrain.arrays.recorded_neurons import RecordedNeuronArray
from labtrain.session.sink import NullSink
from labtrain.training.afd.device_neurons import device_layers
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.mnist_afd import RECIPE
from labtrain.training.networks import tanh_perceptron
from labtrain.training.recipes import Context

WIDTHS = (128, 128, 128)
GOALS = {("compiled", 64): "<= 1.10", ("compiled", 256): "<= 1.05", ("plain", 64): "<= 1.25"}


def device_network(widths: tuple[int, ...], path: str) -> torch.nn.Sequential:
    context = Context(baseline=False, settings=RECIPE.read_settings({"hidden": widths}))
    network = DeviceTraining.prepare(context, RECIPE.name, (784, *widths, 10), torch.float32).build(0)
    if path == "plain":
        for layer in device_layers(network):
            layer.array = RecordedNeuronArray(layer.array, NullSink())
    return network


def stepper(network: torch.nn.Module, batch: int) -> Callable[[], None]:
    """One step as the training loop makes it, on fixed images."""
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(batch, 784)).astype(np.float32))
    y = torch.arange(batch) % 10
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(network(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def paired_cpu(
    name: str, ours: Callable[[], None], theirs: Callable[[], None], pairs: int, goal: str
) -> Ratio:
    """As :func:`harness.paired`, in CPU seconds of five steps each."""
    for _ in range(5):
        ours(), theirs()
    times = []
    for number in range(pairs):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        took = {work: cpu_seconds(work) for work in order}
        times.append((took[ours], took[theirs]))
    ratios = sorted(a / b for a, b in times)
    middle = [statistics.median(column) for column in zip(*times, strict=True)]
    quartiles = ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]
    return Ratio(name, *middle, statistics.median(ratios), *quartiles, goal)


def cpu_seconds(work: Callable[[], None], calls: int = 5) -> float:
    start = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ratios = []
    for (path, batch), goal in GOALS.items():
        devices, tanh = device_network(WIDTHS, path), tanh_perceptron((784, *WIDTHS, 10), torch.float32)
        ratios.append(
            paired_cpu(f"{path}, B={batch}", stepper(devices, batch), stepper(tanh, batch), asked.pairs, goal)
        )
        print(ratios[-1].row(), flush=True)
    if asked.publish:
        publish(
            "Training step",
            f"python benchmarks/training_step.py --pairs {asked.pairs}",
            ratio_table(ratios, "tanh"),
        )


if __name__ == "__main__":
    main()
