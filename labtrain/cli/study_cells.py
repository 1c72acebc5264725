"""The cells of a study: every combination of the grid and seed is one recorded training run.

A cell's session is its result: one that is sealed, complete and of the same command is not run again, so an
interrupted study goes on where it was, and another grid over the same folder reuses what it shares.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from labtrain.cli.steps import train_step
from labtrain.errors import LabtrainError, UsageError
from labtrain.progress import Progress, SilentProgress


@dataclass(frozen=True)
class Study:
    """What every cell shares.

    Attributes
    ----------
    folder
        Where the cells' sessions are.
    """

    recipe: str
    folder: Path
    bench_file: Path | None = None
    data_dir: Path | None = None
    device: str | None = None
    twin: str | None = None
    baseline: bool = True


@dataclass(frozen=True)
class Cell:
    """One run: its place in the grid, all its settings as text, its seed."""

    place: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    seed: int

    @property
    def name(self) -> str:
        """Say the cell in words."""
        return ", ".join([*(f"{name}={value}" for name, value in self.place), f"seed {self.seed}"])

    def path(self, study: Study) -> Path:
        """Return its session's file, named after everything that decides it."""
        return study.folder / f"{study.recipe}_{_digest(_start(study, self))}.h5"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its result's fields, or why there is none."""

    cell: Cell
    result: Mapping[str, Any] | None
    error: str = ""


Runner = Callable[[Study, Sequence[Cell]], Iterator[Outcome]]
"""What runs cells that have no result yet, and yields them as they finish."""


def parse_grid(given: Sequence[str]) -> dict[str, list[str]]:
    """Read ``name=a,b,c`` texts; layer lists are written ``256x256``.

    Raises
    ------
    UsageError
        For a text that is none, or an axis given twice.
    """
    axes: dict[str, list[str]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        cells = [value.strip() for value in values.split(",")]
        if not equals or not name.strip() or not all(cells):
            raise UsageError(
                f"--grid {text!r} is not of the form name=a,b,c",
                remedy="for instance --grid mismatch=0,0.05,0.1",
            )
        if name.strip() in axes:
            raise UsageError(f"--grid {name.strip()} is given twice", remedy="put all its values into one")
        axes[name.strip()] = list(dict.fromkeys(cells))
    return axes


def cells_of(axes: Mapping[str, Sequence[str]], common: Mapping[str, str], seeds: int) -> list[Cell]:
    """List every cell, the last axis and then the seed running fastest."""
    shared = [name for name in axes if name in common]
    if shared:
        raise UsageError(f"{shared[0]} is set and in the grid", remedy="give it once", key=shared[0])
    cells = []
    for values in product(*axes.values()):
        place = tuple(zip(axes, values, strict=True))
        settings = tuple(sorted({**common, **dict(place)}.items()))
        cells += [Cell(place, settings, seed) for seed in range(seeds)]
    return cells


def run_cells(study: Study, cells: Sequence[Cell], run: Runner, progress: Progress) -> list[Outcome]:
    """Have the cells run that have no result yet; return every cell's outcome in the cells' order.

    Parameters
    ----------
    run
        :func:`in_processes` or :func:`labtrain.cli.study_cluster.on_cluster`, all but study and cells given.
    """
    done = {cell: Outcome(cell, found) for cell in cells if (found := recorded_result(study, cell))}
    left = [cell for cell in cells if cell not in done]
    progress.start(f"study {study.recipe}", len(cells))
    progress.advance(len(done), note=f"{len(done)} already there")
    for outcome in run(study, left) if left else ():
        done[outcome.cell] = outcome
        progress.advance(note=outcome.cell.name)
    return [done[cell] for cell in cells]


def in_processes(study: Study, cells: Sequence[Cell], workers: int) -> Iterator[Outcome]:
    """Run the cells ``workers`` at a time, each in a process of this machine; yield them as they finish."""
    # Spawned, not forked: threads of this process (torch's, the recorder's) do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(cells)), mp_context=context, max_tasks_per_child=None)
    try:
        running: dict[Future[dict[str, Any]], Cell] = {
            pool.submit(run_cell, study, one): one for one in cells
        }
        for finished in as_completed(running):
            error = finished.exception()
            if error is None:
                yield Outcome(running[finished], finished.result())
            else:
                yield Outcome(running[finished], None, f"{type(error).__name__}: {error}")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run_cell(study: Study, cell: Cell) -> dict[str, Any]:
    """Train one cell into its session; return its result."""
    from labtrain.cli.recorded import Order, record

    path = cell.path(study)
    order = Order(
        "train",
        [_step(study, cell)],
        cell.seed,
        study.bench_file,
        out=path,
        force=True,
        data_dir=study.data_dir,
    )
    try:
        return dict(record(order, SilentProgress()).results[study.recipe])
    except LabtrainError as error:
        # Errors with keywords do not travel between processes; their text does.
        raise RuntimeError(str(error)) from None


def recorded_result(study: Study, cell: Cell) -> dict[str, Any] | None:
    """Return the result that a complete session of this very cell holds, None where there is none."""
    from labtrain.session import Recording

    path = cell.path(study)
    if not path.exists():
        return None
    try:
        with Recording.open(path) as recording:
            asked = {"steps": recording.start.get("steps"), "seed": recording.start.get("seed")}
            if recording.status != "complete" or asked != {"steps": [_step(study, cell)], "seed": cell.seed}:
                return None
            return dict(recording.document(f"result/{study.recipe}"))
    except LabtrainError:
        return None


def _step(study: Study, cell: Cell) -> dict[str, Any]:
    return train_step(study.recipe, study.device, dict(cell.settings), study.baseline, study.twin)


def _start(study: Study, cell: Cell) -> dict[str, Any]:
    bench = "" if study.bench_file is None else hashlib.sha256(study.bench_file.read_bytes()).hexdigest()
    return {"step": _step(study, cell), "seed": cell.seed, "bench": bench}


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
