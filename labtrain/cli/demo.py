"""``labtrain demo``: the main job, end to end, on the simulated bench."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtrain.cli.options import SeedOption
from labtrain.cli.outcome import JsonFlag, ending
from labtrain.cli.progress import progress_bar
from labtrain.cli.steps import protocol_step, train_step
from labtrain.clock import RealClock
from labtrain.progress import Progress

if TYPE_CHECKING:
    from labtrain.cli.recorded import Recorded
    from labtrain.session import ReplayReport


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")] = Path("labtrain-demo"),
    seed: SeedOption = 0,
    mount: Annotated[str | None, typer.Option("--mount", help="in-process, tcp or serial.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Characterise a simulated chip, fit twins, train Iris in the loop, seal, replay, report.

    Example: labtrain demo
    """
    with ending(as_json) as end:
        clock = RealClock()
        with progress_bar(as_json) as progress:
            done, twins = measure_and_train(out, seed, mount, progress)
            replayed = replay_it(done.session, progress)
            page = write_page(done.session)
        seconds = clock.now_ns() / 1e9
        training = done.results["iris-afd"]
        fields = {
            "accuracy": training["accuracy"],
            "baseline_accuracy": training["baseline_accuracy"],
            "replay_identical": replayed.identical,
            "session": done.session,
            "twins": twins,
            "report": page,
            "seconds": seconds,
            "bench_seconds": done.bench_seconds,
            "training": training,
        }
        end.with_(fields, story(fields, done, replayed), exit_code=0 if replayed.identical else 1)


def steps() -> list[dict[str, Any]]:
    """Return what the demo does on the bench, in order."""
    return [
        protocol_step("contact-check", None, {}, 1),
        protocol_step("iv-curve", "neurons", {}, 2),
        protocol_step("switching-probability", "sot", {}, 3),
        train_step("iris-afd", "neurons", {}, baseline=True),
    ]


def measure_and_train(out: Path, seed: int, mount: str | None, progress: Progress) -> tuple[Recorded, Path]:
    """Run the steps on the demo bench, seal the session, fit twins from it."""
    from labtrain.cli.files import first_free
    from labtrain.cli.recorded import Order, record
    from labtrain.twins import fit_files

    session = first_free(out, "demo", ".h5")
    done = record(Order("demo", steps(), seed, Path("demo"), mount=mount, out=session), progress)
    twins = session.with_suffix(".twins.toml")
    fit_files([session]).write(twins)
    return done, twins


def replay_it(session: Path, progress: Progress) -> ReplayReport:
    """Replay the sealed session."""
    from labtrain.cli.replaying import replay_recording
    from labtrain.session import Recording

    with Recording.open(session) as recording:
        return replay_recording(recording, progress)


def write_page(session: Path) -> Path:
    """Write the session's report beside it."""
    from labtrain.report import write_report
    from labtrain.session import Recording

    with Recording.open(session) as recording:
        return write_report(recording, session.with_suffix(".html"))


def story(fields: Mapping[str, Any], done: Recorded, replayed: ReplayReport) -> str:
    """Say what was done, what was measured, and where the files are."""
    training = fields["training"]
    contact = done.results["0001_contact-check"]["result"]
    hours = (done.bench_seconds or 0.0) / 3600
    same = "identical" if replayed.identical else f"[red]not identical[/]: {replayed.first_mismatch}"
    rows = [
        ("bench", "Keithley 2450, Keysight 81160A and a serial switch matrix, simulated"),
        (
            "contact check",
            f"{len(contact.get('out_of_specification', []))} device(s) out of specification: "
            f"{', '.join(contact.get('out_of_specification', [])) or 'none'}",
        ),
        ("worked round", ", ".join([*training.get("dead", []), *training.get("stuck", [])]) or "nothing"),
        (
            "Iris in the loop",
            f"{training['accuracy']:.2f} % validation, 5 folds"
            f" (tanh network: {training['baseline_accuracy']:.2f} %)",
        ),
        ("gradient cosine", f"{training['gradient_cosine']:.4f} device against numerical derivative"),
        (
            "replay",
            f"{same} ({replayed.messages} messages, {replayed.exchanges} exchanges, {replayed.rows} rows)",
        ),
        ("on real instruments", f"the same run would take {hours:.1f} h"),
        ("session", str(fields["session"])),
        ("twins", str(fields["twins"])),
        ("report", str(fields["report"])),
        ("took", f"{fields['seconds']:.1f} s"),
    ]
    return "\n".join(f"[bold]{name:<20}[/] {text}" for name, text in rows)
