"""Training through the instruments of the demonstration bench."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labtrain.bench import Bench, ReplayConnector, locate_bench
from labtrain.errors import ReplayMismatch
from labtrain.session import Recording, Replay, Session
from labtrain.training import Context
from labtrain.training.iris_afd import RECIPE

SHORT = {"epochs": 2, "folds": 2, "hidden": 2, "calibration_repeats": 1, "drift_every": 1}


def train(bench: Bench, sink, **settings):
    return RECIPE.run(Context(bench=bench, sink=sink, seed=5, settings=SHORT | settings))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, dict]:
    path, file = tmp_path_factory.mktemp("bench") / "short.h5", locate_bench("demo")
    start = {"command": "test", "seed": 5}
    with Session.create(path, start=start, bench_file=file.read_bytes()) as session:
        with Bench.open(file, sink=session) as bench:
            result = train(bench, session)
    return path, result


def replay(path: Path, **settings):
    with Recording.open(path) as recording:
        again = Replay(recording)
        with Bench.open(recording.bench_file, sink=again.sink, connector=ReplayConnector(again)) as bench:
            result = train(bench, again.sink, **settings)
        return result, again.finish()


def test_faulty_neurons_of_the_bench_are_reported_and_worked_round(recorded):
    _, result = recorded
    assert result["dead"] == ["neurons[3]"]
    assert result["stuck"] == ["neurons[6]"]
    assert result["neurons"] == ["neurons[0]", "neurons[1]"]
    assert result["drift_alarms"] == 0
    assert result["ledger"]["bench_seconds"] > result["ledger"]["latency_seconds"]


def test_replay_is_the_same_training_bit_for_bit(recorded):
    path, result = recorded
    again, report = replay(path)
    assert report.identical, report.first_mismatch
    assert report.rows > 0
    assert {**again, "train_seconds": 0} == {**result, "train_seconds": 0}


def test_replay_with_another_rate_names_the_exchange_with_the_instrument(recorded):
    path, _ = recorded
    with pytest.raises(ReplayMismatch) as mismatch:
        replay(path, learning_rate=0.05)
    assert mismatch.value.first["what"] == "message"
    assert mismatch.value.first["instrument"] == "smu"
    assert ":SOUR:LIST:CURR" in str(mismatch.value.first["expected"])


def test_a_drifting_reference_has_the_offsets_measured_again(tmp_path):
    text = locate_bench("demo").read_text()
    drifting = re.sub(r"(?m)^\[faults\].*$", "[faults]\ndrifting = { reference = 5.0 }", text)
    assert drifting != text
    with Bench.open(drifting.encode()) as bench:
        steady_reads = 2 * 64 * (10 + 2 * 2)  # both devices, 64 points: all once, two in each fold
        result = train(bench, bench.sink, drift_limit=0.001, hidden=2)
    assert result["drift_alarms"] > 0
    assert result["ledger"]["calibration_reads"] > steady_reads
