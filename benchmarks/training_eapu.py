"""EaPU: time of a step, a deep network over seeds.

    python benchmarks/training_eapu.py step [--pairs 21] [--publish]
    python benchmarks/training_eapu.py cifar10 --data DIR [--seeds 3] [--part eapu-0] [--publish]

``step``: 784-1024-256-10, B = 64, one thread, CPU time, over the same step of torch's SGD with momentum; the
rule in its compiled and in its plain form. ``cifar10``: ResNet-8 with EaPU, with ideal writes and without a
rule; recorded sessions in ``runs/eapu-benchmark`` (--folder), those already there are not run again.
``--part eapu-N`` or ``noise-N`` runs one session and tabulates nothing. What bad memristors cost:
``eapu_robustness.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from classifier_steps import Step, step_of
from harness import Ratio, paired, publish, ratio_table
from kept_sessions import kept_run

from labtrain.cli.study_cells import Cell, Study
from labtrain.training.eapu import EaPU, Probabilistic
from labtrain.training.mnist_eapu import relu_perceptron

PUBLISHED_RATIO = 0.0014
"""Nature Communications 2025, doi 10.1038/s41467-025-66240-7: less than this throughout, on deep networks."""


def stepper(make: Callable[[torch.nn.Module], torch.optim.Optimizer]) -> Step:
    network = relu_perceptron((784, 1024, 256, 10), 1)
    return step_of(network, make(network), 64)


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


def deep_run(folder: Path, data: Path, what: str, seed: int) -> dict[str, Any]:
    """Return a session's result: EaPU with the ideal network beside it, or no rule and nothing beside."""
    settings = () if what == "eapu" else (("rule", "noise-only"),)
    study = Study("cifar10-eapu", folder, None, data, baseline=what == "eapu")
    return kept_run(study, Cell((), settings, seed))


def deep(folder: Path, data: Path, seeds: int) -> list[str]:
    written = [deep_run(folder, data, "eapu", seed) for seed in range(seeds)]
    unruled = [deep_run(folder, data, "noise", seed) for seed in range(seeds)]
    series = {
        "EaPU": [one["accuracy"] for one in written],
        "ideal writes": [one["baseline_accuracy"] for one in written],
        "no rule": [one["accuracy"] for one in unruled],
    }
    ratios = {
        "EaPU": [1e3 * one["ledger"]["write_ratio"] for one in written],
        "no rule": [1e3 * one["ledger"]["write_ratio"] for one in unruled],
    }
    most = [one["ledger"]["writes_per_cell_max"] for one in written]
    lines = ["| test accuracy, % | mean | seeds | write ratio, per mille |", "|---|---|---|---|"]
    for name, values in series.items():
        own = told(ratios[name]) if name in ratios else ""
        lines.append(f"| {name} | {told(values)} | {', '.join(f'{v:.2f}' for v in values)} | {own} |")
    lost = [ideal - own for own, ideal in zip(series["EaPU"], series["ideal writes"], strict=True)]
    spent = sum(one["cpu"] for one in (*written, *unruled)) / 60
    return [
        *lines,
        "",
        f"EaPU loses {told(lost)} points (paired by seed). Published, on deeper networks: less than"
        f" {1e3 * PUBLISHED_RATIO:.1f} per mille. Most writes of a cell: {max(most)}.",
        f"{spent:.0f} minutes of CPU.",
    ]


def told(values: Sequence[float]) -> str:
    """Mean and the standard deviation of one seed."""
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{fmean(values):.2f}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("step", "cifar10"))
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--part", help="one session: eapu-N or noise-N")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("runs/eapu-benchmark"))
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.part:
        what, seed = given.part.split("-")
        print(deep_run(given.folder, given.data, what, int(seed)))
        return
    if given.what == "step":
        title, body = "EaPU: a training step over torch SGD's", ratio_table(steps(given.pairs), "torch SGD")
    else:
        title, body = "EaPU: cifar10 over seeds", deep(given.folder, given.data, given.seeds)
    print("\n".join(body))
    if given.publish:
        publish(title, f"python benchmarks/training_eapu.py {given.what} --publish", body)


if __name__ == "__main__":
    main()
