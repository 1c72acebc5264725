"""Fits of V(I): coverage, polarity, and when not to believe them."""

import numpy as np
import pytest
from scipy import stats

from labtrain import noise
from labtrain.errors import DataError
from labtrain.physics.neuron import mean_voltage, window_noise
from labtrain.twins import fit_nano_neuron, fit_resistance
from labtrain.twins.fit import TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit

TRUTH = {"r_p": 4e3, "tmr0": 1.2, "v_h": 0.5, "i50": 30e-6, "w": 2e-6, "r_series": 100.0, "tau_c": 20e-9}
TRUTH |= {"read_noise": 3e-4}
LEVELS = np.tile(np.linspace(0, 50e-6, 41), 4)
FITTED = ("r_p", "tmr0", "v_h", "i50", "w")


def readings(seed, levels=LEVELS, **changed):
    truth = TRUTH | changed
    xi = noise.normal(seed, noise.stream("test/neuron"), 0, np.arange(len(levels)))
    return mean_voltage(truth, levels) + window_noise(truth, levels, 2e-4) * xi


@pytest.mark.parametrize("fits", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_intervals_cover_the_truth_and_the_family_error_is_small(fits):
    covered, described, off = dict.fromkeys(FITTED, 0), 0, []
    for seed in range(fits):
        fit = fit_nano_neuron(LEVELS, readings(seed), r_series=100.0)
        described += fit.verdict == "describes"
        off.append([fit.parameters[name].value / TRUTH[name] - 1 for name in FITTED])
        for name in FITTED:
            low, high = fit.parameters[name].interval
            covered[name] += low <= TRUTH[name] <= high
    # weights estimated from the data cost a little coverage: 93 % is asked of the exact binomial, at 1e-4
    assert min(covered.values()) >= stats.binom.ppf(1e-4, fits, 0.93), covered
    assert described >= fits - stats.binom.ppf(1 - 1e-4, fits, 5e-3)
    assert np.all(np.abs(np.mean(off, axis=0)) < 0.02)


def test_reversed_polarity_is_found():
    fit = fit_nano_neuron(LEVELS, readings(1, polarity=-1.0), r_series=100.0)
    assert fit.parameters["polarity"].value == -1.0 and fit.verdict == "describes"
    assert fit.parameters["i50"].value == pytest.approx(30e-6, rel=0.01)


def test_a_stuck_neuron_is_a_resistance():
    volts = readings(2, stuck=1.0)
    fit = fit_nano_neuron(LEVELS, volts)
    assert (fit.verdict, fit.better_model) == ("does-not-describe", "resistance")
    resistance = fit_resistance(LEVELS, volts)
    assert resistance.verdict == "describes"
    low, high = resistance.parameters["resistance"].interval
    assert low <= 4100 <= high


def test_a_neuron_is_no_resistance():
    assert fit_resistance(LEVELS, readings(3)).verdict == "does-not-describe"


def test_another_law_is_rejected():
    """A ripple of 2 % that no parameter can take up."""
    volts = readings(4) * (1 + 0.02 * np.sin(LEVELS * 6e5))
    assert fit_nano_neuron(LEVELS, volts, r_series=100.0).verdict == "does-not-describe"


def test_a_transition_outside_the_currents_is_not_claimed():
    low = np.tile(np.linspace(0, 15e-6, 31), 4)
    assert fit_nano_neuron(low, readings(5, low)).verdict != "describes"


def test_one_sweep_without_repeats_is_judged_by_its_order():
    levels = LEVELS[:41]
    assert fit_nano_neuron(levels, readings(6, levels), r_series=100.0).verdict == "describes"


def test_noise_free_readings_are_fitted():
    fit = fit_nano_neuron(LEVELS, mean_voltage(TRUTH, LEVELS), r_series=100.0)
    assert fit.parameters["i50"].value == pytest.approx(30e-6, rel=1e-6)


def test_bad_data_is_refused():
    with pytest.raises(TooFewData, match="8 currents"):
        fit_nano_neuron(LEVELS[:5], readings(0)[:5])
    volts = readings(0)
    volts[3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        fit_nano_neuron(LEVELS, volts)
    with pytest.raises(TooFewData):
        fit_resistance(np.ones(5), np.ones(5))


def test_lack_of_fit_rejects_at_its_rate():
    """Right curves are rejected at 1 % about one time in a hundred, with and without repeats."""
    for levels in (np.repeat(np.arange(20.0), 4), np.arange(60.0)):
        rejected = 0
        for seed in range(300):
            xi = noise.normal(seed, noise.stream("test/lack"), len(levels), np.arange(len(levels)))
            rejected += lack_of_fit(levels, xi, parameters=0)[1] < 0.01
        assert rejected <= stats.binom.ppf(1 - 1e-5, 300, 0.012)
