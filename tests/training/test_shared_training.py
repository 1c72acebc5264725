"""Two real processes train what one trains: the same draws and devices, gradients equal to rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shared_cases import CASES, run_case, training_of
from test_training_datasets import place

from labtrain.cli.app import app
from labtrain.errors import ProcessLost, Terminated, UsageError
from labtrain.session import Recording
from labtrain.training import Context
from labtrain.training.iris_afd import RECIPE as IRIS
from labtrain.training.mnist_pgaf import RECIPE as PGAF
from labtrain.training.processes import Alone

VICTIM = Path(__file__).parent / "shared_victim.py"
ROUNDING = {torch.float32: 1e-5, torch.float64: 1e-13}
"""Of a sum of at most some hundred terms, relative to the largest entry of its tensor: 100 units in the last
place of float32 (6e-8), 1000 of float64."""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="torchrun has not been tried on Windows")
LOST_SECONDS = 60
"""A process that has gone is noticed at once; the rest is for a busy machine to start and stop processes."""


def torchrun(folder: Path, *arguments: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "LABTRAIN_DATA": str(folder / "data")}
    return subprocess.run(
        [*launch, str(processes), str(VICTIM), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=folder,
        env=environment,
    )


@pytest.fixture(scope="module")
def ranks(tmp_path_factory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("ranks")
    done = torchrun(folder, "cases", str(folder))
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(folder / f"rank{rank}.pt") for rank in range(2)]


def equal(one: Any, other: Any) -> bool:
    """Whether nested states are equal to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


@pytest.mark.parametrize("name", CASES)
def test_ranks_are_equal_to_the_bit(ranks, name):
    first, second = (rank[name] for rank in ranks)
    assert first["digests"] == second["digests"] and len(set(first["digests"])) == 10
    assert equal(first["state"], second["state"])


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_what_one_trains(ranks, name):
    alone, shared = run_case(name, Alone()), ranks[0][name]
    for own, theirs in zip(alone["gradients"], shared["gradients"], strict=True):
        close = ROUNDING[own.dtype] * float(own.abs().max())
        torch.testing.assert_close(theirs, own, rtol=0, atol=close)
    assert alone["losses"] == pytest.approx(shared["losses"], rel=1e-3)
    assert equal(devices(alone), devices(shared))


def devices(found: dict[str, Any]) -> dict[str, Any]:
    """Return counters and states of devices, and whole numbers counted; sums of real numbers are left out."""
    model = found["state"]["model"]
    extra = {name: value for name, value in model.items() if name.endswith("_extra_state")}
    for value in extra.values():
        value.get("ledger", {}).pop("watts", None)
        value.pop("mapping", None), value.pop("calibration", None)
        # What is skipped follows the rounding of errors to zero, which parts do for themselves.
        value.pop("macs", None)
    return extra | {"step": found["state"]["step"]}


def test_what_cannot_be_shared_is_refused(ranks):
    for devices_know_nothing, batch_too_small in (rank["refusals"] for rank in ranks):
        assert "know nothing of a batch that 2 processes share" in devices_know_nothing
        assert "the smallest batch has 1 samples, too few for 2 processes" in batch_too_small


SMALL = {
    "mnist-afd": ["hidden=6", "epochs=4", "batch_size=16", "calibration_points=16", "checkpoint_every=1"],
    "mnist-pgaf": ["hidden=8x6", "epochs=2", "batch_size=16"],
}

OTHERS = {
    "mnist-sc": ["hidden=8", "epochs=2", "batch_size=20", "length=20"],
    "mnist-eapu": ["hidden=8", "epochs=2", "batch_size=16"],
    "mnist-afd-distill": ["hidden=6", "teacher_hidden=8", "epochs=1", "teacher_epochs=1", "batch_size=16"],
    "cifar10-pgaf": ["epochs=1", "batch_size=7"],
    "cifar10-eapu": ["epochs=1", "batch_size=7"],
}


def train_command(recipe: str, out: str) -> list[str]:
    settings = [word for setting in (SMALL | OTHERS)[recipe] for word in ("--set", setting)]
    return ["train", recipe, "--data", "data", *settings, "--out", out, "--json"]


