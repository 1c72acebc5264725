"""What is counted has the mean and the variance of the closed forms: every encoding, adder and memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.training.stochastic import (
    BIPOLAR,
    UNIPOLAR,
    Counting,
    Encoding,
    Memory,
    SimulatedGenerators,
    StochasticLinear,
    inflation,
    quantise,
    variance,
)

ROWS, INPUTS, OUTPUTS = 3, 11, 4
FAMILY = 1e-3
CASES = [
    case
    for case in itertools.product(
        (BIPOLAR, UNIPOLAR), ("apc", "mux"), (False, True), (None, Memory(0.7)), (5, 11, 0)
    )
    if not (case[1] == "mux" and case[2] and case[3]) and not (case[4] == 0 and (case[2] or case[3]))
]


def drawn(count: int, k: int) -> torch.Tensor:
    return torch.from_numpy(noise.uniform(5, k, np.arange(count), 0))


def layer_of(counting: Counting, levels: int, seed: int = 1, **options: str) -> StochasticLinear:
    memory = counting.memory
    layer = StochasticLinear(
        INPUTS,
        OUTPUTS,
        counting,
        SimulatedGenerators(seed, "x", own=False, memory=memory),
        SimulatedGenerators(seed, "w", own=True, memory=memory),
        levels=levels,
        dtype=torch.float64,
        **options,
    )
    with torch.no_grad():
        layer.weight.copy_(2 * drawn(INPUTS * OUTPUTS, 1).view(OUTPUTS, INPUTS) - 1)
    return layer


def inputs(encoding: Encoding, levels: int) -> torch.Tensor:
    x = drawn(ROWS * INPUTS, 2).view(ROWS, INPUTS) * (1 - encoding.low) + encoding.low
    return quantise(x, levels, encoding.low)


def z_scores(layer: StochasticLinear, x: torch.Tensor, repeats: int) -> torch.Tensor:
    """Of the mean and of the variance of every output."""
    weight = layer.quantised_weight().detach()
    counts = torch.stack([layer.count(x, weight) for _ in range(repeats)])
    about = counts - x @ weight.T
    mean, square = about.mean(dim=0), about.square().mean(dim=0)
    wanted = variance(layer.counting, x, weight)
    spread = (about.square() - square).square().mean(dim=0).sqrt()
    still = wanted < 1e-12
    assert float(about[:, still].abs().max() if still.any() else 0.0) < 1e-9
    of_mean = mean / (square / repeats).sqrt()
    of_variance = (square - wanted) / (spread / repeats**0.5)
    return torch.stack([of_mean[~still], of_variance[~still]]).flatten()


def check_all(repeats: int, n_bits: int) -> None:
    """Family error 1e-3 over all cases, outputs, means and variances (Bonferroni)."""
    found = []
    for encoding, adder, shared, memory, levels in CASES:
        counting = Counting(encoding, adder, n_bits, shared, memory)
        found.append(z_scores(layer_of(counting, levels), inputs(encoding, levels), repeats))
    scores = torch.cat(found)
    assert float(scores.abs().max()) < stats.norm.isf(FAMILY / 2 / len(scores))
    assert 0.7 < float(scores.square().mean()) < 1.35, "and they are as wide as they should be"


def test_bits_have_the_mean_and_variance_of_the_moments() -> None:
    check_all(repeats=500, n_bits=37)


@pytest.mark.slow
def test_bits_have_the_mean_and_variance_of_the_moments_in_full() -> None:
    check_all(repeats=20_000, n_bits=100)


def test_the_training_s_noise_has_that_variance_too() -> None:
    layer = layer_of(Counting(UNIPOLAR, "apc", 50), 5)
    x = inputs(UNIPOLAR, 5)
    weight = layer.quantised_weight().detach()
    with torch.no_grad():
        about = torch.stack([layer(x) for _ in range(2000)]) - x @ weight.T
    wanted = variance(layer.counting, x, weight)
    score = (about.square().mean(dim=0) / wanted - 1) / (2 / 2000) ** 0.5
    assert float(score.abs().max()) < stats.norm.isf(FAMILY / 2 / score.numel())
    assert len({float(value) for value in about[:, 0, 0]}) == 2000, "addressed: no draw twice"


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9, 0.9999999, 1.0])
@pytest.mark.parametrize("n_bits", [1, 2, 100])
def test_inflation_is_the_sum_over_lags(rho: float, n_bits: int) -> None:
    k = np.arange(1, n_bits)
    expected = 1 + 2 * np.sum((1 - k / n_bits) * rho**k)
    found = float(inflation(torch.tensor(rho, dtype=torch.float64), n_bits))
    assert found == pytest.approx(expected, rel=1e-4)


def test_one_stream_a_value_costs_what_is_said() -> None:
    """Sharing keeps the mean; its noise grows with the square of the sum of the inputs that share."""
    x = torch.full((1, INPUTS), 0.5, dtype=torch.float64)
    weight = torch.full((1, INPUTS), 0.5, dtype=torch.float64)
    own = variance(Counting(BIPOLAR, "apc", 100), x, weight)
    shared = variance(Counting(BIPOLAR, "apc", 100, shared=True), x, weight)
    assert float(own) == pytest.approx(INPUTS * (1 - 1 / 16) / 100)
    assert float(shared) == pytest.approx((INPUTS * 0.75 + 0.75 * (INPUTS * 0.5) ** 2) / 100)


def test_no_closed_form_is_said() -> None:
    x, many = torch.zeros(1, 80, dtype=torch.float64), torch.linspace(-1, 1, 80, dtype=torch.float64)[None]
    with pytest.raises(UsageError, match="quantise the weights"):
        variance(Counting(BIPOLAR, shared=True), x, many)
    with pytest.raises(UsageError, match="no closed form"):
        variance(Counting(BIPOLAR, "mux", 10, True, Memory(1.0)), x, x)
    with pytest.raises(UsageError, match="correlation times"):
        Memory(0.0)
