"""A run on instruments of another process is taken up: devices are read, what is recorded stays."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from session_runs import Interrupted
from session_runs import interrupted as interrupted_order
from typer.testing import CliRunner

from labtrain.bench import Bench, locate_bench
from labtrain.cli.app import app
from labtrain.cli.device_states import Known, compare, last_known, resistance, unknown_before
from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.steps import protocol_step, train_step
from labtrain.cli.taking_up import Findings, point_of_rest, read_states, take_up
from labtrain.errors import ReplayMismatch
from labtrain.progress import SilentProgress
from labtrain.session import Recording

LABTRAIN = [sys.executable, "-m", "labtrain"]
CHECK = protocol_step("contact-check", "sot,neurons[0:2]", {"repeats": "1", "nplc": "0.1"}, 1)
IV = protocol_step("iv-curve", "neurons[0:3]", {"points": "5", "repeats": "1"}, 2)
SWEPT, CHECKED = 10, 10  # rows of one terminal's sweep up and down; of the contact check
CELLS = Path(__file__).parents[1] / "protocols" / "protocols.toml"
ROWS = 3 * 2 * SWEPT  # neurons, terminals
CUT = SWEPT + 3  # in the sweep of the first neuron's second terminal


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a bench whose instruments another process serves, on real time."""
    folder = tmp_path_factory.mktemp("served")
    text = locate_bench("demo").read_text()
    (folder / "simulated.toml").write_text(text)
    command = [*LABTRAIN, "bench", "serve", str(folder / "simulated.toml"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for alias, one in json.loads(process.stdout.readline())["instruments"].items():
            text = text.replace(
                f"[instruments.{alias}]\n", f'[instruments.{alias}]\nresource = "{one["resource"]}"\n'
            )
        (folder / "bench.toml").write_text(text)
        yield folder / "bench.toml"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def interrupted(bench: Path, out: Path) -> Path:
    return interrupted_order(Order("run", [CHECK, IV], 3, bench, out=out), CHECKED + CUT)


def resume(session: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["resume", str(session), *words, "--json"])
    return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])


def pulse_the_line(bench: Path, volts: float) -> None:
    with Bench.open(bench) as opened:
        opened.pulse_path("sot", "line").pulse(volts, 10e-9, 1)


def read_sot(bench: Path) -> float:
    with Bench.open(bench) as opened:
        return opened.contact_check("sot", "top").ohm


def test_what_is_recorded_stays_and_the_rest_is_measured(bench: Path, tmp_path: Path) -> None:
    cut = interrupted(bench, tmp_path / "cut.h5")
    code, refused = resume(cut)
    assert code == 2 and "give --yes" in refused["error"]["remedy"]  # nobody can be asked
    code, told = resume(cut, "--yes")
    assert code == 0 and told["status"] == "complete"
    with Recording.open(cut) as before, Recording.open(Path(told["session"])) as after:
        name = "runs/0002_iv-curve/points"
        old, new = before.rows(name).columns["volts"], after.rows(name).columns["volts"]
        assert len(old) == CUT and len(new) == ROWS
        assert np.array_equal(old[:SWEPT], new[:SWEPT])
        assert not np.array_equal(old[SWEPT:], new[SWEPT:CUT])  # read anew: other noise
        resumes = after.start["resumes"]
        assert resumes["session"] == "cut.h5" and len(resumes["taken_up_at"]) == 1
        resumed = after.document("live/resume")
        assert set(resumed["terminals"]) >= {"sot.top", "neurons[0].top", "neurons[2].top"}
        assert replay_recording(after, SilentProgress()).identical


def test_a_device_that_changed_meanwhile_stops_it(bench: Path, tmp_path: Path) -> None:
    cut = interrupted(bench, tmp_path / "cut.h5")
    before = read_sot(bench)
    for volts in (0.9, -0.9):
        pulse_the_line(bench, volts)
        if abs(read_sot(bench) / before - 1) > 0.2:
            break
    code, told = resume(cut)
    assert code == 1 and told["error"]["kind"] == "check-failed"
    assert re.search(r"sot.top: .* now, .* in the record \(.* sigma\)", told["error"]["message"])
    assert "neurons" not in told["error"]["message"] and "--yes" in told["error"]["remedy"]
    code, told = resume(cut, "--yes", "--sigma", "1e3")
    assert code == 0 and told["status"] == "complete"


@pytest.mark.slow
def test_a_run_taken_up_can_be_interrupted_and_taken_up_again(bench: Path, tmp_path: Path) -> None:
    first = interrupted(bench, tmp_path / "a.h5")
    with Recording.open(first) as recording:
        found = read_states(recording, tmp_path, "a", SilentProgress())
        with pytest.raises(KeyboardInterrupt):
            take_up(
                recording,
                tmp_path / "b.h5",
                found,
                Interrupted(CHECKED + CUT + SWEPT),
                force=False,
                data=None,
            )
    with Recording.open(tmp_path / "b.h5") as recording:
        assert recording.status == "aborted" and replay_recording(recording, SilentProgress()).identical
        take_up(recording, tmp_path / "c.h5", found, SilentProgress(), force=False, data=None)
    with Recording.open(tmp_path / "b.h5") as b, Recording.open(tmp_path / "c.h5") as c:
        assert b.start["resumes"]["taken_up_at"] < c.start["resumes"]["taken_up_at"]
        assert len(c.rows("runs/0002_iv-curve/points")) == ROWS
        assert replay_recording(c, SilentProgress()).identical


