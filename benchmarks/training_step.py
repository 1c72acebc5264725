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
import time

import torch
from classifier_steps import adam, step_of
from harness import paired, publish, ratio_table

from labtrain.arrays.recorded_neurons import RecordedNeuronArray
from labtrain.session.sink import NullSink
from labtrain.training.afd.device_neurons import device_layers
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.mnist_afd import RECIPE
from labtrain.training.networks import tanh_perceptron
from labtrain.training.recipes import Context

WIDTHS = (128, 128, 128)
WHY = (
    "The digests that a record keeps of every layer's pass are part of it (before they were: 1.42 and 1.60).",
    "The goals are not reached, for a reason: docs/decisions/0010-one-pass-a-layer.md has the parts in ns",
    "and what was tried.",
)
GOALS = {("compiled", 64): "<= 1.10", ("compiled", 256): "<= 1.05", ("plain", 64): "<= 1.25"}


def device_network(widths: tuple[int, ...], path: str) -> torch.nn.Sequential:
    context = Context(baseline=False, settings=RECIPE.read_settings({"hidden": widths}))
    network = DeviceTraining.prepare(context, RECIPE.name, (784, *widths, 10), torch.float32).build(0)
    if path == "plain":
        for layer in device_layers(network):
            layer.array = RecordedNeuronArray(layer.array, NullSink())
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ratios = []
    for (path, batch), goal in GOALS.items():
        devices, tanh = device_network(WIDTHS, path), tanh_perceptron((784, *WIDTHS, 10), torch.float32)
        ours, theirs = (step_of(one, adam(one.parameters()), batch) for one in (devices, tanh))
        name, clock = f"{path}, B={batch}", time.process_time
        ratios.append(paired(name, ours, theirs, pairs=asked.pairs, calls=5, goal=goal, clock=clock))
        print(ratios[-1].row(), flush=True)
    if asked.publish:
        publish(
            "Training step",
            f"python benchmarks/training_step.py --pairs {asked.pairs}",
            [*ratio_table(ratios, "tanh"), "", *WHY],
        )


if __name__ == "__main__":
    main()
