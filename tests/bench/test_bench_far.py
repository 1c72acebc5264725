"""A bench on another process: whole batches cross, and it ends safe when nobody calls any more."""

from __future__ import annotations

import pickle
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from labtrain.bench import Bench
from labtrain.bench.bench_actor import BenchActor
from labtrain.errors import BenchFileError, InstrumentError, LabtrainError, ReplayMismatch, UsageError
from labtrain.session import Recording

DEMO = str(Path(__file__).parents[2] / "data/benches/demo.toml")


def test_an_actor_answers_as_the_bench_does_and_records_it(tmp_path):
    asked = np.linspace(1e-6, 20e-6, 8).reshape(2, 4)
    actor = BenchActor(DEMO, str(tmp_path / "far.h5"))
    role, known = actor.array("neurons")
    answered = actor.answer("neurons", "respond", {"amperes": asked, "indices": np.arange(4)})
    path = actor.close()
    assert (role, known["count"]) == ("neuron-pair", 10)
    with Bench.open(DEMO) as bench:
        expected = bench.array("neurons").select(range(4)).respond(asked)
    assert np.array_equal(answered["volts"], expected.volts)
    with Recording.open(path) as recording:
        assert recording.status == "complete"
        assert [one.verb for one in recording.exchanges("neurons")] == ["describe", "respond"]


def test_a_bench_that_nobody_calls_goes_to_its_safe_state(tmp_path):
    actor = BenchActor(DEMO, str(tmp_path / "far.h5"), idle_seconds=0.2)
    for _ in range(200):
        if actor._ended:
            break
        time.sleep(0.05)
    with pytest.raises(UsageError, match=r"nobody called for 0\.2 s"):
        actor.now_ns()
    with Recording.open(tmp_path / "far.h5") as recording:
        assert recording.status == "aborted"
    assert actor.close() == str(tmp_path / "far.h5")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "the program's own again"


def test_a_call_that_is_longer_than_the_idle_time_does_not_end_the_bench(tmp_path):
    actor = BenchActor(DEMO, str(tmp_path / "far.h5"), idle_seconds=0.3)
    with actor._held():
        time.sleep(1.0)  # the idle time passes while the bench answers
    assert actor.now_ns() > 0
    with Recording.open(actor.close()) as recording:
        assert recording.status == "complete"


def test_a_bench_file_that_is_none_leaves_no_journal(tmp_path):
    with pytest.raises(UsageError):
        BenchActor(str(tmp_path / "none.toml"), str(tmp_path / "far.h5"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        UsageError("bad", remedy="mend it", key="k", line=3),
        InstrumentError("is off", instrument="smu", resource="COM1", command="*IDN?"),
        ReplayMismatch("other", first={"seq": 1}),
        BenchFileError([UsageError("one"), UsageError("two")], "bench.toml"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes_whole(error: LabtrainError):
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error) and str(arrived) == str(error)
    assert {k: str(v) for k, v in vars(arrived).items()} == {k: str(v) for k, v in vars(error).items()}


class TestOverDask:
    """The same through a worker process."""

    pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

    @pytest.fixture(scope="class")
    def client(self):
        distributed = pytest.importorskip("distributed", reason="Dask is not installed (extra cluster)")
        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
            ) as one,
            distributed.Client(one, set_as_default=False) as client,
        ):
            yield client

    def worker(self, client) -> str:
        return next(iter(client.scheduler_info()["workers"]))

    def test_training_is_that_of_a_bench_that_is_here(self, client, tmp_path, monkeypatch):
        from labtrain.bench import FarBench
        from labtrain.training import Context
        from labtrain.training.iris_afd import RECIPE

        settings = {"epochs": 1, "folds": 2, "hidden": "2", "drift_every": 10**6}
        with FarBench.open(client, DEMO, str(tmp_path / "far.h5"), worker=self.worker(client)) as bench:
            far = RECIPE.run(Context(bench=bench, settings=settings, baseline=False))
        # Reads of the reference, which only a bench that is here makes, move on the meter's noise.
        monkeypatch.setattr("labtrain.training.afd.device_training.has_reference", lambda bench: False)
        with Bench.open(DEMO) as bench:
            here = RECIPE.run(Context(bench=bench, settings=settings, baseline=False))
        assert far["accuracies"] == here["accuracies"]
        assert far["ledger"]["reads"] == here["ledger"]["reads"] > 0
        with Recording.open(tmp_path / "far.h5") as recording:
            assert recording.status == "complete"

    def test_its_errors_arrive_as_they_are(self, client, tmp_path):
        from labtrain.bench import FarBench

        with pytest.raises(UsageError, match="no array"):
            with FarBench.open(client, DEMO, str(tmp_path / "far.h5"), worker=self.worker(client)) as bench:
                bench.array("synapses")
        with Recording.open(tmp_path / "far.h5") as recording:
            assert recording.status == "aborted"
