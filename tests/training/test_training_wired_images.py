"""Images through the instruments: every reading that training used stands in the bytes that they sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_training_datasets import place
from training_witness import calls, differences

from labtrain.bench import Bench, locate_bench
from labtrain.session import Recording, Session
from labtrain.training import Context
from labtrain.training.mnist_afd import RECIPE

SETTINGS = {
    "hidden": "2x1",
    "epochs": 2,
    "batch_size": 110,
    "calibration_points": 32,
    "calibration_repeats": 1,
    "drift_every": 2,
}
READINGS_A_MESSAGE = 2500


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder, file = tmp_path_factory.mktemp("wired"), locate_bench("mnist-afd")
    start = {"command": "test", "seed": 1}
    with Session.create(folder / "images.h5", start=start, bench_file=file.read_bytes()) as session:
        with Bench.open(file, sink=session) as bench:
            data = place(folder / "data")
            result = RECIPE.run(Context(bench, session, SETTINGS, seed=1, data_dir=data, baseline=False))
    return folder / "images.h5", result


def test_no_path_goes_round_the_instruments(recorded):
    path, result = recorded
    with Recording.open(path) as recording:
        described = recording.exchanges("neurons")[0].outputs
        resolution, limit = (float(described[name][0]) for name in ("resolution_amperes", "max_amperes"))
        readings = 0
        for exchange, own in calls(recording, "neurons", "smu"):
            volts = [value for name, value in exchange.outputs.items() if name.endswith("volts")]
            assert [len(sweep.volts) for sweep in own] == [len(volts[0])] * sum(v.shape[1] for v in volts)
            assert differences(exchange, own, resolution, limit) == 0
            readings += sum(value.size for value in volts)
        yardstick = 2 * 8 * 13 * len(result["neurons"])  # central differences: of the check, not of training
        assert readings == result["ledger"]["reads"] + yardstick
        assert recording.counts["messages"] >= readings / READINGS_A_MESSAGE


def test_a_reading_that_no_instrument_sent_is_seen(recorded):
    path, _ = recorded
    with Recording.open(path) as recording:
        described = recording.exchanges("neurons")[0].outputs
        exchange, own = list(calls(recording, "neurons", "smu"))[3]
        exchange.outputs["volts"] = exchange.outputs["volts"].copy()
        exchange.outputs["volts"][1, 0] += 1e-9
        assert differences(exchange, own, float(described["resolution_amperes"][0]), 50e-6) == 1
