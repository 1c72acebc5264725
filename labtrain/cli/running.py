"""``labtrain run`` and ``labtrain protocol list``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.assignments import parse_assignments
from labtrain.cli.options import (
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
from labtrain.cli.steps import failed_checks, protocol_step

if TYPE_CHECKING:
    from labtrain.cli.recorded import Recorded


def list_protocols(as_json: JsonFlag = False) -> None:
    """List the protocols with their parameters, units, defaults and ranges.

    Example: labtrain protocol list
    """
    with ending(as_json) as end:
        from labtrain.cli.tables import parameters_table
        from labtrain.procedures import describe_protocols

        protocols = describe_protocols()
        end.with_({"protocols": protocols}, parameters_table(protocols))


def run(
    protocol: Annotated[str, typer.Argument(help="See labtrain protocol list.")],
    bench: Annotated[Path, typer.Option("--bench", help="A bench file, or a shipped bench's name.")],
    device: Annotated[str | None, typer.Option("--device", help="NAME or ARRAY[0:8]; default: all.")] = None,
    set_: SetOption = None,
    seed: SeedOption = 0,
    out: OutOption = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    note: NoteOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a protocol on a bench and record a session.

    Example: labtrain run iv-curve --bench demo --device "neurons[0:4]" --set points=81 --out iv.h5
    """
    with ending(as_json) as end:
        from labtrain.cli.planning import confirm, plan_protocol
        from labtrain.cli.recorded import Order, record, require_new

        require_new(out, force)
        settings = parse_assignments(set_ or [])
        plan = plan_protocol(protocol, bench, device, settings)
        if dry_run:
            end.with_(plan.fields, plan.text)
            return
        confirm(plan, yes)
        step = protocol_step(protocol, device, settings, 1)
        order = Order("run", [step], seed, bench, out=out, force=force, note=note)
        with progress_bar(as_json) as progress:
            done = record(order, progress)
        end.with_(*told_protocol(step, done))


def told_protocol(step: Mapping[str, Any], done: Recorded) -> tuple[dict[str, Any], str, int]:
    """Return the fields, the text and the exit code that end a protocol command."""
    result = done.results[step["name"]]
    failed = failed_checks(done.results)
    fields = {
        "session": done.session,
        "status": done.status,
        "points": result["points"],
        "result": result["result"],
        "not_driven": result["not_driven"],
        "drifted": result["drifted"],
        "failed": result["failed"],
        "bench_seconds": done.bench_seconds,
    }
    lines = [
        f"{step['protocol']}: {result['points']} points, {done.status}; recorded in {shown(done.session)}"
    ]
    lines += [f"[yellow]out of specification:[/] {item}" for item in failed]
    return fields, "\n".join(lines), 1 if failed else 0
