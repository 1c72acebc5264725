"""Weights on pairs of conductances: read, written, multiplied with, trained."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch

from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.clock import VirtualClock
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training import Context
from labtrain.training.eapu import Address, EaPU, Probabilistic, Writes
from labtrain.training.eapu.crossbar_linear import CrossbarLinear
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.iris_eapu import RECIPE
from labtrain.training.mnist_eapu import RECIPE as MNIST

UNIT = 80e-6
QUIET = {"write_noise": 0.0, "read_noise": 0.0, "read_flicker": 0.0}


def synapses(inputs: int = 3, outputs: int = 4, seed: int = 1, **settings: float) -> PairedSynapses:
    cells = draw(
        "memristor",
        seed,
        2 * inputs * outputs,
        {**QUIET, "mismatch": 0.1, **settings},
        "cells",
    )
    array = SimulatedSynapseArray(cells, (inputs, 2 * outputs))
    return PairedSynapses(array, siemens_per_unit=UNIT, low=20e-6, high=200e-6)


def address(k: int = 0) -> Address:
    return Address(1, "w", k)


def test_the_product_is_that_of_the_weights_read() -> None:
    layer = CrossbarLinear(synapses(), input_range=2.0, dtype=torch.float64)
    x = torch.linspace(-2, 2, 24, dtype=torch.float64).view(2, 4, 3)
    with torch.no_grad():
        layer.bias.copy_(torch.arange(4.0))
    expected = x @ layer.weight.T + layer.bias
    torch.testing.assert_close(layer(x), expected, rtol=1e-9, atol=1e-9)
    assert layer.multiplications == 8 and layer.flagged == 0
    layer(torch.full((1, 3), 2.5, dtype=torch.float64))
    assert layer.flagged == 1, "beyond the input range it is clipped and said so"


def test_gradients_are_those_of_a_linear_layer() -> None:
    layer = CrossbarLinear(synapses(), dtype=torch.float64)
    plain = torch.nn.Linear(3, 4).double()
    plain.load_state_dict({"weight": layer.weight.detach(), "bias": layer.bias.detach()})
    x = torch.linspace(-1, 1, 15, dtype=torch.float64).view(5, 3).requires_grad_()
    other = x.detach().clone().requires_grad_()
    layer(x).square().sum().backward()
    plain(other).square().sum().backward()
    torch.testing.assert_close(x.grad, other.grad)
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad)
    torch.testing.assert_close(layer.bias.grad, plain.bias.grad)


def test_a_change_takes_one_cell_of_the_pair_and_the_weights_are_read_back() -> None:
    cells = synapses()
    weights = cells.read().view(-1)
    before = cells.array.conductance().siemens.copy()
    cells.write(weights, Writes(torch.tensor([0, 7]), torch.tensor([0.25, -0.1])), address())
    change = cells.array.conductance().siemens - before
    assert sorted(zip(*np.nonzero(change), strict=True)) == [(0, 0), (1, 4)]
    np.testing.assert_allclose(change[[0, 1], [0, 4]], [0.25 * UNIT, -0.1 * UNIT], rtol=1e-6)
    torch.testing.assert_close(weights, cells.read().view(-1))
    assert cells.written == 2 and cells.clipped == 0


def test_at_the_end_of_the_range_the_other_cell_moves() -> None:
    cells = synapses()
    weights = cells.read().view(-1)
    start = float(weights[0])
    for k in range(10):
        cells.write(weights, Writes(torch.tensor([0]), torch.tensor([0.2])), address(k))
    assert float(weights[0]) == pytest.approx(start + 2.0, abs=1e-6)
    siemens = cells.array.conductance().siemens[0, :2]
    assert siemens[0] <= 200e-6 and siemens[1] < 100e-6


def test_verify_brings_noisy_cells_to_their_weights() -> None:
    cells = synapses(6, 5, write_noise=8e-6, read_noise=0.002)
    wanted = torch.linspace(-1, 1, 30, dtype=torch.float64).view(5, 6)
    reached = cells.verify(wanted, tolerance=0.08, rounds=30)
    assert float((reached - wanted).abs().max()) <= 2 * 0.08
    assert 30 < cells.written < 30 * 60


def test_where_a_cell_is_stuck_the_other_of_its_pair_makes_up_for_it() -> None:
    cells = synapses(8, 8, stuck=0.2, mismatch=0.0)
    stuck = cells.array.population.parameters["stuck"].reshape(8, 8, 2) > 0
    high = cells.array.population.parameters["g_start"].reshape(8, 8, 2) > 150e-6
    one = stuck[:, :, 0] ^ stuck[:, :, 1]
    assert one.sum() > 10
    # A stuck high cell leaves its pair one sign, a stuck low one the other.
    up = np.where(stuck[:, :, 0], high[:, :, 0], ~high[:, :, 1])
    wanted = torch.from_numpy(np.where(up, 0.5, -0.5).T)
    reached = cells.verify(wanted, tolerance=0.01, rounds=8)
    off = (reached - wanted).abs().numpy().T
    assert off[one].max() < 0.32, "25 uS more than the range, 225 uS, is what a stuck cell has"
    assert off[~stuck.any(axis=2)].max() < 0.02
    assert cells.written < 8 * 128, "cells that stay are not written for ever"


def test_training_learns_which_cells_stay_and_writes_their_partners() -> None:
    cells = synapses(4, 4, stuck=0.3, mismatch=0.0)
    weights = cells.read().view(-1)
    every = torch.arange(16)
    stuck = cells.array.population.parameters["stuck"].reshape(4, 4, 2) > 0
    one = torch.from_numpy((stuck[:, :, 0] & ~stuck[:, :, 1]).T.copy()).view(-1)
    assert bool(one.any())
    for k in range(5):
        cells.write(weights, Writes(every, torch.full((16,), 0.05)), address(k))
    before = weights.clone()
    cells.write(weights, Writes(every, torch.full((16,), 0.05)), address(5))
    torch.testing.assert_close((weights - before)[one], torch.full((int(one.sum()),), 0.05).double())
    saved = cells.state_dict()
    other = synapses(4, 4, stuck=0.3, mismatch=0.0)
    other.load_state_dict(saved)
    for some in (cells, other):
        some.write(weights.clone(), Writes(every, torch.full((16,), 0.05)), address(6))
    torch.testing.assert_close(cells.read(), other.read())


def test_copies_share_the_crossbar_and_states_load_with_torch_s_default() -> None:
    layer = CrossbarLinear(synapses(write_noise=4e-6), dtype=torch.float64)
    twin = copy.deepcopy(layer)
    assert twin.synapses is layer.synapses and twin.weight is not layer.weight
    optimiser = EaPU(
        torch.optim.SGD(layer.parameters(), lr=0.1),
        rule=Probabilistic(0.05),
        cells={layer.weight: layer.synapses},
    )
    other = CrossbarLinear(synapses(write_noise=4e-6), dtype=torch.float64)
    layer(torch.ones(2, 3, dtype=torch.float64)).square().sum().backward()
    optimiser.step()
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    x = torch.ones(1, 3, dtype=torch.float64)
    assert torch.equal(layer(x), other(x))
    assert other.synapses.written == layer.synapses.written > 0


def one_change(
    feedback: str, seconds: float = 0.0, **settings: float
) -> tuple[PairedSynapses, torch.Tensor, torch.Tensor]:
    cells = draw("memristor", 1, 24, {**QUIET, **settings}, "cells")
    clock = VirtualClock()
    array = SimulatedSynapseArray(cells, (3, 8), clock=clock)
    paired = PairedSynapses(
        array,
        siemens_per_unit=UNIT,
        low=20e-6,
        high=200e-6,
        feedback=feedback,
        tolerance=0.05,
        rounds=20,
    )
    weights = paired.read().view(-1)
    clock.sleep(seconds)
    every = torch.arange(12)
    paired.write(weights, Writes(every[:8], torch.full((8,), 0.3)), address())
    return paired, weights, paired.read().view(-1)


def test_open_loop_believes_what_was_asked_for_and_read_back_what_is() -> None:
    _, believed, true = one_change("open-loop", write_noise=8e-6)
    torch.testing.assert_close(believed[:8], torch.full((8,), 0.3, dtype=torch.float64))
    assert float((true - believed)[:8].abs().max()) > 0.05
    _, known, true = one_change("read-back", write_noise=8e-6)
    torch.testing.assert_close(known, true)
    _, known, true = one_change("read-back", seconds=1000.0)
    assert torch.equal(known[8:], torch.zeros(4, dtype=torch.float64)), "not written, not read"
    assert float(true[8:].abs().max()) > 0.01, "though they have drifted"


def test_reading_all_sees_what_drifts_unwritten_even_without_a_write() -> None:
    paired, known, true = one_change("read-all", seconds=1000.0)
    torch.testing.assert_close(known, true)
    nothing = torch.zeros(0, dtype=torch.int64)
    reads = np.sum(paired.array.state_dict()["reads"])
    paired.write(known, Writes(nothing, torch.zeros(0)), address(1))
    assert np.sum(paired.array.state_dict()["reads"]) == reads + 24


def test_verified_writes_arrive_and_count_every_write() -> None:
    paired, known, _ = one_change("verify", write_noise=8e-6, relax_mean=0.0, relax_spread=0.0)
    assert float((known[:8] - 0.3).abs().max()) <= 0.05 + 1e-9
    assert paired.written == np.sum(paired.array.state_dict()["writes"]) > 8


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="feedback"):
        one_change("sometimes")
    cells = draw("memristor", 1, 9, {}, "cells")
    with pytest.raises(UsageError, match="no pairs"):
        PairedSynapses(
            SimulatedSynapseArray(cells, (3, 3)),
            siemens_per_unit=UNIT,
            low=0.0,
            high=1e-4,
        )
    with pytest.raises(UsageError, match="cannot be"):
        PairedSynapses(synapses().array, siemens_per_unit=UNIT, low=1e-4, high=1e-4)
    with pytest.raises(UsageError, match="does not fit 3 rows"):
        CrossbarLinear(synapses())(torch.zeros(2, 4))
    with pytest.raises(UsageError, match="input_range"):
        CrossbarLinear(synapses(), input_range=0.0)


def test_iris_trains_on_a_simulated_crossbar_and_again_alike() -> None:
    settings = {"epochs": 12, "folds": 2, "verify_rounds": 4}
    first = RECIPE.run(Context(settings=settings, seed=3))
    again = RECIPE.run(Context(settings=settings, seed=3))
    assert first["accuracy"] == again["accuracy"] > 60
    assert first["ledger"] == again["ledger"]
    assert 0 < first["ledger"]["write_ratio"] < 0.3
    assert first["ledger"]["products"] == 2 * 2 * 12 * (75 + 75), "layers, folds, epochs, samples"


@pytest.mark.parametrize("rule", ["probabilistic", "noise-only", "mixed-precision", "ideal"])
def test_a_small_image_set_trains_under_every_rule(tmp_path, rule: str) -> None:
    from test_training_datasets import place

    settings = {
        "hidden": "8",
        "epochs": 8,
        "batch_size": 20,
        "learning_rate": 0.02,
        "rule": rule,
    }
    result = MNIST.run(Context(data_dir=place(tmp_path), settings=settings, seed=2))
    assert result["baseline_accuracy"] == 100.0
    assert result["accuracy"] >= (50.0 if rule == "noise-only" else 95.0)
    ledger = result["ledger"]
    assert ledger["updates"] == 8 * 6
    assert ledger["writes"] == pytest.approx(ledger["write_ratio"] * ledger["weights"] * ledger["updates"])
    assert ledger["writes_per_cell_mean"] == pytest.approx(ledger["writes"] / ledger["weights"])
