"""`mnist-afd` over seeds beside tanh, and through the instruments; `mnist-afd-distill` over seeds.

    python benchmarks/training_mnist.py deep|wired|distill --data DIR [--seeds 3] [--seed N] [--publish]

Every run is a recorded session in ``runs/mnist-benchmark`` (--folder), its CPU seconds in a file beside it;
those already there are not run again; ``--seed`` runs one of them.
``wired`` is one run of 784-32-10 on the bench ``mnist-afd``, all images twice, replayed with
``labtrain replay`` afterwards by hand.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from harness import publish

from labtrain.bench import locate_bench
from labtrain.cli.study_cells import Cell, Study, cells_of, recorded_result, run_cell

WIRED = {"hidden": "32", "epochs": "2", "batch_size": "250", "learning_rate": "0.01", "drift_every": "240"}
COLUMNS = {
    "deep": ("accuracy", "baseline_accuracy", "gradient_cosine"),
    "wired": ("accuracy", "baseline_accuracy", "gradient_cosine"),
    "distill": (
        "accuracy",
        "alone_accuracy",
        "gain",
        "teacher_accuracy",
        "gap_to_teacher",
        "parameter_ratio",
    ),
}


def run(study: Study, cell: Cell) -> dict[str, Any]:
    """Run a cell unless it is there; its CPU seconds and its file's size come with the result."""
    found, path = recorded_result(study, cell), cell.path(study)
    beside = path.with_suffix(".cpu")
    if found is None:
        started = time.process_time()
        found = run_cell(study, cell)
        beside.write_text(f"{time.process_time() - started:.1f}\n")
    seconds = float(beside.read_text()) if beside.exists() else float("nan")
    return found | {"cpu": seconds, "megabytes": path.stat().st_size / 1e6}


def table(kind: str, found: Sequence[dict[str, Any]]) -> list[str]:
    names = COLUMNS[kind]
    lines = [f"| seed | {' | '.join(names)} | CPU s | record MB |", "|---" * (len(names) + 3) + "|"]
    for one in found:
        figures = " | ".join(f"{one[name]:.4g}" for name in names)
        lines.append(f"| {one['seed']} | {figures} | {one['cpu']:.0f} | {one['megabytes']:.0f} |")
    means = " | ".join(f"{fmean(one[name] for one in found):.4g}" for name in names)
    return [*lines, f"| mean | {means} | | |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=tuple(COLUMNS))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, help="run this one only, for series shared out over time")
    parser.add_argument("--folder", type=Path, default=Path("runs/mnist-benchmark"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    wired = asked.kind == "wired"
    recipe = "mnist-afd-distill" if asked.kind == "distill" else "mnist-afd"
    study = Study(recipe, asked.folder, locate_bench("mnist-afd") if wired else None, asked.data)
    cells = cells_of({}, WIRED if wired else {}, 1 if wired else max(asked.seeds, (asked.seed or 0) + 1))
    if asked.seed is not None:
        cells = [cell for cell in cells if cell.seed == asked.seed]
    found = []
    for cell in cells:
        found.append(run(study, cell))
        print(f"{cell.name}: {found[-1]['accuracy']:.2f} %, {found[-1]['cpu']:.0f} s of CPU", flush=True)
    lines = table(asked.kind, found)
    print("\n".join(lines))
    if asked.publish:
        command = f"python benchmarks/training_mnist.py {asked.kind} --publish"
        publish(f"{recipe}, {asked.kind}: test accuracy in percent", command, lines)


if __name__ == "__main__":
    main()
