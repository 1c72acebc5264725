"""A training on directly simulated arrays that is killed goes on from its last checkpoint, bit for bit."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from session_runs import everything

from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.resuming import require_unfinished, resume_recording
from labtrain.cli.steps import train_step
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.progress import Progress, SilentProgress
from labtrain.session import Recording, Session, recover
from labtrain.training.recipes import Context
from labtrain.training.records import TrainingRecord

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["test_session_restart", "labtrain.training.mnist_afd", "labtrain.bench"])
SMALL = {"hidden": "6x6", "epochs": "6", "batch_size": "20", "checkpoint_every": "2"}
RECIPES: dict[str, tuple[dict[str, str], int]] = {  # settings, and how many steps the training makes
    "iris-afd": ({"epochs": "6", "folds": "2", "batch_size": "25", "checkpoint_every": "2"}, 2 * 6 * 3),
    "iris-pgaf": ({"epochs": "4", "folds": "2", "batch_size": "25", "checkpoint_every": "2"}, 2 * 4 * 5),
    "iris-eapu": ({"epochs": "4", "folds": "2", "batch_size": "25", "checkpoint_every": "2"}, 2 * 4 * 3),
    "mnist-afd": (SMALL, 36),
    "mnist-pgaf": (SMALL, 36),
    "mnist-eapu": (SMALL, 36),
    "mnist-sc": (SMALL | {"length": "64"}, 36),
    "mnist-afd-distill": (
        {"hidden": "6", "teacher_hidden": "8", "epochs": "4", "teacher_epochs": "2", "batch_size": "20"}
        | {"checkpoint_every": "2"},
        2 * 4 * 6,
    ),
}

QUICK = ("iris-afd", "mnist-afd", "mnist-pgaf", "mnist-eapu")


def order(recipe: str, out: Path, data: Path, **more: str) -> Order:
    step = train_step(recipe, None, RECIPES[recipe][0] | more, baseline=True)
    return Order("train", [step], 5, out=out, data_dir=data)


def train_and_die(order: Order, number: int) -> None:
    """Carry an order out; end the process without a word when the n-th step of training is taken."""
    plain, taken = TrainingRecord.step, iter(range(1, 10**9))

    def step(self: TrainingRecord, *args: Any) -> None:
        plain(self, *args)
        if next(taken) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    TrainingRecord.step = step  # type: ignore[method-assign]
    record(order, SilentProgress())


@pytest.fixture(scope="module", autouse=True)
def _fork_server() -> Iterator[None]:
    """Start the fork server where it finds this module, so that torch is imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        forkserver.ensure_running()
        yield


def killed(recipe: str, out: Path, data: Path, number: int) -> Path:
    process = _FORKS.Process(target=train_and_die, args=(order(recipe, out, data), number))
    process.start()
    process.join(240)
    assert process.exitcode == -signal.SIGKILL
    recover(out)
    return out


