"""EaPU: time of a step, and what each way of being a bad memristor costs.

    python benchmarks/training_eapu.py step [--pairs 21] [--publish]
    python benchmarks/training_eapu.py robustness --data DIR [--seeds 2] [--publish]

``step``: 784-1024-256-10, B = 64, one thread, CPU time, over the same step of torch's SGD with momentum; the
rule in its compiled and in its plain form. ``robustness``: 784-64-10 on 10,000 training images, 10 epochs,
10,000 held out; weights on simulated memristors (80 uS a unit), each departure from the published device
alone, then all together; rows already in ``runs/eapu-benchmark/robustness.jsonl`` are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from harness import Ratio, paired, publish, ratio_table

from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.populations import draw
from labtrain.training.datasets import load_images
from labtrain.training.eapu import EaPU, EveryStep, Probabilistic, convert
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.image_run import split_images
from labtrain.training.loop import Schedule, Training, accuracy
from labtrain.training.mnist_eapu import relu_perceptron

UNIT = 80e-6
FOLDER = Path("runs/eapu-benchmark")


def stepper(make: Callable[[torch.nn.Module], torch.optim.Optimizer]) -> Callable[[], None]:
    network = relu_perceptron((784, 1024, 256, 10), 1)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(64, 784)).astype(np.float32))
    y, optimiser = torch.arange(64) % 10, make(network)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(network(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def sgd(network: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)


def steps(pairs: int) -> list[Ratio]:
    ratios = []
    for name, kernel, goal in (("compiled", True, "<= 1.25"), ("plain torch", False, "<= 1.75")):
        ours = stepper(
            lambda network, kernel=kernel: EaPU(sgd(network), rule=Probabilistic(0.025, kernel=kernel))
        )
        clock = time.process_time
        ratios.append(paired(name, ours, stepper(sgd), pairs=pairs, calls=5, goal=goal, clock=clock))
        print(ratios[-1].row(), flush=True)
    return ratios


PUBLISHED = {
    "g_min": 1e-9,
    "g_max": 1e-2,
    "g_start": 5e-3,
    "write_noise": 2e-6,
    "read_noise": 0.0,
    "read_flicker": 0.0,
}
BOUNDS = {"g_min": 4e-6, "g_max": 225e-6, "g_start": 100e-6}
DEPARTURES: dict[str, dict[str, float]] = {
    "published device": {},
    "bounds 4 to 225 uS": BOUNDS,
    "write noise 8 uS": {"write_noise": 8e-6},
    "write noise 16 uS": {"write_noise": 16e-6},
    "read noise 0.3 %, 1/f 0.2 % a decade": BOUNDS | {"read_noise": 0.003, "read_flicker": 0.002},
    "bounds and start spread by 20 %": BOUNDS | {"mismatch": 0.2},
    "2 % stuck": BOUNDS | {"stuck": 0.02},
    "10 % stuck": BOUNDS | {"stuck": 0.10},
    "all (16 uS, 20 %, 2 % stuck)": BOUNDS
    | {"write_noise": 16e-6, "read_noise": 0.003, "read_flicker": 0.002, "mismatch": 0.2, "stuck": 0.02},
}
RULES = {"EaPU, threshold at the noise": None, "EaPU, threshold 2 uS": 2e-6, "no rule": 0.0}


def trained(departure: str, rule: str, seed: int, data: Path) -> dict[str, float]:
    settings = PUBLISHED | DEPARTURES[departure]
    whole = split_images(load_images(data, "mnist"), "validation", seed)[0]
    split = replace(whole, train_x=whole.train_x[:10_000], train_y=whole.train_y[:10_000])
    network = relu_perceptron((784, 64, 10), seed)
    low, high = settings["g_min"], settings["g_max"]

    def opened(name: str, shape: tuple[int, int]) -> SimulatedSynapseArray:
        return SimulatedSynapseArray(draw("memristor", seed, shape[0] * shape[1], settings, name), shape)

    def laid(array: SimulatedSynapseArray) -> PairedSynapses:
        return PairedSynapses(array, siemens_per_unit=UNIT, low=low, high=high)

    cells = convert(network, opened, laid, tile=(784, 128), tolerance=2 * settings["write_noise"] / UNIT)
    placed = sum(one.written for one in cells.values())
    siemens = RULES[rule] or (settings["write_noise"] if RULES[rule] is None else 0.0)
    chosen = Probabilistic(siemens / UNIT) if siemens else EveryStep()
    optimiser = EaPU(torch.optim.Adam(network.parameters(), lr=0.002), rule=chosen, cells=cells, seed=seed)
    blind = replace(split, validation_x=split.validation_x[:0], validation_y=split.validation_y[:0])
    Training(network, blind, Schedule(10, 128, 0.002), seed=seed, optimiser=optimiser).run()
    return {
        "accuracy": accuracy(network, split.validation_x, split.validation_y),
        "write_ratio": optimiser.write_ratio(),
        "writes_a_cell": (sum(one.written for one in cells.values()) - placed) / optimiser.device_weights,
        "clipped": sum(one.clipped for one in cells.values()),
    }


def ideal(seed: int, data: Path) -> float:
    whole = split_images(load_images(data, "mnist"), "validation", seed)[0]
    split = replace(whole, train_x=whole.train_x[:10_000], train_y=whole.train_y[:10_000])
    network = relu_perceptron((784, 64, 10), seed)
    blind = replace(split, validation_x=split.validation_x[:0], validation_y=split.validation_y[:0])
    Training(network, blind, Schedule(10, 128, 0.002), seed=seed).run()
    return accuracy(network, split.validation_x, split.validation_y)


def robustness(data: Path, seeds: int) -> list[str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "robustness.jsonl"
    done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    known = {(row["departure"], row["rule"], row["seed"]): row for row in done}
    orders = [(departure, "EaPU, threshold at the noise") for departure in DEPARTURES]
    orders += [
        (name, rule) for name in list(DEPARTURES)[:4:3] + list(DEPARTURES)[-1:] for rule in list(RULES)[1:]
    ]
    for departure, rule in orders:
        for seed in range(seeds):
            if (departure, rule, seed) in known:
                continue
            row = {"departure": departure, "rule": rule, "seed": seed, **trained(departure, rule, seed, data)}
            known[departure, rule, seed] = row
            with file.open("a") as kept:
                kept.write(json.dumps(row) + "\n")
            print(row, flush=True)
    reached = fmean(ideal(seed, data) for seed in range(seeds))
    lines = [
        f"Ideal writes, the same effort: {reached:.2f} %.",
        "",
        "| memristors | rule | held-out accuracy, % | write ratio | writes a weight |",
        "|---|---|---|---|---|",
    ]
    for departure, rule in orders:
        rows = [known[departure, rule, seed] for seed in range(seeds)]
        mean = {key: fmean(row[key] for row in rows) for key in ("accuracy", "write_ratio", "writes_a_cell")}
        lines.append(
            f"| {departure} | {rule} | {mean['accuracy']:.2f} | {mean['write_ratio']:.4f} "
            f"| {mean['writes_a_cell']:.1f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("step", "robustness"))
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.what == "step":
        title = "EaPU: a training step over torch SGD's"
        body = ratio_table(steps(given.pairs), "torch SGD")
    else:
        title = "EaPU: what each departure from the published device costs"
        body = robustness(given.data, given.seeds)
        print("\n".join(body))
    if given.publish:
        publish(title, f"python benchmarks/training_eapu.py {given.what} --publish", body)


if __name__ == "__main__":
    main()
