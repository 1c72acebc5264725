"""``labtrain train`` and ``labtrain recipe list``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.assignments import parse_assignments
from labtrain.cli.options import (
    BenchOption,
    DryRunOption,
    ForceOption,
    NoteOption,
    OutOption,
    SeedOption,
    SetOption,
    YesOption,
)
from labtrain.cli.outcome import JsonFlag, ending, shown
from labtrain.cli.progress import progress_bar
from labtrain.cli.several import follow, is_first, processes_met, require_one_for
from labtrain.cli.steps import train_step
from labtrain.clock import RealClock

if TYPE_CHECKING:
    from labtrain.cli.recorded import Recorded


def list_recipes(as_json: JsonFlag = False) -> None:
    """List the recipes with their settings, units, defaults and ranges.

    Example: labtrain recipe list
    """
    with ending(as_json) as end:
        from labtrain.cli.tables import parameters_table
        from labtrain.training import describe_recipes

        recipes = describe_recipes()
        end.with_({"recipes": recipes}, parameters_table(recipes))


def train(
    recipe: Annotated[str, typer.Argument(help="See labtrain recipe list.")],
    bench: BenchOption = None,
    twin: Annotated[Path | None, typer.Option("--twin", help="A twin to train on.")] = None,
    set_: SetOption = None,
    seed: SeedOption = 0,
    data: Annotated[Path | None, typer.Option("--data", help="Where the data sets are.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="The bench's array of neurons.")] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Leave the baseline out.")] = False,
    out: OutOption = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    note: NoteOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train a network with devices in the loop and record a session.

    Example: labtrain train iris-afd --bench demo --set epochs=40 --seed 3 --out iris.h5
    """
    with ending(as_json and is_first()) as end:
        from labtrain.cli.planning import confirm, plan_training
        from labtrain.cli.recorded import Order, record, require_new

        require_one_for(bench)
        settings = parse_assignments(set_ or [])
        plan = plan_training(recipe, bench, settings)
        if is_first():
            require_new(out, force)
        if dry_run:
            if is_first():
                end.with_(plan.fields, plan.text)
            return
        confirm(plan, yes)
        step = train_step(recipe, device, settings, not no_baseline, None if twin is None else str(twin))
        order = Order("train", [step], seed, bench, out=out, force=force, note=note, data_dir=data)
        clock = RealClock()
        with processes_met() as processes, progress_bar(as_json or not is_first()) as progress:
            if not is_first():
                follow(order, processes)
                return
            done = record(order, progress, processes)
        end.with_(*told_training(step, done, clock.now_ns() / 1e9))


def told_training(step: Mapping[str, Any], done: Recorded, seconds: float) -> tuple[dict[str, Any], str]:
    """Return the fields and the text that end a training command."""
    result = done.results[step["name"]]
    fields = {**result, "session": done.session, "status": done.status, "seconds": seconds}
    return fields, training_summary(result) + f"\nrecorded in {shown(done.session)}"


def training_summary(result: dict[str, Any]) -> str:
    """Say in two lines what a training reached."""
    line = f"{result['recipe']}: {result['accuracy']:.2f} % {result['split']} accuracy"
    if result.get("baseline_accuracy") is not None:
        line += f" (conventional network, same data and effort: {result['baseline_accuracy']:.2f} %)"
    worked_round = [f"{kind}: {', '.join(result[kind])}" for kind in ("dead", "stuck") if result.get(kind)]
    return "\n".join([line, *(["worked round " + "; ".join(worked_round)] if worked_round else [])])
