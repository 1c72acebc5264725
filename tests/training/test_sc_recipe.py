"""The recipe ``mnist-sc`` and its ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_training_datasets import place

from labtrain.errors import UsageError
from labtrain.training import Context
from labtrain.training.mnist_sc import RECIPE
from labtrain.training.stochastic.choices import design_of
from labtrain.training.stochastic.ledger import CostTable, LayerCount, inference_ledger

SMALL = {"hidden": "12x8", "epochs": 12, "batch_size": 20}


def run(folder: Path, seed: int = 2, **settings: object) -> dict[str, object]:
    return RECIPE.run(Context(data_dir=place(folder), settings={**SMALL, **settings}, seed=seed))


def test_a_small_image_set_is_learnt_and_again_alike(tmp_path: Path) -> None:
    first, again = (run(tmp_path / name) for name in ("a", "b"))
    assert first["accuracy"] == again["accuracy"] == first["baseline_accuracy"] == 100.0
    assert first["ledger"] == again["ledger"]
    assert first["ledger"]["cycles"] == 3 * 101
    assert first["ledger"]["gates"] == 100 * (12 * 16 + 12 * 8 + 8 * 3)


@pytest.mark.parametrize(
    "settings",
    [
        {"encoding": "unipolar"},
        {"train_noise": "false", "start": "float"},
        {"levels": 0},
        {"generators": "shared"},
        {"adder": "mux", "length": 400},
        {"interval_ratio": 1.0},
        {"evaluator": "moments"},
        {"levels": 11, "length": 300, "input_levels": 0},
    ],
    ids=str,
)
def test_every_setting_trains(tmp_path: Path, settings: dict[str, object]) -> None:
    result = run(tmp_path, **settings)
    assert result["accuracy"] >= 90.0
    assert bool(result["ledger"]) == (settings.get("evaluator") != "moments")


def test_sharing_generators_takes_fewer_bits_and_analog_weights_conversions(tmp_path: Path) -> None:
    own, shared = run(tmp_path / "a"), run(tmp_path / "b", generators="shared")
    analog = run(tmp_path / "c", levels=0)
    assert shared["ledger"]["bits"] < own["ledger"]["bits"] / 3
    assert own["ledger"]["conversion_joules"] == 0 < analog["ledger"]["conversion_joules"]


def test_the_ledger_is_its_formulas() -> None:
    layers = [LayerCount(10, 4, 6.0, 30.0, 2.0, 16), LayerCount(4, 3, 4.0, 12.0, 0.0, 0)]
    table = CostTable(bit=1e-15, gate=1e-16, addition=2e-16, comparison=3e-15, conversion=5e-12, cycle=2e-9)
    found = inference_ledger(layers, 50, "apc", table)
    assert found["bits"] == 50 * 52 and found["gates"] == found["additions"] == 50 * 52
    assert found["energy_joules"] == pytest.approx(2600 * 1.3e-15 + 16 * 3e-15 + 2 * 5e-12)
    assert found["cycles"] == 2 * 51 and found["latency_seconds"] == pytest.approx(102 * 2e-9)
    assert inference_ledger(layers, 50, "mux", table)["additions"] == 50 * 7


def test_settings_mean_a_design() -> None:
    settings = RECIPE.read_settings({"interval_ratio": 0.5, "levels": 11, "length": 200})
    design = design_of(settings, 3)
    assert design.counting.memory.ratio == 0.5 and design.counting.n_bits == 200 and design.levels == 11
    assert design_of(RECIPE.read_settings({}), 3).counting.memory is None


def test_what_cannot_be_pooled_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pooled 3 by 3"):
        run(tmp_path, pool=3)
    pooled = run(tmp_path / "a", pool=2)
    assert pooled["ledger"]["gates"] == 100 * (4 * 12 + 12 * 8 + 8 * 3)


def test_threads_and_modes_are_as_before(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    run(tmp_path, epochs=1)
    assert torch.get_num_threads() == before
