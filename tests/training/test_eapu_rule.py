"""The write decision: its law, its statistics, its kernel, its addressed draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.training.eapu import (
    Accumulator,
    Address,
    EveryStep,
    FixedThreshold,
    NoisyIncrements,
    Probabilistic,
    Writes,
)
from labtrain.training.eapu.octets import BLOCK, WORDS, octets

THRESHOLD = 0.025


def take(rule: object, update: torch.Tensor, k: int = 0, seed: int = 1) -> tuple[Writes, torch.Tensor]:
    before = torch.linspace(-1, 1, len(update), dtype=update.dtype)
    after = before + update
    update = after - before  # as the rule can see it
    writes = rule.take(before, after, Address(seed, "w", k))
    assert torch.equal(after, before), "the step is taken back"
    return writes, update


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 3 * BLOCK + 5),
    st.sampled_from([torch.float32, torch.float64]),
    st.floats(1e-3, 10.0),
    st.integers(0, 2**40),
    st.integers(-(2**40), 2**40),
)
def test_kernel_and_plain_decide_alike(n: int, dtype: torch.dtype, scale: float, k: int, seed: int) -> None:
    draws = torch.from_numpy(noise.normal(seed, 3, np.arange(n), k)).to(dtype)
    update = scale * THRESHOLD * draws
    fast, _ = take(Probabilistic(THRESHOLD), update, k, seed)
    plain, _ = take(Probabilistic(THRESHOLD, kernel=False), update, k, seed)
    assert torch.equal(fast.index, plain.index)
    assert torch.equal(fast.change, plain.change)


def test_each_cell_follows_the_published_rule() -> None:
    n = 50_000
    update = 0.6 * THRESHOLD * torch.from_numpy(noise.normal(2, 3, np.arange(n), 0))
    writes, seen = take(Probabilistic(THRESHOLD), update, k=5)
    octet = octets(1, noise.stream("w/byte"), 0, n, 5, torch.device("cpu"))
    own = noise.uniform(1, noise.stream("w/uniform"), np.arange(n), 5)
    r = (octet.numpy() + own) / 256.0
    seen = seen.numpy()
    size = np.abs(seen)
    expected = np.where(
        size >= THRESHOLD, seen, np.where(size >= r * THRESHOLD, np.sign(seen) * THRESHOLD, 0)
    )
    got = np.zeros(n)
    got[writes.index.numpy()] = writes.change.numpy()
    np.testing.assert_array_equal(got, expected)
    assert {"nothing", "threshold", "whole"} == set(
        np.where(got == 0, "nothing", np.where(np.abs(got) == THRESHOLD, "threshold", "whole"))
    )


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 1.7])
@pytest.mark.parametrize("sigma", [0.0, THRESHOLD])
def test_mean_and_variance_are_as_derived(share: float, sigma: float) -> None:
    """E[step] = u; Var = |u| T - u^2 + |u| sigma^2 / T below T, sigma^2 above (error rate 1e-4)."""
    n, u = 400_000, -share * THRESHOLD
    weights = torch.zeros(n, dtype=torch.float64)
    after = weights + u
    address = Address(11, "w", 3)
    writes = Probabilistic(THRESHOLD).take(weights.clone(), after, address)
    cells = NoisyIncrements(sigma)
    cells.write(weights, writes, address)
    if share < 1:
        variance = abs(u) * THRESHOLD - u * u + abs(u) * sigma**2 / THRESHOLD
    else:
        variance = sigma**2
    mean_error = float(weights.mean()) - u
    limit = stats.norm.isf(0.5e-4) * (variance / n) ** 0.5
    assert abs(mean_error) <= limit + 1e-12 * abs(u)
    squares = (weights - u) ** 2
    spread = float(squares.std()) / n**0.5
    assert abs(float(squares.mean()) - variance) <= stats.norm.isf(0.5e-4) * spread + 1e-15


def test_a_step_of_nothing_is_never_written() -> None:
    for rule in (Probabilistic(1e-9), Probabilistic(1e-9, kernel=False), EveryStep(), FixedThreshold(1e-9)):
        writes, _ = take(rule, torch.zeros(100_000))
        assert len(writes.index) == 0


def test_decisions_do_not_depend_on_other_cells() -> None:
    """A tensor's first cells decide alike whatever follows them: draws have an address."""
    update = 0.4 * THRESHOLD * torch.from_numpy(noise.normal(4, 1, np.arange(9000), 0))
    whole, _ = take(Probabilistic(THRESHOLD), update)
    before = torch.linspace(-1, 1, 9000, dtype=torch.float64)[:4321]
    after = before + update[:4321]
    part = Probabilistic(THRESHOLD).take(before, after, Address(1, "w", 0))
    assert torch.equal(part.index, whole.index[whole.index < 4321])


@pytest.mark.parametrize("k", [0, 1, 2**22 - 1, 2**22, 2**31 + 5, 2**40 + 3])
def test_octets_are_the_addressed_words(k: int) -> None:
    got = octets(-3, 77, 5, 2 * BLOCK + 7, k, torch.device("cpu")).numpy()
    words = [noise.bits(-3, 77, np.int64(5 + block), WORDS * k + np.arange(WORDS)) for block in range(3)]
    expected = np.concatenate(words).astype("<u4").view(np.uint8)[: len(got)]
    np.testing.assert_array_equal(got, expected)


def test_octets_are_uniform() -> None:
    counts = np.bincount(octets(9, 9, 0, 1 << 20, 4, torch.device("cpu")).numpy(), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_mixed_precision_loses_nothing() -> None:
    """What is written and what is still gathered add up to all steps."""
    rule, total, written = Accumulator(THRESHOLD), torch.zeros(500, dtype=torch.float64), torch.zeros(500)
    written = written.double()
    for k in range(50):
        update = 0.2 * THRESHOLD * torch.from_numpy(noise.normal(1, 1, np.arange(500), k))
        writes, seen = take(rule, update, k)
        total += seen
        written[writes.index] += writes.change
        whole = writes.change / THRESHOLD
        torch.testing.assert_close(whole, whole.round(), rtol=0, atol=1e-9)
    torch.testing.assert_close(written + rule.state_dict()["w"], total)
    assert float(rule.state_dict()["w"].abs().max()) < THRESHOLD


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan"), float("inf")])
def test_a_threshold_that_cannot_be_is_refused(threshold: float) -> None:
    for rule in (Probabilistic, FixedThreshold, Accumulator):
        with pytest.raises(UsageError, match="threshold"):
            rule(threshold)


@pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf")])
def test_noise_that_cannot_be_is_refused(sigma: float) -> None:
    with pytest.raises(UsageError, match="write_noise"):
        NoisyIncrements(sigma)
