"""``labtrain resume``: an interrupted run goes on, in a new file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.files import first_free
from labtrain.cli.options import ForceOption, OutOption, SessionArgument, YesOption
from labtrain.cli.outcome import JsonFlag, ending, shown
from labtrain.cli.progress import progress_bar
from labtrain.cli.recorded import Order, Recorded, require_new, run_order
from labtrain.cli.replaying import steps_of
from labtrain.cli.several import follow, is_first, processes_met, require_as_recorded
from labtrain.clock import RealClock
from labtrain.errors import UsageError
from labtrain.progress import Progress

if TYPE_CHECKING:
    from labtrain.session import Recording


def resume(
    session: SessionArgument,
    out: OutOption = None,
    force: ForceOption = False,
    yes: YesOption = False,
    sigma: Annotated[
        float, typer.Option("--sigma", min=0.0, help="How far real devices may be from the record.")
    ] = 5.0,
    data: Annotated[Path | None, typer.Option("--data", help="Where the data sets are.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Take an aborted protocol or training run up again; the whole of it goes into a new file.

    On real instruments every device is read first; one that is not as the record left it stops it.

    Example: labtrain resume runs/20261122T101500Z_W12-3-4_train_1.h5
    """
    with ending(as_json and is_first()) as end:
        from labtrain.session import Recording

        if is_first():
            require_new(out, force)
        clock = RealClock()
        with (
            Recording.open(session) as recording,
            progress_bar(as_json or not is_first()) as progress,
        ):
            require_unfinished(recording)
            require_as_recorded(recording)
            steps = steps_of(recording)
            if not is_first():
                with processes_met() as processes:
                    follow(order_of(recording, data), processes)
                return
            target = out or first_free(session.parent, f"{session.stem}_resumed", ".h5")
            real = real_instruments(recording)
            if real:
                from labtrain.cli.taking_up import read_states, require_consent, take_up

                findings = read_states(recording, target.parent, target.stem, progress)
                require_consent(findings, real, sigma, yes)
                done = take_up(recording, target, findings, progress, force=force, data=data)
            else:
                done = resume_recording(recording, target, progress, force=force, data=data)
        end.with_(*_told(steps, done, clock.now_ns() / 1e9))


def resume_recording(
    recording: Recording,
    out: Path,
    progress: Progress,
    *,
    force: bool = False,
    data: Path | None = None,
) -> Recorded:
    """Do a recorded run again, compared with its record as far as that goes, and carry it on.

    Parameters
    ----------
    recording
        Of an interrupted run on simulated instruments or directly simulated arrays (for real ones see
        :mod:`labtrain.cli.taking_up`).
    out
        The new session's file.

    Raises
    ------
    ReplayMismatch
        Where the re-run leaves the record: code, packages or data have changed.
    """
    from labtrain.session import Resume, Session

    start = recording.start
    order = order_of(recording, data)
    origin = {"resumes": {"session": recording.path.name, "uuid": recording.uuid}}
    bench_file = recording.bench_file
    with (
        processes_met() as processes,
        Session.create(out, start={**start, **origin}, bench_file=bench_file, force=force) as session,
    ):
        for text in recording.notes:
            session.note(text)
        # What a simulated bench has been through stands in no checkpoint: with one, all is done again.
        resume = Resume(recording, session, from_checkpoints=bench_file is None)
        results, bench_seconds = run_order(order, bench_file, resume.sink, progress, processes)
        resume.finish()
    return Recorded(out, session.status, results, bench_seconds)


def order_of(recording: Recording, data: Path | None) -> Order:
    """Return what a recorded run was told to do; a simulated bench is taken into this process."""
    start = recording.start
    return Order(start["command"], steps_of(recording), int(start["seed"]), mount="in-process", data_dir=data)


def require_unfinished(recording: Recording) -> None:
    """Accept the record of a run that did not come to its end.

    Raises
    ------
    UsageError
        For one that did, and for one that was killed before it stood where it was to go on.
    """
    if recording.status == "complete":
        raise UsageError(
            "this run came to its end; there is nothing to resume",
            file=recording.path,
            remedy="run it again with another --seed, or replay it",
        )
    from labtrain.session.ahead import half_taken_over

    origin = half_taken_over(recording)
    if origin is not None:
        raise UsageError(
            f"this run was killed while it took over the record of {origin}",
            file=recording.path,
            remedy=f"resume {origin} again: it is as it was",
        )


def real_instruments(recording: Recording) -> list[str]:
    """Return the instruments of a record that have an address."""
    if recording.bench_file is None:
        return []
    from labtrain.bench import read_plan

    plan = read_plan(recording.bench_file)
    return [
        f"{one.alias} ({one.model}) at {one.resource}" for one in plan.instruments.values() if one.resource
    ]


def _told(steps: list[dict[str, Any]], done: Recorded, seconds: float) -> tuple[Any, ...]:
    """Return what the resumed command itself would have ended with."""
    from labtrain.cli.running import told_protocol
    from labtrain.cli.training import told_training

    if len(steps) == 1 and steps[0]["kind"] == "train":
        return told_training(steps[0], done, seconds)
    if len(steps) == 1:
        return told_protocol(steps[0], done)
    fields = {"session": done.session, "status": done.status, "results": done.results, "seconds": seconds}
    return fields, f"{len(steps)} steps, {done.status}; recorded in {shown(done.session)}"
