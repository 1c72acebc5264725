"""Slope estimators: exact where they should be, unbiased with the stated variance, honest about mismatch.

Statistical tests use fixed seeds; each states the rate at which a right estimator would fail.
"""

from __future__ import annotations

import numpy as np
import pytest
from training_chip import TestChip

from labtrain.arrays.neurons import NeuronArray, Reading
from labtrain.errors import UsageError
from labtrain.physics import neuron
from labtrain.training import calibrate, make_estimator
from labtrain.training.afd.estimators import SurrogateEstimator
from labtrain.training.afd.gradients import cosine

DELTA = 1e-6
CURRENTS = np.linspace(20e-6, 40e-6, 41)


def prepared(name: str, chip: TestChip, **grid):
    estimator = make_estimator(name, DELTA, chip.resolution_amperes)
    estimator.prepare(calibrate(chip, 0.0, 50e-6, **grid))
    return estimator


def central(chip: TestChip, amperes):
    devices = chip._devices(0)
    return (neuron.mean_voltage(devices, amperes + DELTA) - neuron.mean_voltage(devices, amperes - DELTA)) / (
        2 * DELTA
    )


def stimuli(chip: TestChip):
    return np.repeat(CURRENTS[:, None], len(chip), axis=1)


def test_without_noise_and_mismatch_every_difference_is_the_forward_difference():
    chip = TestChip(3, mismatch=0.0, noisy=False)
    devices, amperes = chip._devices(0), stimuli(chip)
    rise = neuron.mean_voltage(devices, amperes + DELTA) - neuron.mean_voltage(devices, amperes)
    for name in ("pair", "calibrated-pair", "same-device"):
        ohms = prepared(name, chip).respond(chip, amperes).ohms
        np.testing.assert_allclose(ohms, rise / DELTA, rtol=1e-9)


def test_exact_is_the_derivative_and_reads_once():
    chip = TestChip(3, noisy=False)
    response = prepared("exact", chip).respond(chip, stimuli(chip))
    np.testing.assert_allclose(response.ohms, central(chip, stimuli(chip)), rtol=0.05)
    assert response.readings == response.volts.size


def test_calibrated_pair_takes_mismatch_out():
    """Without noise what is left is the interpolation of d(I), far below the raw pair's error."""
    chip = TestChip(8, mismatch=0.05, noisy=False)
    amperes, reference = stimuli(chip), prepared("same-device", chip).respond(chip, stimuli(chip)).ohms
    raw = prepared("pair", chip).respond(chip, amperes).ohms
    calibrated = prepared("calibrated-pair", chip).respond(chip, amperes).ohms
    scale = np.linalg.norm(reference)
    assert np.linalg.norm(calibrated - reference) / scale < 0.02
    assert np.linalg.norm(raw - reference) / scale > 0.2


@pytest.mark.parametrize("name", ["pair", "same-device"])
def test_noise_of_a_slope_is_sqrt_two_sigma_over_delta(name):
    """Variance of 4000 slopes a point against its law, pooled over 41 x 2 points: 5 sigma, 6e-7."""
    chip, repeats = TestChip(2, mismatch=0.0), 4000
    amperes = np.tile(stimuli(chip), (repeats, 1))
    ohms = prepared(name, chip).respond(chip, amperes).ohms.reshape(repeats, len(CURRENTS), 2)
    devices = chip._devices(0)
    first, second = (
        neuron.window_noise(devices, stimuli(chip) + shift, chip.seconds) for shift in (0.0, DELTA)
    )
    expected = (first**2 + second**2) / DELTA**2
    ratio = (ohms.var(axis=0, ddof=1) / expected).mean()
    assert abs(ratio - 1) < 5 * np.sqrt(2 / repeats / expected.size)


def test_same_device_is_unbiased_for_the_forward_difference():
    """Mean of 4000 slopes at 82 points: the largest of 82 normals beyond 5 has a chance of 5e-5."""
    chip, repeats = TestChip(2, mismatch=0.1), 4000
    amperes = np.tile(stimuli(chip), (repeats, 1))
    ohms = prepared("same-device", chip).respond(chip, amperes).ohms.reshape(repeats, -1, 2)
    devices = chip._devices(0)
    truth = (
        neuron.mean_voltage(devices, stimuli(chip) + DELTA) - neuron.mean_voltage(devices, stimuli(chip))
    ) / DELTA
    error = ohms.std(axis=0, ddof=1) / np.sqrt(repeats)
    assert np.abs((ohms.mean(axis=0) - truth) / error).max() < 5


def test_calibrated_pair_reaches_the_cosine_over_many_chips():
    """20 chips at 10 % mismatch and noise: mean cosine to the central derivative at least 0.95."""
    reached = []
    for seed in range(20):
        chip = TestChip(8, seed=seed, mismatch=0.10)
        ohms = prepared("calibrated-pair", chip).respond(chip, stimuli(chip)).ohms
        reached.append(cosine(ohms, central(chip, stimuli(chip))))
    assert np.mean(reached) >= 0.95


def test_surrogate_uses_the_belief_and_reads_once():
    chip = TestChip(3)
    response = SurrogateEstimator(lambda amperes: 7.0 + 0.0 * amperes).respond(chip, stimuli(chip))
    assert (response.ohms == 7.0).all()
    assert chip.calls == [("respond", len(CURRENTS))]


class Single(NeuronArray):
    """One device a neuron: no partner."""

    name, max_amperes, resolution_amperes = "singles", 5e-5, 0.0

    def __len__(self):
        return 2

    def select(self, indices):
        return self

    def respond(self, amperes):
        return Reading(0 * amperes, np.zeros(amperes.shape, dtype=np.uint8))

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


@pytest.mark.parametrize(
    ("name", "reason"), [("pair", "array of pairs"), ("exact", "not a directly simulated")]
)
def test_an_array_that_cannot_is_refused_with_the_remedy(name, reason):
    with pytest.raises(UsageError, match=reason) as refusal:
        make_estimator(name, DELTA).respond(Single(), np.zeros((2, 2)))
    assert refusal.value.remedy


def test_calibrated_pair_without_calibration_is_refused():
    with pytest.raises(UsageError, match="no offset curves"):
        make_estimator("calibrated-pair", DELTA).respond(TestChip(2), np.zeros((2, 2)))


@pytest.mark.parametrize("delta", [0.0, -1e-6, 1e-9, float("nan")])
def test_a_delta_below_the_resolution_is_refused(delta):
    with pytest.raises(UsageError, match="delta_current"):
        make_estimator("pair", delta, 5e-9)


def test_an_unknown_estimator_is_refused_with_those_known():
    with pytest.raises(UsageError, match="calibrated-pair"):
        make_estimator("magic", DELTA)
