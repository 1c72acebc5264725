"""``labtrain study``: many trainings over a grid of settings, one table and one figure."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from labtrain import entry_points
from labtrain.cli.assignments import parse_assignments
from labtrain.cli.options import BenchOption, DryRunOption, SetOption
from labtrain.cli.outcome import JsonFlag, ending
from labtrain.cli.progress import progress_bar
from labtrain.cli.study_cells import (
    Cell,
    Outcome,
    Runner,
    Study,
    cells_of,
    in_processes,
    parse_grid,
    run_cells,
)
from labtrain.cli.study_cluster import on_cluster
from labtrain.cluster import check_address
from labtrain.errors import UsageError

LOCAL = "local"


def study(
    recipe: Annotated[str, typer.Argument(help="See labtrain recipe list.")],
    grid: Annotated[list[str], typer.Option("--grid", help="name=a,b,c; layer lists 256x256. Repeatable.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of every cell: seeds 0 to N - 1.")] = 1,
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="local, or a Dask scheduler: tls://host:port.")
    ] = LOCAL,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Runs at a time, with local.")
    ] = None,
    bench: BenchOption = None,
    twin: Annotated[Path | None, typer.Option("--twin", help="A twin to train on.")] = None,
    set_: SetOption = None,
    data: Annotated[Path | None, typer.Option("--data", help="Where the data sets are.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="The bench's array of neurons.")] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Leave the baselines out.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="The study's folder.")] = None,
    dry_run: DryRunOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Train over a grid; a study that was interrupted goes on where it was, cell by cell.

    Example: labtrain study iris-afd --grid mismatch=0.01,0.05,0.1 --grid delta_current=0.5uA,1uA --seeds 5
    """
    with ending(as_json) as end:
        axes = parse_grid(grid)
        cells = cells_of(axes, parse_assignments(set_ or []), seeds)
        _check(recipe, cells, scheduler)
        folder = out or Path("runs") / f"study_{recipe}"
        if dry_run:
            names = [cell.name for cell in cells]
            end.with_({"plan": {"cells": len(cells), "names": names}}, "\n".join(names))
            return
        folder.mkdir(parents=True, exist_ok=True)
        order = Study(
            recipe,
            folder,
            _located(bench),
            None if data is None else data.resolve(),
            device,
            None if twin is None else str(twin.resolve()),
            not no_baseline,
        )
        with progress_bar(as_json) as progress:
            outcomes = run_cells(order, cells, _runner(scheduler, workers), progress)
        fields = _written(folder, axes, outcomes)
        end.with_(fields, _told(fields), exit_code=1 if fields["failed"] else 0)


def _check(recipe: str, cells: list[Cell], scheduler: str) -> None:
    """Read every cell's settings before the first is run."""
    if scheduler != LOCAL:
        check_address(scheduler)
    loaded = entry_points.load(entry_points.RECIPES, recipe)
    for cell in cells:
        loaded.read_settings(dict(cell.settings))


def _runner(scheduler: str, workers: int | None) -> Runner:
    if scheduler != LOCAL:
        return partial(on_cluster, address=scheduler)
    return partial(in_processes, workers=workers or os.cpu_count() or 1)


def _located(bench: Path | None) -> Path | None:
    from labtrain.bench import locate_bench, read_plan

    if bench is None:
        return None
    located = locate_bench(bench).resolve()
    real = [one.alias for one in read_plan(located).instruments.values() if one.resource]
    if real:
        raise UsageError(
            f"the bench has real instruments ({', '.join(real)}): a study runs on simulated ones",
            remedy="run the cells one by one with labtrain train",
            file=located,
        )
    return located


def _written(folder: Path, axes: dict[str, list[str]], outcomes: list[Outcome]) -> dict[str, Any]:
    from labtrain.cli.study_figure import draw_figure
    from labtrain.cli.study_table import write_table

    failures = [{"cell": one.cell.name, "error": one.error} for one in outcomes if one.result is None]
    table, figure = folder / "study.csv", folder / "study.png"
    lines = write_table(outcomes, table)
    draw_figure(lines, axes, figure)
    return {
        "table": str(table),
        "figure": str(figure),
        "cells": len(outcomes),
        "failed": len(failures),
        "failures": failures,
        "rows": lines,
    }


def _told(fields: dict[str, Any]) -> str:
    text = f"{fields['cells']} cells, {fields['failed']} failed\n{fields['table']}\n{fields['figure']}"
    return text + "".join(f"\n{one['cell']}: {one['error']}" for one in fields["failures"])
