"""Laws of the MTJ nano-neuron."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.physics import neuron
from labtrain.populations import draw

DEFAULT = draw("mtj-neuron", 1, 1).cell(0)


@st.composite
def devices(draw_value):
    return {
        "r_p": draw_value(st.floats(100, 2e4)),
        "tmr0": draw_value(st.floats(0, 3)),
        "v_h": draw_value(st.floats(0.4, 0.8)),
        "i50": draw_value(st.floats(-50e-6, 50e-6)),
        "w": draw_value(st.floats(0.5e-6, 5e-6)),
        "r_series": draw_value(st.floats(0, 300)),
        "tau_c": draw_value(st.floats(1e-9, 1e-6)),
        "polarity": draw_value(st.sampled_from([1.0, -1.0])),
    }


CURRENTS = st.floats(-50e-6, 50e-6)


@given(device=devices(), amperes=CURRENTS)
def test_the_voltage_solves_the_equation(device, amperes):
    """V = I R(V, I) + I R_s to 1e-12 relative, wherever |I R_P| <= 2 V_h."""
    if abs(amperes * device["r_p"]) > 2 * device["v_h"]:
        return
    volts = neuron.mean_voltage(device, amperes)
    junction = volts - amperes * device["r_series"]
    share = neuron.antiparallel_share(device, amperes)
    tmr = device["tmr0"] / (1 + (junction / device["v_h"]) ** 2)
    expected = amperes * device["r_p"] * (1 + tmr * share) + amperes * device["r_series"]
    assert volts == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(device=devices(), amperes=CURRENTS)
def test_the_slope_is_the_derivative(device, amperes):
    if abs(amperes * device["r_p"]) > 2 * device["v_h"]:
        return
    step = 1e-4 * device["w"]
    v = [neuron.mean_voltage(device, amperes + i * step) for i in (-2, -1, 1, 2)]
    central = (8 * (v[2] - v[1]) - (v[3] - v[0])) / (12 * step)
    assert neuron.slope(device, amperes) == pytest.approx(central, rel=1e-6, abs=1e-3)


@given(device=devices(), seconds=st.floats(1e-9, 1e-1), amperes=CURRENTS)
def test_window_noise_falls_with_the_window_and_never_exceeds_the_telegraph(device, seconds, amperes):
    short, long = (neuron.window_noise(device, amperes, t) for t in (seconds, 10 * seconds))
    share = neuron.antiparallel_share(device, amperes)
    step = abs(amperes) * device["r_p"] * device["tmr0"]
    assert long <= short * (1 + 1e-6)
    assert short <= step * math.sqrt(share * (1 - share)) * (1 + 1e-6) + 1e-300


def test_window_noise_of_a_long_window_is_the_textbook_formula():
    p = neuron.antiparallel_share(DEFAULT, 31e-6)
    x = (neuron.mean_voltage(DEFAULT, 31e-6) - 31e-6 * DEFAULT["r_series"]) / DEFAULT["v_h"]
    step = 31e-6 * DEFAULT["r_p"] * DEFAULT["tmr0"] / (1 + x**2)
    expected = step * math.sqrt(2 * p * (1 - p) * DEFAULT["tau_c"] / 2e-3)
    assert neuron.window_noise(DEFAULT, 31e-6, 2e-3) == pytest.approx(expected, rel=1e-4)


def test_defaults_are_what_the_documents_say():
    """Half a volt is never reached below 50 uA; the step is about 0.1 V; millivolts of noise at 0.01 NPLC."""
    amperes = np.linspace(-50e-6, 50e-6, 1001)
    assert np.max(np.abs(neuron.mean_voltage(DEFAULT, amperes))) < 0.5
    at_i50 = 30e-6 * DEFAULT["r_p"]
    step = neuron.mean_voltage(DEFAULT, 40e-6) - neuron.mean_voltage(DEFAULT, 20e-6)
    linear = 20e-6 * DEFAULT["r_p"]
    assert 0.08 < step - linear < 0.15 and at_i50 == pytest.approx(0.12)
    assert 0.2e-3 < neuron.window_noise(DEFAULT, 30e-6, 2e-3) < 0.5e-3
    assert 0.5e-3 < neuron.window_noise(DEFAULT, 30e-6, 0.2e-3) < 1.5e-3


def test_polarity_decides_whether_the_curve_is_monotonic():
    amperes = np.linspace(0, 50e-6, 500)
    assert np.all(neuron.slope(DEFAULT, amperes) > 0)
    assert np.any(neuron.slope(DEFAULT | {"polarity": -1.0}, amperes) < 0)


def test_a_stuck_device_is_its_parallel_resistance():
    amperes = np.linspace(-50e-6, 50e-6, 11)
    stuck = DEFAULT | {"stuck": 1.0}
    np.testing.assert_allclose(
        neuron.mean_voltage(stuck, amperes), amperes * (DEFAULT["r_p"] + DEFAULT["r_series"]), atol=1e-15
    )
    np.testing.assert_array_equal(neuron.window_noise(stuck, amperes, 1e-3), 0)


@settings(max_examples=20)
@given(device=devices())
def test_numpy_and_torch_agree(device):
    amperes = np.linspace(-50e-6, 50e-6, 64)
    tensor = torch.from_numpy(amperes)
    for function in (neuron.mean_voltage, neuron.slope):
        np.testing.assert_allclose(function(device, tensor).numpy(), function(device, amperes), rtol=1e-12)
    np.testing.assert_allclose(
        neuron.window_noise(device, tensor, 1e-4).numpy(),
        neuron.window_noise(device, amperes, 1e-4),
        rtol=1e-7,
        atol=1e-8,  # 1 - p cancels far from I50: nanovolts
    )


def test_autograd_through_the_equation_gives_the_slope():
    amperes = torch.linspace(1e-6, 50e-6, 50, dtype=torch.float64, requires_grad=True)
    neuron.mean_voltage(DEFAULT, amperes).sum().backward()
    np.testing.assert_allclose(
        amperes.grad.numpy(), neuron.slope(DEFAULT, amperes.detach().numpy()), rtol=1e-9
    )
