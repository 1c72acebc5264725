"""A run on real instruments taken up again: its devices are read first, what is recorded is not driven again.

The recorded steps are done from their beginning while the record answers, up to the last moment at which no
route was closed. There the instruments take over, and what the record holds behind is measured anew.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from labtrain.cli.device_states import State, compare, devices_of_steps, last_known, unknown_before
from labtrain.cli.files import first_free
from labtrain.cli.recorded import Order, Recorded, run_order
from labtrain.cli.replaying import replay_recording, steps_of, taken_up_at
from labtrain.cli.steps import carry_out_on, protocol_step
from labtrain.errors import CheckFailed, ReplayMismatch, UsageError
from labtrain.progress import Progress, SilentProgress
from labtrain.units import format_quantity

if TYPE_CHECKING:
    from labtrain.session import Recording

_REPEATS, _NPLC = 5, 1.0


@dataclass(frozen=True)
class Findings:
    """What the instruments and devices of a record are now.

    Attributes
    ----------
    session
        The record of the readings.
    strangers
        Instruments that are not those of the record, in words.
    unknown
        Terminal -> ohm now, of those whose resistance the record does not hold: the steps name their devices,
        the run had not come to them.
    """

    session: Path
    states: dict[str, State]
    strangers: list[str]
    unknown: dict[str, float] = field(default_factory=dict)

    def moved(self, sigmas: float) -> list[State]:
        """Return the terminals that have moved by more than so many standard deviations."""
        return [state for state in self.states.values() if not state.apart <= sigmas]

    def complaints(self, sigmas: float) -> list[str]:
        """Say what is not as the record left it."""
        return [*self.strangers, *map(_told, self.moved(sigmas))]

    def to_json(self) -> dict[str, Any]:
        """Return the findings as plain data."""
        states = {
            where: {"then_ohm": _finite(one.then), "now_ohm": _finite(one.now), "sigma_ohm": one.sigma}
            for where, one in self.states.items()
        }
        return {
            "read_in": self.session.name,
            "terminals": states,
            "strangers": self.strangers,
            "not_in_the_record": {where: _finite(ohm) for where, ohm in self.unknown.items()},
        }


def _finite(ohm: float) -> float | None:
    """Return a resistance as JSON holds it: None is an open circuit."""
    return ohm if math.isfinite(ohm) else None


def _told(state: State) -> str:
    then, now = (format_quantity(ohm, "ohm") for ohm in (state.then, state.now))
    return f"{state.where}: {now} now, {then} in the record ({state.apart:.3g} sigma)"


def read_states(recording: Recording, folder: Path, stem: str, progress: Progress) -> Findings:
    """Read every device that the record knows, at 20 mV or less, into a session of its own."""
    from labtrain.session import Recording as Reader
    from labtrain.session import Session

    known = last_known(recording)
    devices = list(dict.fromkeys([where.rpartition(".")[0] for where in known] + devices_of_steps(recording)))
    path = first_free(folder, f"{stem}_devices", ".h5")
    settings = {"repeats": str(_REPEATS), "nplc": str(_NPLC)}
    step = protocol_step("contact-check", ",".join(devices), settings, 1)
    steps = [step] if devices else []
    start = {"command": "run", "steps": steps, "seed": 0, "before": recording.path.name}
    with Session.create(path, start=start, bench_file=recording.bench_file) as session:
        run_order(Order("run", steps, 0), recording.bench_file, session, progress)
    with Reader.open(path) as found:
        rows = found.rows(f"runs/{step['name']}/points").columns if devices else {}
        compared = compare(known, rows, _NPLC) if devices else {}
        return Findings(path, compared, _strangers(recording, found), unknown_before(known, rows))


def _strangers(then: Recording, now: Recording) -> list[str]:
    names = [name for name in then.document_names() if name.startswith("instruments/")]
    pairs = [(name, then.document(name).get("idn"), now.document(name).get("idn")) for name in names]
    return [f"{name.split('/')[1]}: {b!r} now, {a!r} in the record" for name, a, b in pairs if a != b]


def require_consent(findings: Findings, real: list[str], sigmas: float, yes: bool) -> None:
    """Go on where devices are as the record left them and driving is agreed to; ask where one can.

    Raises
    ------
    CheckFailed
        Where devices have moved and nobody said to go on.
    UsageError
        Where nobody can be asked, or the answer is no.
    """
    complaints = findings.complaints(sigmas)
    read = len(findings.states) + len(findings.unknown)
    lines = [f"{read} terminals read, recorded in {findings.session}"]
    lines += [
        f"not in the record  {where}: {format_quantity(ohm, 'ohm')}"
        for where, ohm in findings.unknown.items()
    ]
    lines += [f"NOT AS THE RECORD LEFT IT  {complaint}" for complaint in complaints]
    sys.stderr.write("\n".join([*lines, f"the run would go on with {', '.join(real)}"]) + "\n")
    if yes:
        return
    if sys.stdin.isatty():
        if not typer.confirm("Go on?", err=True):
            raise UsageError("not confirmed; nothing but the devices' states was measured")
    elif complaints:
        raise CheckFailed(
            f"beyond {sigmas:g} sigma of the record: {'; '.join(complaints)}; nothing more was driven",
            remedy="look at probes and chip; --yes goes on all the same, --sigma changes the bound",
            file=findings.session,
        )
    else:
        raise UsageError(
            "real instruments would be driven and nobody can be asked",
            remedy="every device is as the record left it: give --yes",
        )


def point_of_rest(recording: Recording, data: Path | None) -> int:
    """Return the number of the last moment at rest from which nothing recorded was cut short.

    Raises
    ------
    ReplayMismatch
        Where the recorded steps do something else today.
    """
    from labtrain.bench import Rests

    rests = Rests(taken_up_at(recording))
    report = replay_recording(recording, SilentProgress(), data=data, rests=rests)
    if report.first_mismatch is not None:
        raise ReplayMismatch(
            "the recorded steps do not go as they went; nothing was driven",
            first=report.first_mismatch,
            remedy="the code, the packages or the data changed since: start the run afresh",
        )
    return rests.next_undisturbed


def take_up(
    recording: Recording, out: Path, findings: Findings, progress: Progress, *, force: bool, data: Path | None
) -> Recorded:
    """Carry a recorded run on with its instruments; the whole of it stands in the new session.

    Raises
    ------
    ReplayMismatch
        Where the recorded steps do something else today; nothing has been driven then.
    """
    from labtrain.bench import Bench, HandoverConnector, Rests, read_plan
    from labtrain.session import Resume, Session

    before, at = taken_up_at(recording), point_of_rest(recording, data)
    start, bench_file = recording.start, recording.bench_file
    assert bench_file is not None
    origin = {"session": recording.path.name, "uuid": recording.uuid, "taken_up_at": [*before, at]}
    with Session.create(
        out, start={**start, "resumes": origin}, bench_file=bench_file, force=force
    ) as session:
        for text in recording.notes:
            session.note(text)
        session.document("live/resume", findings.to_json())
        resume = Resume(recording, session)
        connector = HandoverConnector(
            resume.replay, read_plan(bench_file), resume.take_up, earlier=len(before)
        )
        rests = Rests([*before, at])
        with Bench.open(bench_file, sink=resume.sink, connector=connector, rests=rests) as bench:
            done = carry_out_on(bench, steps_of(recording), resume.sink, progress, int(start["seed"]), data)
        resume.finish()
    return Recorded(out, session.status, *done)
