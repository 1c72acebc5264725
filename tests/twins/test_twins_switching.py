"""Binomial fits of P_sw(V): coverage, verdicts, and the measured device."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labtrain import noise
from labtrain.errors import DataError
from labtrain.twins import column_map, counts_of, fit_rows, fit_switching
from labtrain.twins.binomial import Counts, covariance, log_likelihood, maximise
from labtrain.twins.csv_data import read_csv
from labtrain.twins.fit import TooFewData
from labtrain.twins.response_curves import LogisticCurve, PlateauedLogisticCurve

V = np.linspace(0.8, 1.0, 15)


def drawn(probability, trials, seed, volts=V):
    """Binomial counts by counting uniforms below P: exact, addressed."""
    u = noise.uniform(seed, noise.stream("test/switching"), np.arange(len(volts))[:, None], np.arange(trials))
    return Counts(
        volts, (u < probability[:, None]).sum(axis=1).astype(float), np.full(len(volts), float(trials))
    )


def logistic(volts, v50=0.9, slope=43.0, low=0.0, high=1.0):
    return low + (high - low) / (1 + np.exp(-slope * (volts - v50)))


def fewest_covered(fits, error_rate=1e-4):
    """The count of covering 95 % intervals that a right method falls below with ``error_rate``."""
    return int(stats.binom.ppf(error_rate, fits, 0.95))


@pytest.mark.parametrize("fits", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_intervals_cover_the_truth_at_their_rate(fits):
    covered = {"v50": 0, "slope": 0}
    rejected = 0
    for seed in range(fits):
        fit = fit_switching(drawn(logistic(V), 50, seed))
        rejected += fit.verdict != "describes"
        for name, truth in (("v50", 0.9), ("slope", 43.0)):
            low, high = fit.parameters[name].interval
            covered[name] += low <= truth <= high
    assert min(covered.values()) >= fewest_covered(fits), covered
    if fits >= 500:  # too wide is wrong as well
        assert max(covered.values()) <= 0.985 * fits, covered
    assert rejected <= stats.binom.ppf(1 - 1e-4, fits, 5e-3)


def test_plateaus_are_covered_too():
    covered = dict.fromkeys(("v50", "slope", "low", "high"), 0)
    truth = {"v50": 0.9, "slope": 60.0, "low": 0.1, "high": 0.8}
    for seed in range(15):
        fit = fit_switching(drawn(logistic(V, **truth), 100, seed), "plateaued-logistic")
        for name, value in truth.items():
            low, high = fit.parameters[name].interval
            covered[name] += low <= value <= high
    assert min(covered.values()) >= fewest_covered(15), covered


def test_a_hidden_plateau_is_not_called_logistic():
    for seed in range(10):
        fit = fit_switching(drawn(logistic(V, 0.88, 80.0, 0.0, 0.72), 100, seed))
        assert (fit.verdict, fit.better_model) == ("does-not-describe", "plateaued-logistic")


def test_a_falling_curve_has_a_negative_slope():
    counts = drawn(logistic(V), 100, 1)
    mirrored = Counts(-counts.x[::-1], counts.successes[::-1], counts.trials[::-1])
    here, there = fit_switching(counts), fit_switching(mirrored)
    assert there.parameters["v50"].value == pytest.approx(-here.parameters["v50"].value, rel=1e-6)
    assert there.parameters["slope"].value == pytest.approx(-here.parameters["slope"].value, rel=1e-5)


@settings(max_examples=40)
@given(v50=st.floats(0.7, 1.1), slope=st.floats(5, 300), seed=st.integers(0, 1000))
def test_the_fit_is_a_maximum_or_says_insufficient(v50, slope, seed):
    counts = drawn(logistic(V, v50, slope), 20, seed)
    fit = fit_switching(counts)
    if fit.points is None:
        assert fit.verdict == "insufficient"
        return
    curve = LogisticCurve()
    theta = np.array([fit.parameters[name].value for name in curve.parameter_names])
    top = log_likelihood(curve, theta, counts)
    for step in (np.array([1e-4, 0]), np.array([0, 0.1])):
        assert log_likelihood(curve, theta + step, counts) <= top + 1e-6
        assert log_likelihood(curve, theta - step, counts) <= top + 1e-6


def test_all_or_nothing_is_insufficient_and_brackets_v50():
    counts = Counts(V, np.where(V > 0.9, 50.0, 0.0), np.full(len(V), 50.0))
    fit = fit_switching(counts)
    low, high = fit.parameters["v50"].interval
    assert fit.verdict == "insufficient" and low < 0.9 + 1e-9 and high > 0.9
    assert high - low == pytest.approx(V[1] - V[0])


def test_never_switching_is_insufficient_without_an_invented_v50():
    fit = fit_switching(Counts(V, np.zeros(len(V)), np.full(len(V), 50.0)))
    assert fit.verdict == "insufficient"
    assert fit.summary()["parameters"]["v50"]["value"] is None


def test_attempts_and_fractions_give_the_same_counts():
    switched = np.array([0, 1, 1, 0, 1, 1.0])
    volts = np.array([1, 1, 1, 2, 2, 2.0])
    one = counts_of(volts, switched)
    two = counts_of(np.array([1.0, 2.0]), np.array([2 / 3, 2 / 3]), np.array([3.0, 3.0]))
    assert np.array_equal(one.successes, two.successes) and np.array_equal(one.trials, two.trials)


@pytest.mark.parametrize("rates", [[0.1, 1.2], [-0.1, 0.5], [np.nan, 0.5]])
def test_impossible_fractions_are_refused(rates):
    with pytest.raises(DataError, match="between 0 and 1"):
        counts_of(np.array([1.0, 2.0]), np.array(rates), np.array([10.0, 10.0]))


def test_one_voltage_is_too_few_and_an_unknown_model_is_named():
    with pytest.raises(TooFewData):
        fit_switching(Counts(np.array([1.0]), np.array([3.0]), np.array([10.0])))
    with pytest.raises(DataError, match="plateaued-logistic"):
        fit_switching(drawn(logistic(V), 10, 0), "cubic")


def test_jacobians_are_the_derivatives():
    for curve, theta in (
        (LogisticCurve(), np.array([0.9, 43.0])),
        (PlateauedLogisticCurve(), np.array([0.9, 43.0, 0.1, 0.8])),
    ):
        for i in range(len(theta)):
            step = np.zeros_like(theta)
            step[i] = 1e-6 * abs(theta[i])
            numeric = (curve.probability(theta + step, V) - curve.probability(theta - step, V)) / (
                2 * step[i]
            )
            assert np.allclose(numeric, curve.jacobian(theta, V)[:, i], rtol=1e-5, atol=1e-9)


def test_covariance_agrees_with_the_scatter_of_estimates():
    curve, estimates = LogisticCurve(), []
    for seed in range(150):
        counts = drawn(logistic(V), 100, 10_000 + seed)
        estimates.append(maximise(curve, counts, curve.start(counts)))
    predicted = np.sqrt(np.diag(covariance(curve, drawn(logistic(V), 100, 0), np.array([0.9, 43.0]))))
    ratio = np.std(estimates, axis=0, ddof=1) / predicted
    # a standard deviation from 150 draws scatters by 5.8 %: 4.5 of these, about 1e-5 on each side
    assert np.all(np.abs(ratio - 1) < 0.26), ratio


def measured() -> Path:
    given_dir = os.environ.get("LABTRAIN_DATA")
    root = Path(given_dir) if given_dir else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = root / "measured" / "mtj_psw_0p75ns" / "device_A.csv"
    if not path.exists():
        pytest.skip(
            f"measured data not there ({path.parent.name}); set LABTRAIN_DATA to the folder that holds it"
        )
    return path


def test_the_measured_device_a():
    plan = column_map(
        {
            "columns": {
                "voltage": {"name": "V", "unit": "V"},
                "probability": {"name": "P_sw"},
                "trials": {"name": "n_reps"},
            },
            "group_by": ["device_id", "direction"],
            "where": {"t_p": 7.5e-10},
        }
    )
    fits = fit_rows(read_csv(measured(), plan), plan, model="logistic")
    assert abs(fits["A/P->AP"].parameters["v50"].value - 0.896) <= 0.005
    assert fits["A/P->AP"].verdict == "describes"
    assert fits["A/AP->P"].verdict == "does-not-describe"
    assert fits["A/AP->P"].better_model == "plateaued-logistic"
