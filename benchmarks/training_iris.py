"""`iris-afd` through the instruments: k-fold over seeds, 5 % and 10 % mismatch, tanh on the same folds.

    python benchmarks/training_iris.py [--seeds 5] [--mismatch 0.05 0.10] [--hidden 8 5x3] [--seconds S]
                                       [--publish]

Every run is a recorded session in ``runs/iris-benchmark`` (--folder); those already there are not run again,
so an interrupted benchmark goes on where it was; with --seconds none is begun after so long. The bench is the
shipped ``iris-pair-2602B``: noise of the meter by its data sheet, telegraph noise of the junctions. Its seed
draws the chip: it is the run's seed.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from harness import publish

from labtrain.bench import locate_bench
from labtrain.cli.study_cells import Study, cells_of, recorded_result, run_cell

GOALS = {0.05: ">= 95 %, gap <= 1.5", 0.10: ">= 94 %"}


def chip(folder: Path, mismatch: float, seed: int, neurons: int) -> Path:
    """Write the bench file of one chip."""
    text = locate_bench("iris-pair-2602B").read_text()
    text = re.sub(r"(?m)^seed = \d+", f"seed = {seed}", text)
    text = re.sub(r"(?m)^mismatch = [\d.]+", f"mismatch = {mismatch}", text)
    if neurons > 8:
        text = re.sub(r"(?m)^count = \d+", f"count = {neurons + 2}", text)
    file = folder / f"chip-{mismatch:g}-{seed}-{neurons}.toml"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file


def results(
    folder: Path, mismatch: float, asked: argparse.Namespace, hidden: str
) -> Iterator[dict[str, Any]]:
    """Run what is left of one line, a seed at a time."""
    neurons = sum(int(width) for width in hidden.split("x"))
    for cell in cells_of({"hidden": [hidden]}, {}, asked.seeds):
        study = Study("iris-afd", folder, chip(folder, mismatch, cell.seed, neurons))
        found = recorded_result(study, cell)
        if found is None:
            if time.monotonic() > asked.until:
                raise SystemExit("time is up: run it again to go on from here")
            started = time.process_time()
            found = run_cell(study, cell)
            print(f"  {mismatch:.0%} {cell.name}: {time.process_time() - started:.0f} s of CPU", flush=True)
        yield found


def line(mismatch: float, hidden: str, found: Sequence[dict[str, Any]]) -> str:
    ours, tanh = ([one[name] for one in found] for name in ("accuracy", "baseline_accuracy"))
    cosine = fmean(one["gradient_cosine"] for one in found)
    spread = stdev(ours) if len(ours) > 1 else float("nan")
    goal = GOALS.get(mismatch, "") if hidden == "8" else ""
    reached = f"{fmean(ours):.2f} +- {spread:.2f} | {fmean(tanh):.2f} | {fmean(tanh) - fmean(ours):.2f}"
    return f"| {mismatch:.0%} | {hidden} | {len(found)} | {reached} | {cosine:.3f} | {goal} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--mismatch", type=float, nargs="+", default=[0.05, 0.10])
    parser.add_argument("--hidden", nargs="+", default=["8"], help="layers, such as 8 or 5x3")
    parser.add_argument("--folder", type=Path, default=Path("runs/iris-benchmark"))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    asked.until = time.monotonic() + asked.seconds
    asked.folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "5-fold validation accuracy in percent, mean over seeds and deviation; each seed draws its own chip.",
        "",
        "| mismatch | hidden | seeds | devices | tanh | gap | cosine | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for hidden in asked.hidden:
        for mismatch in asked.mismatch:
            lines.append(line(mismatch, hidden, list(results(asked.folder, mismatch, asked, hidden))))
            print(lines[-1], flush=True)
    if asked.publish:
        publish("iris-afd through the instruments", "python benchmarks/training_iris.py --publish", lines)


if __name__ == "__main__":
    main()