IRIS = train_step("iris-afd", None, {"epochs": "2", "folds": "2", "hidden": "2"}, baseline=False)
SWITCHING = protocol_step(
    "switching-probability", "sot", {"points": "2", "repeats": "2", "calibration": "3"}, 1
)
NOTHING = Findings(Path("none.h5"), {}, [])


@pytest.mark.parametrize(
    "step, at", [pytest.param(IRIS, 3, marks=pytest.mark.slow), (SWITCHING, 3), (SWITCHING, 11)]
)
def test_trainings_and_pulses_are_taken_up_too(step: dict[str, Any], at: int, tmp_path: Path) -> None:
    """In process: the devices begin as they were, which is as good as any other state."""
    order = Order("run", [step], 3, Path("demo"), out=tmp_path / "cut.h5")
    with pytest.raises(KeyboardInterrupt):
        record(order, Interrupted(at))
    with Recording.open(order.out) as recording:
        done = take_up(recording, tmp_path / "r.h5", NOTHING, SilentProgress(), force=False, data=None)
        before = recording.transactions()
    with Recording.open(done.session) as recording:
        after = recording.transactions()
        (at_rest,) = recording.start["resumes"]["taken_up_at"]
        assert at_rest > 0 and after.commands()[:50] == before.commands()[:50]
        assert (np.diff(recording.transactions("clock").t_ns) >= 0).all()
        assert replay_recording(recording, SilentProgress()).identical


def test_steps_that_go_otherwise_today_drive_nothing(bench: Path, tmp_path: Path, monkeypatch) -> None:
    cut = interrupted(bench, tmp_path / "cut.h5")
    with Recording.open(cut) as recording:
        rest = point_of_rest(recording, None)
        assert rest > 0
        recording.start["steps"] = [CHECK, {**IV, "settings": {"points": "6", "repeats": "1"}}]
        with pytest.raises(ReplayMismatch, match="nothing was driven"):
            point_of_rest(recording, None)


@pytest.mark.parametrize("ohms, moved", [(1000.0, False), (1000.5, False), (1050.0, True), (np.inf, True)])
def test_a_state_is_compared_in_standard_deviations(ohms: float, moved: bool) -> None:
    volts = np.array([0.02, -0.02] * 5)
    noise = 1e-9 * np.array([1, -1, 0.5, 0.3, -0.7, 0.2, -0.4, 0.9, -0.8, -0.1])
    rows = {
        "device": np.array(["r"] * 10, dtype=object),
        "terminal": np.array(["top"] * 10, dtype=object),
        "volts": volts,
        "amperes": (volts / ohms if np.isfinite(ohms) else 0 * volts) + noise * np.isfinite(ohms),
    }
    known = {"r.top": Known(1000.0, 1, 2.0)}
    assert unknown_before(known, rows) == {}
    assert list(unknown_before({}, rows)) == ["r.top"]  # read all the same, and told
    (state,) = compare({"r.top": Known(1000.0, 1, 2.0), "gone.top": Known(1.0, 1, 2.0)}, rows, 1.0).values()
    assert (state.apart > 5) == moved


def test_the_standard_deviation_is_that_of_the_scatter() -> None:
    """In 400 checks of 1 kohm with white noise, seeded: the spread of the estimates is the stated one."""
    draws = np.random.default_rng(1).normal(0, 2e-8, (400, 10))
    volts = np.array([0.02, -0.02] * 5)
    found = [resistance(volts, volts / 1e3 + noise) for noise in draws]
    spread, stated = np.std([ohm for ohm, _ in found]), np.median([sigma for _, sigma in found])
    assert spread == pytest.approx(stated, rel=0.15)  # 400 draws: 3.5 % of the spread, 4 sigma


def test_the_last_known_resistance_is_a_protocols_where_it_changes_devices(tmp_path: Path) -> None:
    step = protocol_step(
        "switching-probability", "sot", {"points": "2", "repeats": "1", "calibration": "3"}, 1
    )
    done = record(Order("run", [step], 3, Path("demo"), out=tmp_path / "a.h5"), SilentProgress())
    with Recording.open(done.session) as recording:
        known = last_known(recording)["sot.top"]
        last = recording.rows("runs/0001_switching-probability/points").columns["ohm_after"][-1]
        assert known.ohm == last and known.seq > recording.document_seqs("contacts/sot.top")[-1]


def test_a_conductance_left_by_a_protocol_is_a_known_resistance(tmp_path: Path) -> None:
    step = protocol_step("pulse-programming", "cells[0]", {"pulses": "5", "cycles": "1"}, 1)
    done = record(Order("run", [step], 3, CELLS, out=tmp_path / "a.h5"), SilentProgress())
    with Recording.open(done.session) as recording:
        rows = recording.rows("runs/0001_pulse-programming/points").columns
        where, known = next(iter(last_known(recording).items()))
        device = where.rpartition(".")[0]
        assert known.ohm == 1.0 / rows["siemens"][rows["device"] == device][-1]
