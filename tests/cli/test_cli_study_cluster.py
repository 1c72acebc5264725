"""A study on a Dask cluster of real worker processes: one is killed in the middle; strangers are refused."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labtrain.cli.app import app
from labtrain.cli.study_cells import Study, cells_of, recorded_result, run_cell, run_cells
from labtrain.cli.study_cluster import on_cluster
from labtrain.cluster import check_address, is_loopback
from labtrain.errors import UsageError
from labtrain.progress import Progress, SilentProgress

distributed = pytest.importorskip("distributed", reason="Dask is not installed (extra cluster)")

COMMON = {"epochs": "1", "folds": "2", "hidden": "2"}
# Dask leaves its loop's sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as two:
        yield two


class KillsAWorker(Progress):
    """Kills one worker when the first cell is finished."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.finished = 0

    def start(self, label: str, total: int) -> None:
        pass

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.finished += bool(note.startswith("mismatch"))
        if self.finished == 1:
            with distributed.Client(self.address, set_as_default=False) as client:
                pids = client.run(os.getpid)
            os.kill(next(iter(pids.values())), signal.SIGKILL)


def test_a_killed_worker_loses_no_cell_and_the_results_are_those_of_one_process(cluster, tmp_path):
    cells = cells_of({"mismatch": ["0.05", "0.1", "0.2"]}, COMMON, 1)
    study = Study("iris-afd", tmp_path / "far", baseline=False)
    study.folder.mkdir()
    run = partial(on_cluster, address=cluster.scheduler_address)
    outcomes = run_cells(study, cells, run, KillsAWorker(cluster.scheduler_address))
    assert [one.error for one in outcomes] == [""] * 3
    assert all(recorded_result(study, one) for one in cells)
    alone = run_cell(Study("iris-afd", tmp_path, baseline=False), cells[0])
    assert outcomes[0].result["accuracies"] == alone["accuracies"]
    assert not list(study.folder.glob("*.arriving"))


def test_cells_that_fail_are_listed_and_the_others_finish(cluster, tmp_path):
    cells = cells_of({"hidden": ["2", "9999"]}, {"epochs": "1", "folds": "2"}, 1)
    bench = Path(__file__).parents[2] / "data/benches/demo.toml"
    study = Study("iris-afd", tmp_path, bench, baseline=False)
    run = partial(on_cluster, address=cluster.scheduler_address)
    good, bad = run_cells(study, cells, run, SilentProgress())
    assert (good.error, bad.result) == ("", None)
    assert "9999" in bad.error


def test_workers_with_several_threads_are_refused(tmp_path):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0"
    ) as wide:
        run = partial(on_cluster, address=wide.scheduler_address)
        cells = cells_of({"mismatch": ["0.05"]}, COMMON, 1)
        with pytest.raises(UsageError, match="--nthreads 1"):
            run_cells(Study("iris-afd", tmp_path), cells, run, SilentProgress())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "bad",
    ["dask", "tcp://", "http://127.0.0.1:8786", "tcp://10.1.2.3:8786", "tls://host", "tcp://127.0.0.1:port"],
    ids=str,
)
def test_an_address_that_is_none_or_open_to_others_is_refused(bad):
    with pytest.raises(UsageError, match="scheduler"):
        check_address(bad)


@pytest.mark.parametrize("good", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tls://lab-7:8786"], ids=str)
def test_addresses_that_are_private_are_taken(good):
    check_address(good)


def test_loopback_is_known_by_address_and_name():
    assert is_loopback("::1") and is_loopback("127.8.0.1") and not is_loopback("lab-7")


def test_where_no_scheduler_answers_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr("labtrain.cluster.CONNECT_SECONDS", 0.5)
    command = ["study", "iris-afd", "--grid", "mismatch=0.1", "--scheduler", "tcp://127.0.0.1:9", "--json"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "s")])
    error = json.loads(done.stdout.strip().splitlines()[-1])
    assert (done.exit_code, error["exit"]) == (2, 2)
    assert "no scheduler answers" in error["error"]["message"]
