"""The statistics inside protocols: randomness tests, sampled telegraph chains, adaptive amplitudes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labtrain import noise
from labtrain.twins import counts_of, fit_switching
from protocols.adaptive_sampling import WIDTH_TIMES_SLOPE, AmplitudeSampler
from protocols.digitised import States, sampled_chain
from protocols.randomness import (
    TESTS,
    approximate_entropy,
    block_frequency,
    cumulative_sums,
    frequency,
    p_values,
    runs,
    serial,
    unbiased,
)
from protocols.switching_schedule import AdaptiveSchedule, Attempt, GridSchedule

PI_100 = (
    "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000"
)
"""The first 100 binary digits of pi, the example of SP 800-22."""


def bits(text):
    return np.array([int(c) for c in text], dtype=np.int64)


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (frequency(bits("1011010101")), 0.527089),  # 2.1.4
        (frequency(bits(PI_100)), 0.109599),  # 2.1.8
        (block_frequency(bits("0110011010"), 3), 0.801252),  # 2.2.4
        (block_frequency(bits(PI_100), 10), 0.706438),  # 2.2.8
        (runs(bits("1001101011")), 0.147232),  # 2.3.4
        (runs(bits(PI_100)), 0.500798),  # 2.3.8
        (cumulative_sums(bits("1011010111")), 0.411585),  # 2.13.4 has 0.4116588, from tables of four digits
        (cumulative_sums(bits(PI_100)), 0.219194),  # 2.13.8
        (serial(bits("0011011101"), 3), 0.808792),  # 2.11.4
        (approximate_entropy(bits("0100110101"), 3), 0.261961),  # 2.12.4
        (approximate_entropy(bits(PI_100), 2), 0.235301),  # 2.12.8
    ],
)
def test_the_examples_of_the_standard(found, published):
    assert found == pytest.approx(published, abs=2e-6)


def test_fair_bits_give_uniform_p_values_and_biased_or_sticky_ones_do_not():
    """Kolmogorov-Smirnov at 1e-4 a test; p-values of discrete counts are not quite uniform at 1000 bits."""
    u = noise.uniform(3, noise.stream("fair"), np.arange(400)[:, None], np.arange(1000))
    fair = (u < 0.5).astype(np.int64)
    for name, test in TESTS.items():
        assert stats.kstest([test(row) for row in fair], "uniform").pvalue > 1e-4, name
    biased = (u[0] < 0.6).astype(np.int64)
    assert p_values(biased)["frequency"] < 1e-4
    sticky = np.repeat(fair[0], 3)
    assert p_values(sticky)["runs"] < 1e-6 and p_values(sticky)["serial"] < 1e-6
    assert p_values(fair[0][:50]) is None


@given(st.floats(0.1, 0.9), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_extracted_bits_are_fair_whatever_the_bias(p, seed):
    biased = (noise.uniform(seed, 1, 0, np.arange(4000)) < p).astype(np.int64)
    fair = unbiased(biased)
    assert len(fair) == int(np.sum(biased[:-1:2] != biased[1::2]))
    assert abs(fair.mean() - 0.5) < 5 * 0.5 / np.sqrt(len(fair))


def telegraph(tau_p, tau_ap, interval, count, seed):
    """Samples of a telegraph signal by its exact chain."""
    rate = 1 / tau_p + 1 / tau_ap
    mixed, p = -np.expm1(-interval * rate), tau_ap / (tau_p + tau_ap)
    u = noise.uniform(seed, noise.stream("chain"), 0, np.arange(count))
    state, states = int(u[0] < p), []
    for draw in u:
        state = int(draw < mixed * p) if state == 0 else int(draw >= mixed * (1 - p))
        states.append(state)
    return np.array(states)


@given(st.floats(2, 50), st.floats(2, 50), st.integers(0, 1000))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_dwell_times_of_a_sampled_signal_are_found_with_missed_events(tau_p, tau_ap, seed):
    """Five standard deviations, 40 comparisons: 2e-5."""
    found = sampled_chain([telegraph(tau_p, tau_ap, 1.0, 6000, seed)], 1.0)
    assert abs(found["tau_p"] - tau_p) < 5 * found["tau_p_uncertainty"]
    assert abs(found["tau_ap"] - tau_ap) < 5 * found["tau_ap_uncertainty"]
    assert found["tau_c"] == pytest.approx(1 / (1 / found["tau_p"] + 1 / found["tau_ap"]))


def test_a_signal_that_never_flips_has_no_dwell_times():
    found = sampled_chain([np.zeros(100, dtype=np.int64)], 1.0)
    assert found["tau_p"] is None and found["share"] == 0.0


@given(st.floats(1e-6, 1e-2), st.floats(0.3, 3.0), st.floats(0.05, 0.95))
def test_two_conductances_are_told_apart(parallel, tmr, share):
    xi = noise.normal(1, 2, 0, np.arange(200))
    state = np.arange(200) < share * 200
    siemens = np.where(state, parallel, parallel / (1 + tmr)) * (1 + 1e-3 * xi)
    found = States.of(siemens)
    assert found.apart and found.between(siemens) == 0
    np.testing.assert_array_equal(found.bits(siemens), (~state).astype(int))


def test_one_conductance_is_not_two():
    assert not States.of(1e-4 * (1 + 1e-3 * noise.normal(1, 2, 0, np.arange(500)))).apart


def adaptive(slope, offset, device, precision):
    """Attempts on a logistic curve until it is known; ends off centre by ``offset`` widths."""
    v50, width = 0.9, WIDTH_TIMES_SLOPE / slope
    ends = (v50 + (offset - 6) * width, v50 + (offset + 6) * width)
    schedule = AdaptiveSchedule(5, str(device), [("P->AP", 1e-8)], ends, precision, 2000)
    volts, switched, number = [], [], 0
    while block := schedule.block(number):
        for one in block:
            assert ends[0] <= one.volts <= ends[1]
            u = float(noise.uniform(9, noise.stream("outcome"), device, len(volts)))
            volts.append(one.volts)
            switched.append(u < 1 / (1 + np.exp(-slope * (one.volts - v50))))
            schedule.learn(one, switched[-1])
        number += 1
    return fit_switching(counts_of(np.array(volts), np.array(switched))).parameters["v50"], len(volts)


def test_adaptive_amplitudes_need_a_third_of_a_grid_and_cover():
    """A grid of 21 amplitudes over +-6 widths has an information on V50 of 0.0181 slope^2 an attempt.

    12 devices; 95 % intervals miss in 5 % of them: 4 misses or more have a probability of 2.2e-3.
    """
    slope, attempts, misses = 43.0, [], 0
    precision = 1 / (slope * np.sqrt(0.0181 * 420))
    for device in range(12):
        v50, count = adaptive(slope, 4 * float(noise.uniform(1, 2, device, 0)) - 2, device, precision)
        attempts.append(count)
        misses += not v50.interval[0] <= 0.9 <= v50.interval[1]
    assert np.mean(attempts) <= 420 / 3
    assert misses <= 3


@pytest.mark.slow
def test_adaptive_intervals_cover_over_many_devices():
    """200 devices: the exact binomial 99.9 % range of 95 % coverage is 178 to 200."""
    slope, hits = 43.0, 0
    precision = 1 / (slope * np.sqrt(0.0181 * 420))
    for device in range(1000, 1200):
        v50, _ = adaptive(slope, 4 * float(noise.uniform(1, 2, device, 0)) - 2, device, precision)
        hits += v50.interval[0] <= 0.9 <= v50.interval[1]
    low, high = stats.binom.interval(0.999, 200, 0.95)
    assert low <= hits <= high


def test_a_curve_that_nobody_can_place_ends_at_the_most_attempts():
    schedule = AdaptiveSchedule(0, "stuck", [("P->AP", 1e-8)], (0.1, 0.2), 1e-6, 30)
    number = attempts = 0
    while block := schedule.block(number):
        for one in block:
            schedule.learn(one, False)
        attempts, number = attempts + len(block), number + 1
    assert attempts == 30


def test_a_sampler_finds_a_step_between_any_ends():
    sampler = AmplitudeSampler(0.0, 1.0)
    for k in range(60):
        volts = sampler.next(float(noise.uniform(0, 0, 0, k)))
        sampler.learn(volts, volts > 0.3)
    assert abs(sampler.next(0.5) - 0.3) < 0.05


@given(st.integers(1, 5), st.integers(2, 7), st.integers(0, 50))
def test_a_grid_gives_every_attempt_once_a_block_in_an_order_of_its_own(repeats, points, seed):
    attempts = [Attempt("P->AP", 0.1 * k, 1e-8) for k in range(points)]
    schedule = GridSchedule(seed, "d", attempts, repeats)
    blocks = [schedule.block(k) for k in range(repeats + 1)]
    assert all(sorted(b, key=lambda a: a.volts) == attempts for b in blocks[:-1]) and not blocks[-1]
    assert blocks[0] == GridSchedule(seed, "d", attempts, repeats).block(0)
