"""The calibration read: health, mapping, offsets, and ranges refused before anything is driven."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_chip import TestChip

from labtrain.errors import UsageError
from labtrain.training import calibrate
from labtrain.training.afd.calibration import interpolate, quantised
from labtrain.training.afd.health import assess
from labtrain.training.afd.mapping import ANCHOR, fit_mapping


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 60e-6), (-60e-6, 10e-6), (20e-6, 20e-6), (30e-6, 20e-6), (0.0, float("nan"))]
)
def test_a_range_that_devices_may_not_see_is_refused_before_anything_is_driven(low, high):
    chip = TestChip(3)
    with pytest.raises(UsageError, match="bias range"):
        calibrate(chip, low, high)
    assert chip.calls == []


def test_calibration_is_one_batch_and_averages():
    """The mean of 64 readings: every point within 6 standard errors of the truth (chance 2e-7 over 100)."""
    chip, truth = TestChip(2, mismatch=0.05), TestChip(2, mismatch=0.05, noisy=False)
    averaged = calibrate(chip, 0.0, 50e-6, points=25, repeats=64)
    exact = calibrate(truth, 0.0, 50e-6, points=25, repeats=1)
    assert chip.calls == [("respond_pair", 25 * 64)]
    sigma = 1.2e-3 / np.sqrt(64)  # the largest window noise is 1.1 mV
    assert np.abs(averaged.forward_volts - exact.forward_volts).max() < 6 * sigma
    assert np.abs(averaged.offset_volts - exact.offset_volts).max() < 6 * np.sqrt(2) * sigma


@pytest.mark.parametrize("polarity", [1.0, -1.0])
@pytest.mark.parametrize("mismatch", [0.0, 0.05, 0.10])
def test_health_of_many_chips_is_judged_right(mismatch, polarity):
    """No healthy neuron lost and no fault missed on 30 chips of ten pairs, either polarity."""
    for seed in range(30):
        chip = TestChip(10, seed=seed, mismatch=mismatch, polarity=polarity, dead=(3,), stuck=(6,))
        health = assess(calibrate(chip, 0.0, 50e-6))
        assert (health.dead, health.stuck) == ((3,), (6,))


def test_a_junction_stuck_in_its_antiparallel_state_is_stuck():
    """Its V(I) bends with bias as TMR falls, but has no step."""
    chip = TestChip(2, mismatch=0.0)
    chip.parameters = {name: values.copy() for name, values in chip.parameters.items()}
    chip.parameters["i50"][2] = -1.0  # far below: always antiparallel
    assert assess(calibrate(chip, 0.0, 50e-6)).stuck == (1,)


def test_too_few_healthy_neurons_names_them_and_the_remedy():
    health = assess(calibrate(TestChip(4, dead=(1,), stuck=(2,)), 0.0, 50e-6))
    with pytest.raises(UsageError, match=r"dead: \[1\], stuck: \[2\]") as refusal:
        health.choose(3, "neurons")
    assert refusal.value.key == "hidden"


def test_mapping_centres_every_neuron_on_its_step():
    chip = TestChip(8, mismatch=0.1)
    calibration = calibrate(chip, 0.0, 50e-6)
    mapping = fit_mapping(calibration, 1e-6)
    assert np.abs(mapping.centre_amperes - chip.parameters["i50"][::2]).max() < 1e-6  # half of w
    assert 3e-6 < mapping.kappa_amperes < 5e-6  # 2 w = 4 uA
    z = ANCHOR * np.array([[-1.0], [1.0]]) * np.ones(8)
    volts = interpolate(calibration.amperes, calibration.forward_volts, mapping.amperes(z)[0])
    np.testing.assert_allclose(mapping.activation(volts), z / ANCHOR, atol=1e-9)


def test_a_reversed_polarity_still_maps_with_a_finite_gain():
    mapping = fit_mapping(calibrate(TestChip(4, polarity=-1.0), 0.0, 50e-6), 1e-6)
    assert np.isfinite(mapping.scale_volts).all()
    assert (np.abs(mapping.scale_volts) > 1e-3).all()


@given(
    st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=8),
    st.floats(1e-7, 2e-5),
    st.floats(0, 5e-6),
)
def test_no_pre_activation_leaves_the_range(values, kappa, headroom):
    mapping = fit_mapping(_CALIBRATION, headroom, kappa)
    amperes, clipped = mapping.amperes(np.array(values)[:, None] * np.ones(2))
    assert (amperes >= 0.0).all()
    assert (amperes + headroom <= 50e-6 * (1 + 1e-12)).all()
    inside = ~clipped
    wanted = mapping.centre_amperes + kappa * np.array(values)[:, None]
    assert (amperes[inside] == wanted[inside]).all()


_CALIBRATION = calibrate(TestChip(2), 0.0, 50e-6)


@given(st.lists(st.floats(-2.0, 12.0), min_size=1, max_size=6))
def test_interpolation_is_numpys(places):
    grid, curves = (
        np.linspace(0, 10, 11),
        np.stack([np.linspace(0, 5, 11) ** 2, np.cos(np.arange(11))], axis=1),
    )
    given_places = np.array(places)[:, None] * np.ones(2)
    expected = np.stack([np.interp(places, grid, curves[:, j]) for j in range(2)], axis=1)
    np.testing.assert_allclose(interpolate(grid, curves, given_places), expected, atol=1e-9)


@given(st.floats(-1e-4, 1e-4), st.sampled_from([0.0, 5e-9, 50e-9]))
def test_quantised_stays_within_half_a_step(amperes, resolution):
    rounded = float(quantised(np.array(amperes), resolution))
    assert abs(rounded - amperes) <= 0.5 * resolution * (1 + 1e-6)