def commanded(folder: Path, commands: list[list[str]], killed_at: int = 0) -> tuple[Any, list[Any]]:
    """Run commands one after the other in two processes; return how it ended and what the first one said."""
    (folder / "commands.json").write_text(json.dumps(commands))
    done = torchrun(folder, "labtrain", str(folder), str(killed_at))
    said = [json.loads(path.read_text()) for path in sorted(folder.glob("rank*.json"))]
    assert all(not outcome["said"] for rank in said[1:] for outcome in rank), "only the first one speaks"
    return done, said[0] if said else []


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, list[Any]]:
    """Small recipes trained by two processes, and replayed by two."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, trained_and_replayed(folder, list(SMALL))


def trained_and_replayed(folder: Path, recipes: list[str]) -> list[Any]:
    """Return the results of all trainings, then those of all replays."""
    place(folder / "data")
    commands = [train_command(recipe, f"{recipe}.h5") for recipe in recipes]
    commands += [["replay", f"{recipe}.h5", "--data", "data", "--json"] for recipe in recipes]
    done, outcomes = commanded(folder, commands)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(outcome["said"]) for outcome in outcomes]


@pytest.mark.parametrize("number", range(len(SMALL)), ids=list(SMALL))
def test_recipes_are_trained_and_replayed(trained, number):
    folder, results = trained
    assert_recorded(folder, results[number], results[len(SMALL) + number])


def assert_recorded(folder: Path, result: Any, replay: Any) -> None:
    assert result["status"] == "complete" and result["baseline_accuracy"] is not None
    assert replay["identical"] and replay["rows"] >= 4, replay["first_mismatch"]
    with Recording.open(folder / result["session"]) as recording:
        assert recording.start["processes"] == {"count": 2, "backend": "cpu:gloo"}


@pytest.mark.slow
def test_all_other_recipes_are_trained_and_replayed(tmp_path):
    (tmp_path / "data").mkdir()
    for name, count in (("data_batch_1.bin", 16), ("test_batch.bin", 4)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        pixels = np.where(labels[:, None] == 1, 220, 30) * np.ones((1, 3072), int)
        (tmp_path / "data" / name).write_bytes(np.column_stack([labels, pixels.astype(np.uint8)]).tobytes())
    results = trained_and_replayed(tmp_path, list(OTHERS))
    for number in range(len(OTHERS)):
        assert_recorded(tmp_path, results[number], results[len(OTHERS) + number])


def test_a_recipe_comes_to_what_it_comes_to_in_one_process(trained, monkeypatch, capsys):
    folder, results = trained
    monkeypatch.chdir(folder)
    app(train_command("mnist-afd", "alone.h5"), standalone_mode=False)
    ours, theirs = results[0], json.loads(capsys.readouterr().out)
    assert ours["accuracy"] == theirs["accuracy"]
    assert ours["ledger"] == pytest.approx(theirs["ledger"], rel=1e-6)


def test_another_number_of_processes_does_not_replay(trained, monkeypatch, capsys):
    folder, _ = trained
    monkeypatch.chdir(folder)
    assert app(["replay", "mnist-afd.h5", "--data", "data"], standalone_mode=False) == 2
    assert "torchrun --nproc-per-node 2 -m labtrain" in capsys.readouterr().err


def test_a_lost_process_ends_the_others_and_the_run_is_resumed(trained, tmp_path):
    folder, results = trained
    place(tmp_path / "data")
    # 32 sums of the network beside, then 14 an epoch: in the third.
    done, said = commanded(tmp_path, [train_command("mnist-afd", "lost.h5")], killed_at=32 + 2 * 14 + 5)
    # The launcher ends the others too: whichever word comes first, the record is sealed.
    assert done.returncode != 0 and said[0]["code"] in (ProcessLost.exit_code, Terminated.exit_code)
    assert time.time() - (tmp_path / "killed").stat().st_mtime < LOST_SECONDS
    with Recording.open(tmp_path / "lost.h5") as recording:
        assert recording.status != "complete" and recording.ended_by in ("ProcessLost", "Terminated")
        assert len(recording.rows("train/mnist-afd/epochs")) == 2
    resume = ["resume", "lost.h5", "--data", "data", "--out", "resumed.h5", "--json"]
    done, outcomes = commanded(tmp_path, [resume])
    assert done.returncode == 0, done.stderr[-4000:]
    resumed = json.loads(outcomes[0]["said"])
    assert resumed["accuracy"] == results[0]["accuracy"] and resumed["ledger"] == results[0]["ledger"]
    assert weights(tmp_path / "resumed.h5") == weights(folder / "mnist-afd.h5")


def weights(path: Path) -> list[str]:
    with Recording.open(path) as recording:
        return list(recording.rows("train/mnist-afd/steps").columns["digest"])


def test_one_process_needs_no_launcher():
    assert training_of("gates", Alone()).processes.described() == {"count": 1}


def test_several_processes_are_refused_a_bench(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert app(["train", "iris-afd", "--bench", "demo"], standalone_mode=False) == 2
    assert "2 processes cannot train with one bench" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "settings", "reason"),
    [(IRIS, {}, "cannot train iris-afd"), (PGAF, {"record": "full"}, "record=full")],
    ids=["recipe", "record"],
)
def test_recipes_refuse_what_is_not_for_several(recipe, settings, reason):
    several = Alone()
    several.count = 2
    with pytest.raises(UsageError, match=reason):
        recipe.run(Context(settings=settings, processes=several))
