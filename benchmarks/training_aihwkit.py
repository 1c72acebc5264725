"""EaPU's step beside aihwkit's on the same network: 784-1024-256-10, B = 64, one thread, CPU time.

    python benchmarks/training_aihwkit.py [--pairs 11] [--publish]

aihwkit's wheel is bound to one release of torch. That of 1.1.0 (February 2026) works with 2.10; with 2.9 it
misses a symbol when it is imported, with 2.13 it is imported and refuses its own weights ("Invalid weights
dimensions"). So this runs in an environment of its own::

    pip install -e ".[bench]" "torch==2.10.*" "aihwkit==1.1.0"

Ours is the compiled rule with momentum; theirs is ``AnalogSGD``, which has none, on tiles of `ConstantStep`
devices and of the ReRam preset, all else as it comes. Both sides in one run, in turn, median of the ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import torch
from aihwkit.nn import AnalogLinear, AnalogSequential
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig
from aihwkit.simulator.presets import ReRamESPreset
from classifier_steps import Step, step_of
from harness import paired, publish, seconds

from labtrain.training.eapu import EaPU, Probabilistic
from labtrain.training.mnist_eapu import relu_perceptron

SIZES, BATCH = (784, 1024, 256, 10), 64
PRESETS: dict[str, Callable[[], object]] = {
    "ConstantStep": lambda: SingleRPUConfig(device=ConstantStepDevice()),
    "ReRam preset": ReRamESPreset,
}


def ours() -> Step:
    network = relu_perceptron(SIZES, 1)
    inner = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    return step_of(network, EaPU(inner, rule=Probabilistic(0.025)), BATCH)


def digital() -> Step:
    network = relu_perceptron(SIZES, 1)
    return step_of(network, torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9), BATCH)


def theirs(config: Callable[[], object]) -> Step:
    layers: list[torch.nn.Module] = []
    for inputs, outputs in zip(SIZES, SIZES[1:], strict=False):
        layers += [AnalogLinear(inputs, outputs, rpu_config=config()), torch.nn.ReLU()]
    network = AnalogSequential(*layers[:-1])
    optimiser = AnalogSGD(network.parameters(), lr=0.01)
    optimiser.regroup_param_groups(network)
    return step_of(network, optimiser, BATCH)


def table(pairs: int) -> list[str]:
    lines = ["| what | its step | ours, compiled | times ours (quartiles) | goal |", "|---|---|---|---|---|"]
    peers: Sequence[tuple[str, Step]] = [
        ("torch's SGD, no devices", digital()),
        *((name, theirs(config)) for name, config in PRESETS.items()),
    ]
    for name, work in peers:
        found = paired(name, work, ours(), pairs=pairs, calls=3, clock=time.process_time)
        times = f"{found.ratio:.3g} ({found.low:.3g}-{found.high:.3g})"
        goal = ">= 2.5" if name in PRESETS else ""
        lines.append(f"| {name} | {seconds(found.ours)} | {seconds(found.theirs)} | {times} | {goal} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        *table(asked.pairs),
        "",
        "aihwkit pulses every cell for every sample of a batch, EaPU writes a few cells a step: the work",
        "differs because the methods do. The wheel of aihwkit 1.1.0 works with torch 2.10, not with 2.9 or",
        "2.13, so this ran in an environment of its own.",
    ]
    if asked.publish:
        publish("EaPU beside aihwkit", "python benchmarks/training_aihwkit.py --publish", lines)


if __name__ == "__main__":
    main()
