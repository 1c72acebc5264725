"""Long runs watch the bench: what is read in between, what is flagged, what ends a run."""

import numpy as np
import pytest
from protocols_cases import BENCH

from labtrain import noise
from labtrain.bench import Bench
from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.running import told_protocol
from labtrain.cli.steps import protocol_step
from labtrain.procedures import run_procedure
from labtrain.procedures.drift import beyond_three_sigma
from labtrain.procedures.witnesses import READINGS, Witness
from labtrain.progress import SilentProgress
from labtrain.session import Recording, Session
from protocols.iv_curve import IVCurve

LONG = {"repeats": 60, "points": 11, "nplc": 10, "drift_period": 100}


def run(tmp_path, monkeypatch, faults="", settings=LONG, devices="neurons[0:2],cells[0]"):
    """Run a long iv-curve; return its outcome and its drift rows."""
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    file = tmp_path / "bench.toml"
    file.write_text(BENCH.read_text() + faults)
    with (
        Session.create(tmp_path / "s.h5", start={"command": "run"}, bench_file=file.read_bytes()) as session,
        Bench.open(file, sink=session) as bench,
    ):
        outcome = run_procedure(
            IVCurve, bench, bench.select(devices), settings, run_name="0001_iv-curve", sink=session
        )
    with Recording.open(tmp_path / "s.h5") as recording:
        name = "runs/0001_iv-curve/drift"
        return outcome, recording.rows(name).columns if name in recording.stream_names() else None


def test_a_long_run_reads_reference_short_and_devices_again_and_again(tmp_path, monkeypatch):
    outcome, drift = run(tmp_path, monkeypatch)
    assert outcome.status == "complete" and not outcome.drifted
    kinds = dict(zip(drift["device"].tolist(), drift["kind"].tolist(), strict=True))
    assert kinds == {
        "reference": "reference",
        "shorted": "short",
        "neurons[0]": "device",
        "neurons[1]": "device",
        "cells[0]": "device",
    }
    checks = drift["seconds"][drift["device"] == "reference"]
    assert len(checks) >= 5 and np.all(np.diff(checks) > 0) and np.median(np.diff(checks)) >= 100
    assert abs(drift["ohm"][drift["device"] == "reference"] - 10e3).max() < 50
    assert drift["ohm"][drift["device"] == "shorted"].max() < 5
    judged = {device: set(drift["judged"][drift["device"] == device].tolist()) for device in kinds}
    assert judged["cells[0]"] == {False} and judged["neurons[0]"] == {
        True
    }  # a memristor is moved by reading it


def test_a_short_run_is_not_watched(tmp_path, monkeypatch):
    outcome, drift = run(tmp_path, monkeypatch, settings={"points": 5})
    assert outcome.status == "complete" and drift is None


def test_a_drifting_reference_is_flagged_and_beyond_the_limit_ends_the_run(tmp_path, monkeypatch):
    faults = "\n[faults]\ndrifting = { reference = 0.5 }\n"
    outcome, drift = run(tmp_path, monkeypatch, faults)
    assert outcome.status == "aborted"
    assert outcome.drifted.startswith("reference.top went from") and "limit 2 %" in outcome.drifted
    own = drift["device"] == "reference"
    assert drift["flagged"][own][-1] and abs(drift["change"][own][-1]) > 200
    assert not drift["flagged"][drift["device"] == "neurons[0]"].any()


def test_a_wider_limit_lets_the_run_go_on_with_its_flags(tmp_path, monkeypatch):
    faults = "\n[faults]\ndrifting = { reference = 0.5 }\n"
    outcome, drift = run(tmp_path, monkeypatch, faults, LONG | {"drift_limit": 0.9})
    assert outcome.status == "complete"
    assert drift["flagged"][drift["device"] == "reference"].any()


@pytest.mark.parametrize("checks", [2, 5])
def test_three_sigma_means_what_it_says(checks):
    """20,000 quiet witnesses: 0.27 % of false alarms, 54 expected; 4.5 standard deviations either way."""
    plan = None
    count = 20_000
    xi = noise.normal(5, noise.stream("quiet"), np.arange(count)[:, None, None], np.arange(checks * READINGS))
    ohms = 100.0 + xi.reshape(count, checks, READINGS)
    alarms = 0
    for one in ohms:
        means, variances = one.mean(axis=1), one.var(axis=1, ddof=1)
        alarms += beyond_three_sigma(
            Witness(plan, plan, "reference", True, means.tolist(), variances.tolist())
        )
    assert abs(alarms - 54) < 4.5 * np.sqrt(54)


def test_the_command_says_so_and_its_record_replays(tmp_path, monkeypatch):
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    file = tmp_path / "bench.toml"
    file.write_text(BENCH.read_text() + "\n[faults]\ndrifting = { reference = 0.5 }\n")
    settings = {name: str(value) for name, value in LONG.items()}
    step = protocol_step("iv-curve", "neurons[0:2],cells[0]", settings, 1)
    done = record(Order("run", [step], 0, file, out=tmp_path / "s.h5"), SilentProgress())
    fields, text, code = told_protocol(step, done)
    assert code == 1 and fields["status"] == done.status == "aborted" and "reference.top went" in text
    with Recording.open(done.session) as recording:
        assert recording.status == "aborted"
        assert replay_recording(recording, SilentProgress()).identical
