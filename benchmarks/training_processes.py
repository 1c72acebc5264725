"""A training step in one process and in several that share its batch.

    OMP_NUM_THREADS=1 torchrun --standalone --nproc-per-node 2 benchmarks/training_processes.py [--publish]
        [--hidden 1024x1024] [--batch 512] [--steps 5] [--pairs 7]

The first process makes some steps alone, while the others wait, then as many together with them, and so on.
Wall time says something on a quiet machine with a core for each process only; the CPU time of the first
process beside it says what of the work it was spared (sums and waiting enter as far as they cost).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.distributed
from harness import Ratio, publish, ratio_table

from labtrain import noise
from labtrain.training import Context
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.determinism import deterministic
from labtrain.training.eapu.choices import device_optimiser
from labtrain.training.loop import Schedule, Split, Training
from labtrain.training.mnist_afd import RECIPE as AFD
from labtrain.training.mnist_eapu import RECIPE as EAPU
from labtrain.training.mnist_eapu import relu_perceptron
from labtrain.training.mnist_pgaf import RECIPE as PGAF
from labtrain.training.pgaf.chip import sampler_maker
from labtrain.training.pgaf.converting import convert
from labtrain.training.pgaf.networks import conventional
from labtrain.training.processes import Alone, Processes
from labtrain.training.torchrun import joined

PIXELS, CLASSES = 784, 10
GOAL = ""


def data(samples: int) -> Split:
    drawn = noise.normal(1, 1, np.arange(samples * PIXELS), 0).astype(np.float32)
    x, y = torch.from_numpy(drawn).view(samples, PIXELS), torch.arange(samples) % CLASSES
    return Split(x, y, x[:0], y[:0])


def afd(context: Context, sizes: tuple[int, ...]) -> tuple[torch.nn.Module, None]:
    return DeviceTraining.prepare(context, AFD.name, sizes, torch.float32).build(0), None


def pgaf(context: Context, sizes: tuple[int, ...]) -> tuple[torch.nn.Module, None]:
    return convert(conventional(sizes, "tanh", 0), sampler_maker(context, sizes[1:-1])), None


def eapu(context: Context, sizes: tuple[int, ...]) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    network = relu_perceptron(sizes, 0)
    return network, device_optimiser(network, context)


WORKS = {"mnist-afd": (AFD, afd), "mnist-pgaf": (PGAF, pgaf), "mnist-eapu": (EAPU, eapu)}


def stepper(recipe: str, hidden: str, batch: int, processes: Processes) -> Callable[[], None]:
    """Return one step of a recipe's network on ``batch`` samples."""
    declared, build = WORKS[recipe]
    settings = declared.read_settings({"hidden": hidden})
    context = Context(settings=settings, processes=processes)
    sizes = (PIXELS, *settings["hidden"], CLASSES)
    network, optimiser = build(context, sizes)
    training = Training(
        network, data(batch), Schedule(1, batch, 1e-3), seed=0, optimiser=optimiser, processes=processes
    )
    network.train()

    def step() -> None:
        training._gradients_of(np.arange(batch))
        training.optimiser.step()

    return step


def timed(work: Callable[[], None], steps: int) -> tuple[float, float]:
    """Return wall and CPU seconds a step."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        work()
    return (time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps


def compare(recipe: str, options: argparse.Namespace, processes: Processes) -> list[Ratio]:
    """Return the ratios of wall and of CPU time of a step together to one alone."""
    alone = stepper(recipe, options.hidden, options.batch, Alone()) if processes.first else None
    together = stepper(recipe, options.hidden, options.batch, processes)
    together()
    if alone is not None:
        alone()
    taken = []
    for _ in range(options.pairs):
        torch.distributed.barrier()
        one = timed(alone, options.steps) if alone is not None else (1.0, 1.0)
        torch.distributed.barrier()
        taken.append((timed(together, options.steps), one))
    name = f"{recipe}, 784-{options.hidden.replace('x', '-')}-10, B={options.batch}"
    return [
        ratio(f"{name}: {kind} time", [(a[i], b[i]) for a, b in taken])
        for i, kind in enumerate(("wall", "CPU"))
    ]


def ratio(name: str, times: list[tuple[float, float]]) -> Ratio:
    ratios = sorted(a / b for a, b in times)
    ours, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    low, high = ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]
    return Ratio(name, ours, theirs, statistics.median(ratios), low, high, GOAL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", default="1024x1024")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--recipes", default=",".join(WORKS))
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    with joined() as processes, deterministic(threads=1):
        found = [r for name in options.recipes.split(",") for r in compare(name, options, processes)]
    if not processes.first:
        return
    lines = ratio_table(found, "one process")
    lines += ["", f"{processes.count} processes of one thread each, and the first alone. All work shared"]
    lines += [f"would be {1 / processes.count:.2g}; a step sends every gradient once."]
    print("\n".join(lines))
    if options.publish:
        command = f"torchrun --standalone --nproc-per-node {processes.count} benchmarks/training_processes.py"
        publish("Training by several processes", command, lines)


if __name__ == "__main__":
    main()
