"""p-GAF: time of a step, accuracy over seeds, what real switches cost.

    python benchmarks/training_pgaf.py step [--pairs 21] [--publish]
    python benchmarks/training_pgaf.py mnist|cifar10|iris --data DIR [--seeds 3] [--seed N] [--publish]
    python benchmarks/training_pgaf.py wired [--publish]
    python benchmarks/training_pgaf.py table --data DIR [--seeds 2] [--publish]

``step``: one thread, CPU time, B = 256, 10 % of the gates open; over the same step whose products are dense
and then masked. ``mnist``, ``cifar10``, ``iris``: recorded sessions in ``runs/pgaf-benchmark`` (--folder);
those already there are not run again. ``--held-out`` adds a run on held-out images, which says when the first
97 and 98 % are reached. ``wired``: ``iris-pgaf``, all folds, through the bench ``iris-pgaf``, and the replay.
``table``: 784-256-256-10, 10,000 training images, 10 epochs, 10,000 held out; the cosine is of one sampled
gradient of 2,000 images against the exact one at the same weights.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import torch
from harness import publish, ratio_table
from kept_sessions import kept_run
from pgaf_step import steps
from pgaf_switches import costs_of_switches

from labtrain import Recording
from labtrain.bench import locate_bench
from labtrain.cli.replaying import replay_recording
from labtrain.cli.study_cells import Cell, Study, recorded_result
from labtrain.progress import SilentProgress


def reached(path: Path, recipe: str) -> list[str]:
    """Say when held-out accuracy first reached 97 and 98 %, and how far the work was cut until then."""
    recording = Recording.open(path)
    epochs, gates = (recording.rows(f"train/{recipe}/{name}").columns for name in ("epochs", "gates"))
    cuts = dict(zip(gates["epoch"].tolist(), gates["gradient_mac_reduction"].tolist(), strict=True))
    lines = []
    for goal in (97.0, 98.0):
        first = np.flatnonzero(np.asarray(epochs["validation_accuracy"]) >= goal)
        told = (
            f"after epoch {first[0] + 1}, cut until then {cuts[int(first[0])]:.1f}" if len(first) else "never"
        )
        lines.append(f"Held-out images, {goal:.0f} % first reached: {told}.")
    return lines


def over_seeds(kind: str, asked: argparse.Namespace) -> list[str]:
    recipe = f"{kind}-pgaf"
    asked.folder.mkdir(parents=True, exist_ok=True)
    study = Study(recipe, asked.folder, None, asked.data)
    seeds = range(asked.seeds) if asked.seed is None else [asked.seed]
    names = ("accuracy", "baseline_accuracy")
    counted = ("gradient_mac_reduction", "training_mac_reduction", "gradient_energy_saved", "energy_saved")
    lines = [f"| seed | {' | '.join((*names, *counted))} | CPU s |", "|---" * 8 + "|"]
    found = [kept_run(study, Cell((), (), seed)) for seed in seeds]
    figures = [[one[name] for name in names] + [one["ledger"][name] for name in counted] for one in found]
    for seed, one, row in zip(seeds, found, figures, strict=True):
        lines.append(f"| {seed} | {' | '.join(f'{x:.4g}' for x in row)} | {_cpu(one['cpu'])} |")
    means = [fmean(column) for column in zip(*figures, strict=True)]
    lines.append(f"| mean | {' | '.join(f'{x:.4g}' for x in means)} | |")
    lines += ["", _apart([row[0] - row[1] for row in figures])]
    held_out = Cell((), (("split", "validation"),), 101)
    if asked.held_out:
        kept_run(study, held_out)
    if recorded_result(study, held_out) is not None:
        lines += ["", *reached(held_out.path(study), recipe)]
    return lines


def _cpu(seconds: float) -> str:
    """Say CPU seconds; nothing where a session came from elsewhere."""
    return "" if np.isnan(seconds) else f"{seconds:.0f}"


def _apart(differences: list[float]) -> str:
    """Say the mean paired difference with its standard error."""
    told = f"p-GAF less exact gradients, paired by seed: {fmean(differences):+.2f}"
    if len(differences) < 2:
        return f"{told} points (one seed)."
    return f"{told} ± {stdev(differences) / len(differences) ** 0.5:.2f} points (standard error of the mean)."


def wired(folder: Path) -> list[str]:
    """Train Iris through the instruments and directly, and replay the first."""
    folder.mkdir(parents=True, exist_ok=True)
    cell = Cell((), (), 0)
    through = Study("iris-pgaf", folder, locate_bench("iris-pgaf"))
    found, direct = kept_run(through, cell), kept_run(Study("iris-pgaf", folder), cell)
    started = time.process_time()
    with Recording.open(cell.path(through)) as recording:
        report = replay_recording(recording, SilentProgress())
    replayed, size = time.process_time() - started, cell.path(through).stat().st_size
    ledger = found["ledger"]
    return [
        "| what | value | goal |",
        "|---|---|---|",
        f"| through the instruments, % | {found['accuracy']:.2f} | |",
        f"| directly simulated, % | {direct['accuracy']:.2f} | within 2 points |",
        f"| exact gradients, % | {found['baseline_accuracy']:.2f} | |",
        f"| attempts, flagged | {ledger['attempts']}, {ledger['flagged_attempts']} | |",
        f"| gradient MACs cut | {ledger['gradient_mac_reduction']:.3g} | |",
        f"| time on the bench | {ledger['bench_seconds']:.0f} s | |",
        f"| CPU time, replay | {found['cpu']:.0f} s, {replayed:.0f} s | |",
        f"| record | {size / 1e6:.1f} MB | <= 500 MB |",
        f"| replay identical | {report.identical}, {report.messages} messages | True |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("step", "mnist", "cifar10", "iris", "wired", "table"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, help="run this one only, for series shared out over time")
    parser.add_argument("--held-out", action="store_true", help="run seed 101 on held-out images too")
    parser.add_argument("--folder", type=Path, default=Path("runs/pgaf-benchmark"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.kind == "step":
        title, lines = (
            "p-GAF: step over masked-dense backpropagation",
            ratio_table(steps(asked.pairs), "masked dense"),
        )
    elif asked.kind == "table":
        title, lines = (
            "p-GAF: what real switches cost",
            costs_of_switches(asked.data, asked.seeds, asked.folder),
        )
    elif asked.kind == "wired":
        title, lines = "p-GAF: iris through the instruments", wired(asked.folder)
    else:
        title, lines = f"p-GAF: {asked.kind} over seeds", over_seeds(asked.kind, asked)
    print("\n".join(lines))
    if asked.publish:
        publish(title, f"python benchmarks/training_pgaf.py {asked.kind} --publish", lines)


if __name__ == "__main__":
    main()
