"""Twins predict fresh readings, and say so where the device is another one than they believe."""

import numpy as np
import pytest
from twins_fresh import share_inside
from twins_hidden import CASES, SAMPLE_SECONDS, chain, normal, uniform

from labtrain.physics import neuron
from labtrain.populations import draw
from labtrain.twins import fit_nano_neuron
from labtrain.twins.models import MODELS

DEVICES = 200
LEVELS = np.tile(np.linspace(0, 50e-6, 41), 4)


def test_fresh_readings_lie_in_the_prediction_band():
    """95 % on average over 200 devices, each fitted from four sweeps and read again."""
    cells = draw("mtj-neuron", 1, DEVICES, {"mismatch": 0.05, "read_noise": 3e-4})
    inside = []
    for index in range(DEVICES):
        truth = cells.cell(index)
        curve, scatter = neuron.mean_voltage(truth, LEVELS), neuron.window_noise(truth, LEVELS, 2e-4)
        first, again = (curve + scatter * normal(index, name, len(LEVELS)) for name in ("first", "again"))
        fit = fit_nano_neuron(LEVELS, first, r_series=truth["r_series"])
        reach = 1.96 * np.hypot(fit.points.sigma, fit.points.band)
        inside.append(np.mean(np.abs(again - fit.points.fitted) <= reach))
    # 200 x 164 readings: the mean share is known to 0.12 %, shared errors of a fit included 0.2 %
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)


FEW = 20


@pytest.mark.parametrize("name", CASES)
def test_every_models_twin_predicts_the_next_measurement(name):
    """Of 20 devices here, of more in benchmarks/RESULTS.md; scatter is estimated from few readings."""
    shares = [share_inside(name, seed, seed + 1) for seed in range(FEW)]
    error = np.std(shares, ddof=1) / np.sqrt(FEW)
    assert 0.935 - 3.7 * error <= np.mean(shares) <= 0.975 + 3.7 * error


def test_a_twin_of_another_device_predicts_badly():
    """The law above can fail: a step 2 % higher is seen at once."""
    fit, points = CASES["nano-neuron"].fit(1), CASES["nano-neuron"].fit(2).points
    reach = 1.96 * np.hypot(fit.points.sigma, fit.points.band)
    assert np.mean(np.abs(1.02 * points.observed - fit.points.fitted) <= reach) < 0.5


@pytest.mark.parametrize(
    ("hidden", "believed", "better"),
    [
        ("neel-brown", "logistic", "neel-brown"),
        ("plateaued-logistic", "logistic", "plateaued-logistic"),
        ("yakopcic", "vteam", "yakopcic"),
        ("nano-neuron", "resistance", None),
        ("resistance", "nano-neuron", "resistance"),
    ],
)
def test_another_law_is_told_and_the_better_one_named(hidden, believed, better):
    fit = CASES[hidden].fit(1, believed)
    assert (fit.verdict, fit.better_model) == ("does-not-describe", better)


def test_a_third_state_shows_in_the_dwell_times():
    """A device that is five times as fast for half of its life has dwell times that are not exponential."""
    states = []
    for block in range(20):
        slow = 0.02 if block % 2 else 0.1
        states.append(chain(slow / 2, 1 - slow / 2, uniform(1, "third", 3000, block)))
    state = np.concatenate(states)
    data = {"voltage": np.zeros(len(state)), "state": state, "interval": np.full(len(state), SAMPLE_SECONDS)}
    fit = MODELS["two-state-telegraph"].fit(data)
    assert fit.verdict == "does-not-describe"
    steady = chain(0.02, 0.98, uniform(2, "two", 60_000))
    assert MODELS["two-state-telegraph"].fit(data | {"state": steady}).verdict == "describes"


def test_a_parallel_resistance_that_bends_is_no_bias_tmr():
    data = CASES["bias-tmr"].measure(1)
    bent = data["current"] * (1 + 0.3 * data["voltage"] ** 2)
    assert MODELS["bias-tmr"].fit(data | {"current": bent}).verdict == "does-not-describe"


def test_a_level_that_wanders_from_write_to_write_is_no_write_noise():
    ohms = CASES["write-noise-repeated"].measure(1)["resistance"] * np.exp(np.linspace(0, 1.0, 100))
    assert MODELS["write-noise"].fit({"resistance": ohms}).verdict == "does-not-describe"


def test_a_junction_hardly_biased_leaves_its_bias_dependence_open():
    data = CASES["bias-tmr"].measure(1)
    gentle = {name: column[np.abs(data["voltage"]) < 0.05] for name, column in data.items()}
    fit = MODELS["bias-tmr"].fit(gentle)
    assert fit.verdict == "insufficient" and "v_h" in fit.reason
