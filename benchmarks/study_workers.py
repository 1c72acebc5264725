"""A study on one worker and on two: how much sooner it is there.

    OMP_NUM_THREADS=1 python benchmarks/study_workers.py [--cells 4] [--pairs 2] [--epochs 340] [--publish]

Each study is ``labtrain study ... --scheduler``, from its start to its table, on one of two Dask clusters of
this machine, which have run one short cell a worker before (imports, compiled kernels). Workers have one
thread; those of the other cluster sleep meanwhile. The cells are the same each time, so that every pair
compares equal work; which of the two runs first changes from pair to pair. Wall time, so it says something
on a quiet machine with two cores only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import LocalCluster
from harness import publish, seconds

from labtrain import Recording

GOAL = 1.7
RECIPE = "iris-afd"


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start workers of one thread and warm each up; give the scheduler's address."""
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as running:
        study(running.scheduler_address, workers, epochs=1)
        yield running.scheduler_address


def study(address: str, cells: int, epochs: int) -> tuple[float, list[float]]:
    """Run a study; return its wall seconds and those of its cells' runs."""
    mismatches = ",".join(f"{0.02 + 0.01 * k:.2f}" for k in range(cells))
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "labtrain", "study", RECIPE, "--grid", f"mismatch={mismatches}"]
        words += ["--set", f"epochs={epochs}", "--no-baseline", "--scheduler", address]
        started = time.perf_counter()
        subprocess.run([*words, "--out", folder, "--json"], check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - started
        return took, [lasted(path) for path in sorted(Path(folder).glob("*.h5"))]


def lasted(path: Path) -> float:
    """Return how long a session ran, by the clock of its own machine."""
    with Recording.open(path) as recording:
        first, *_, last = recording.clock_pairs[:, 0]
    return float(last - first) * 1e-9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=340)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    times: dict[int, list[float]] = {1: [], 2: []}
    cells: dict[int, list[float]] = {1: [], 2: []}
    with cluster(1) as alone, cluster(2) as together:
        addresses = {1: alone, 2: together}
        for pair in range(asked.pairs):
            for workers in (1, 2) if pair % 2 == 0 else (2, 1):
                took, each = study(addresses[workers], asked.cells, asked.epochs)
                times[workers].append(took)
                cells[workers] += each
                print(f"{workers} workers: {took:.1f} s, cells {[round(one, 1) for one in each]}", flush=True)
    lines = table(times, cells)
    print("\n".join(lines))
    if asked.publish:
        command = f"OMP_NUM_THREADS=1 python benchmarks/study_workers.py --cells {asked.cells} --publish"
        publish("Study on two workers", command, lines)


def table(times: dict[int, list[float]], cells: dict[int, list[float]]) -> list[str]:
    ratios = sorted(one / two for one, two in zip(times[1], times[2], strict=True))
    studies = " | ".join(seconds(statistics.median(times[workers])) for workers in (1, 2))
    runs = " | ".join(seconds(statistics.median(cells[workers])) for workers in (1, 2))
    found = f"{statistics.median(ratios):.3g} ({ratios[0]:.3g} to {ratios[-1]:.3g})"
    return [
        f"{len(cells[1]) // len(times[1])} cells of `{RECIPE}`, {len(ratios)} pairs of studies.",
        "",
        "| what | one worker | two workers | times (lowest to highest) | goal |",
        "|---|---|---|---|---|",
        f"| one worker over two | {studies} | {found} | >= {GOAL} |",
        f"| a cell | {runs} |  |  |",
    ]


if __name__ == "__main__":
    main()
