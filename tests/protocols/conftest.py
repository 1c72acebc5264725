"""Every protocol once on one bench, recorded in one session."""

from pathlib import Path

import pytest
from protocols_cases import BENCH, CASES

from labtrain.bench import Bench
from labtrain.cli.recorded import Order, record
from labtrain.cli.steps import protocol_step
from labtrain.progress import SilentProgress


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    """The session of all cases, and each run's result by protocol name."""
    folder = tmp_path_factory.mktemp("protocols")
    patch = pytest.MonkeyPatch()
    patch.setenv("LABTRAIN_STATE", str(folder / "state"))
    steps = [
        protocol_step(name, device, settings, order)
        for order, (name, device, settings) in enumerate(CASES, start=1)
    ]
    done = record(Order("run", steps, 3, BENCH, out=folder / "all.h5"), SilentProgress())
    yield done.session, {step["protocol"]: done.results[step["name"]] for step in steps}
    patch.undo()


@pytest.fixture
def chip(tmp_path, monkeypatch):
    """The bench of the cases, open."""
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    with Bench.open(Path(BENCH)) as bench:
        yield bench