class Told(SilentProgress):
    """Counts the epochs that were trained, not taken from a checkpoint."""

    trained = 0

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.trained += steps if note != "from its checkpoint" else 0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three classes in MNIST's format: bright in one of three rows."""
    folder = tmp_path_factory.mktemp("images")
    for part, count in (("train", 120), ("t10k", 30)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        images = np.zeros((count, 4, 4), np.uint8)
        images[np.arange(count), labels] = 200 + np.arange(count)[:, None] % 50
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            shape = np.array(array.shape, ">i4").tobytes()
            head = bytes([0, 0, 8, array.ndim]) + shape
            (folder / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder


@pytest.mark.parametrize(
    "recipe", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in RECIPES]
)
def test_killed_anywhere_it_goes_on_to_the_same_end(recipe: str, tmp_path: Path, data: Path) -> None:
    whole = everything(record(order(recipe, tmp_path / "whole.h5", data), SilentProgress()).session)
    steps = RECIPES[recipe][1]
    number = int(np.random.default_rng(sum(recipe.encode())).integers(1, steps + 1))
    cut = killed(recipe, tmp_path / "cut.h5", data, number)
    told = Told()
    with Recording.open(cut) as recording:
        assert recording.status == "aborted"
        done = resume_recording(recording, tmp_path / "resumed.h5", told, data=data)
    assert everything(done.session) == whole
    with Recording.open(done.session) as recording:
        assert replay_recording(recording, SilentProgress(), data=data).identical


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_killed_at_any_step(recipe: str, tmp_path: Path, data: Path) -> None:
    whole = everything(record(order(recipe, tmp_path / "whole.h5", data), SilentProgress()).session)
    for number in range(1, RECIPES[recipe][1] + 1, 5):
        cut = killed(recipe, tmp_path / f"cut{number}.h5", data, number)
        with Recording.open(cut) as recording:
            done = resume_recording(recording, tmp_path / f"resumed{number}.h5", Told(), data=data)
        assert everything(done.session) == whole


def test_without_checkpoints_it_begins_at_the_beginning(tmp_path: Path, data: Path) -> None:
    none = {"checkpoint_every": "0"}
    recipe = "iris-afd"
    whole = everything(record(order(recipe, tmp_path / "w.h5", data, **none), SilentProgress()).session)
    with pytest.raises(KeyboardInterrupt):
        record(order(recipe, tmp_path / "cut.h5", data, **none), StopAt(8))
    told = Told()
    with Recording.open(tmp_path / "cut.h5") as recording:
        done = resume_recording(recording, tmp_path / "r.h5", told)
    assert everything(done.session) == whole and told.trained == 12


class StopAt(Progress):
    """Presses Ctrl-C after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self.left = epochs

    def start(self, label: str, total: int) -> None: ...

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= steps
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


def test_what_changed_since_is_found_behind_the_checkpoint(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps recorded behind the checkpoint are made again and compared."""
    with pytest.raises(KeyboardInterrupt):
        record(order("mnist-pgaf", tmp_path / "cut.h5", data), StopAt(5))
    from labtrain.training.loop import Schedule

    monkeypatch.setattr(Schedule, "rate", lambda self, step, steps: 0.5 * self.learning_rate)
    with Recording.open(tmp_path / "cut.h5") as recording:
        with pytest.raises(ReplayMismatch, match="'switches'|'train/mnist-pgaf/steps'"):
            resume_recording(recording, tmp_path / "r.h5", SilentProgress(), data=data)


def test_ctrl_c_on_the_way_to_the_checkpoint_waits_and_a_kill_there_is_told(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = "iris-eapu"
    whole = everything(record(order(recipe, tmp_path / "w.h5", data), SilentProgress()).session)
    with pytest.raises(KeyboardInterrupt):
        record(order(recipe, tmp_path / "cut.h5", data), StopAt(7))
    plain, half = Session.exchange, tmp_path / "half.h5"

    def exchange(self: Session, *call: Any) -> None:
        plain(self, *call)
        if any(self.rows_noted().values()) and not half.exists():  # as a kill leaves it
            shutil.copy(self.journal_path, f"{half}.journal")
            recover(half)
            signal.raise_signal(signal.SIGINT)

    with Recording.open(tmp_path / "cut.h5") as recording:
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Session, "exchange", exchange)
            resume_recording(recording, tmp_path / "again.h5", Told(), data=data)
    with Recording.open(half) as recording, pytest.raises(UsageError, match="cut.h5"):
        require_unfinished(recording)
    with Recording.open(tmp_path / "again.h5") as recording:
        require_unfinished(recording)
        done = resume_recording(recording, tmp_path / "end.h5", Told(), data=data)
    assert everything(done.session) == whole


def test_a_context_outside_a_command_has_nothing_to_go_on_from() -> None:
    assert Context().sink.checkpoint_ahead("train/iris-afd") is None
