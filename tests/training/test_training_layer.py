"""The device layer: torch citizenship under every estimator, refusals, what it drives."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from training_chip import TestChip
from training_citizenship import CHECKS, WIDTH, exact_gradients, network

from labtrain.errors import UsageError
from labtrain.training import DeviceNeurons, calibrate, make_estimator
from labtrain.training.afd.estimators import ESTIMATORS
from labtrain.training.afd.mapping import fit_mapping


def make_layer(estimator: str = "calibrated-pair", count: int = WIDTH, **chip) -> DeviceNeurons:
    array = TestChip(count, **chip)
    calibration = calibrate(array, 0.0, 50e-6)
    array.calls.clear()
    chosen = make_estimator(estimator, 1e-6, array.resolution_amperes)
    chosen.prepare(calibration)
    return DeviceNeurons(array, chosen, fit_mapping(calibration, chosen.delta_amperes))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_layer_is_a_citizen_of_torch(check, estimator):
    check(lambda: make_layer(estimator))


def test_exact_gradients_pass_torch_s_own_check():
    exact_gradients(lambda: make_layer("exact", noisy=False, resolution_amperes=0.0))


def test_a_checkpoint_of_another_network_is_refused_and_changes_nothing():
    file = io.BytesIO()
    torch.save(make_layer(count=WIDTH + 1).state_dict(), file)
    file.seek(0)
    layer = make_layer()
    centre, counters = layer.mapping.centre_amperes.copy(), layer.array.counters.copy()
    with pytest.raises(UsageError, match=f"{WIDTH + 1} neurons"):
        layer.load_state_dict(torch.load(file))
    assert np.array_equal(layer.mapping.centre_amperes, centre)
    assert np.array_equal(layer.array.counters, counters)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_network_drives_nothing(bad):
    layer = make_layer()
    z = torch.zeros(3, WIDTH, dtype=torch.float64)
    z[1, 2] = bad
    with pytest.raises(UsageError, match="diverged"):
        layer(z)
    assert layer.array.calls == []


def test_a_wrong_width_is_refused_before_anything_is_driven():
    layer = make_layer()
    with pytest.raises(UsageError, match="does not fit"):
        layer(torch.zeros(3, WIDTH + 1))
    assert layer.array.calls == []


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_input_drives_a_device_beyond_its_limit(estimator):
    layer = make_layer(estimator)
    z = torch.tensor([[-1e30, -40.0, 40.0, 1e30]], dtype=torch.float64, requires_grad=True)
    layer(z).sum().backward()
    assert layer.array.worst_amperes <= layer.array.max_amperes
    assert torch.equal(z.grad, torch.zeros_like(z))  # clipped: the function is flat there


def test_a_training_pass_is_one_batch_a_device():
    layer = make_layer("calibrated-pair")
    network(layer)(torch.ones(7, 3, dtype=torch.float64)).sum().backward()
    assert layer.array.calls == [("respond_pair", 7)]
    assert layer.ledger.reads == 2 * 7 * WIDTH


def test_gradient_is_the_slope_of_the_activation_without_noise():
    """Against a finite difference of the layer itself, all neurons exact."""
    layer = make_layer("exact", noisy=False, resolution_amperes=0.0)
    z = torch.linspace(-2, 2, 5 * WIDTH, dtype=torch.float64).reshape(5, WIDTH).requires_grad_()
    layer(z).sum().backward()
    step = 1e-5
    with torch.no_grad():
        numerical = (layer(z + step) - layer(z - step)) / (2 * step)
    torch.testing.assert_close(z.grad, numerical, rtol=1e-6, atol=1e-8)


def test_mapping_of_another_size_is_refused():
    layer = make_layer()
    with pytest.raises(UsageError, match="does not fit array"):
        DeviceNeurons(TestChip(WIDTH + 2), layer.estimator, layer.mapping)
