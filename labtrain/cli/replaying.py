"""``labtrain replay``: the recorded command again, against the record."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.assignments import parse_assignments
from labtrain.cli.options import SessionArgument, SetOption
from labtrain.cli.outcome import JsonFlag, ending, shown
from labtrain.cli.progress import progress_bar
from labtrain.cli.recorded import Order
from labtrain.cli.several import follow_replay, is_first, processes_met, require_as_recorded
from labtrain.cli.steps import Surroundings, carry_out, carry_out_on
from labtrain.errors import DataError, LabtrainError, ReplayMismatch
from labtrain.progress import Progress

if TYPE_CHECKING:
    from labtrain.bench import Rests
    from labtrain.session import Recording, ReplayReport


_SHOWN = 12


def replay(
    session: SessionArgument,
    set_: SetOption = None,
    tolerance: Annotated[
        float, typer.Option(help="Accept deviations up to this share of the largest magnitude beside.")
    ] = 0.0,
    data: Annotated[Path | None, typer.Option("--data", help="Where the data sets are.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Re-run a session's command against its record; every message, row and weight is compared.

    Example: labtrain replay labtrain-demo/demo.h5
    """
    with ending(as_json and is_first()) as end:
        from labtrain.session import Recording
        from labtrain.session.differences import differences
        from labtrain.session.provenance import gather_provenance

        changes = parse_assignments(set_ or [])
        quiet = as_json or not is_first()
        with Recording.open(session) as recording, progress_bar(quiet) as progress:
            require_as_recorded(recording)
            if not is_first():
                with processes_met() as processes:
                    follow_replay(_order(recording, changes, data), processes)
                return
            since = differences(recording.provenance, gather_provenance())
            sys.stderr.write("".join(f"since the record was made: {text}\n" for text in since[:_SHOWN]))
            report = replay_recording(recording, progress, changes, data, tolerance)
        fields = {
            "identical": report.identical,
            "messages": report.messages,
            "exchanges": report.exchanges,
            "rows": report.rows,
            "first_mismatch": report.first_mismatch,
            "interrupted": report.interrupted,
            "deviation": report.deviation,
            "deviation_at": report.deviation_at or None,
            "differences": since,
            "session": session,
        }
        end.with_(fields, describe(report, session), exit_code=0 if report.identical else 1)


def replay_recording(
    recording: Recording,
    progress: Progress,
    changes: Mapping[str, str] | None = None,
    data: Path | None = None,
    tolerance: float = 0.0,
    rests: Rests | None = None,
) -> ReplayReport:
    """Re-run ``recording``'s steps with ``changes`` to their settings; return what was compared.

    A run that was interrupted or killed is compared up to there; one that failed must fail alike.

    Parameters
    ----------
    rests
        Counts the moments at which no route was closed.
    """
    from labtrain.bench import Bench, ReplayConnector, Rests
    from labtrain.session import RecordEnds, Replay

    order = _order(recording, changes or {}, data)
    steps, seed = order.steps, order.seed
    run = Replay(recording, tolerance=tolerance)
    try:
        if recording.bench_file is None:
            with processes_met() as processes:
                carry_out(steps, Surroundings(run.sink, progress, seed, None, data, processes=processes))
        else:
            with Bench.open(
                recording.bench_file,
                sink=run.sink,
                connector=ReplayConnector(run),
                rests=rests or Rests(taken_up_at(recording)),
            ) as bench:
                carry_out_on(bench, steps, run.sink, progress, seed, data)
    except (ReplayMismatch, RecordEnds):
        pass  # the report tells it
    except LabtrainError as error:
        # a killed run has no record of its unwinding, so the bench's safe state finds no answers there
        if not run.finish().interrupted and type(error).__name__ != recording.ended_by:
            raise
    return run.finish()


def _order(recording: Recording, changes: Mapping[str, str], data: Path | None) -> Order:
    steps = [_changed(step, changes) for step in steps_of(recording)]
    return Order(recording.start["command"], steps, int(recording.start["seed"]), data_dir=data)


def steps_of(recording: Recording) -> list[dict[str, Any]]:
    """Return the steps that a session recorded.

    Raises
    ------
    DataError
        For a session that was made from Python.
    """
    steps = recording.start.get("steps")
    if not steps:
        raise DataError(
            "this session does not say what was run (it was not made by run, train or demo)",
            file=recording.path,
            remedy="do it from Python with labtrain.session.Replay or labtrain.session.Resume",
        )
    return list(steps)


def taken_up_at(recording: Recording) -> list[int]:
    """Return the moments at rest at which a recorded run had been taken up on its instruments."""
    return list(recording.start.get("resumes", {}).get("taken_up_at", []))


def _changed(step: dict[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """Apply ``--set`` to the training step, or to the protocol where there is no training."""
    if not changes:
        return step
    return {**step, "settings": {**step["settings"], **changes}} if step["kind"] == "train" else step


def describe(report: ReplayReport, session: Path) -> str:
    """Say in a few lines whether the replay was identical, and where not."""
    compared = f"{report.messages} messages, {report.exchanges} exchanges, {report.rows} rows"
    how = (
        f"within {report.deviation:.3g} (at {shown(report.deviation_at)})"
        if report.deviation
        else "bit for bit"
    )
    if report.identical:
        until = ", up to where the run was interrupted" if report.interrupted else ""
        return f"[green]identical[/]: {shown(session)} ({compared} compared {how}{until})"
    first = report.first_mismatch or {"not played": report.unplayed}
    lines = [f"[red]not identical[/]: {shown(session)} ({compared} compared)"]
    lines += [f"  {key}: {shown(value)}" for key, value in first.items()]
    return "\n".join(lines)
