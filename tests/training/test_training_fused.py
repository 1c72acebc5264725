"""The compiled float32 layer and the plain path: the same devices, draws, counters and ledger."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain import noise
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.errors import UsageError
from labtrain.kernels.noise import keys_of
from labtrain.kernels.single_normals import draw_normals, event_words
from labtrain.populations import draw
from labtrain.training import DeviceNeurons, calibrate, make_estimator
from labtrain.training.afd.mapping import fit_mapping

RESOLUTION = 5e-9
TIE_VOLTS = 25e3 * RESOLUTION
"""A current between two of the source's steps may round to either: at most 25 kohm apart."""


def make_layer(
    estimator: str = "calibrated-pair", count: int = 12, *, dead: tuple[int, ...] = (), rows=None, **readout
) -> DeviceNeurons:
    population = draw("mtj-neuron-pair", 3, count, {"mismatch": 0.1, "read_noise": 1e-4}, "neurons")
    array = SimulatedNeuronArray(
        population, Readout(**readout), max_amperes=50e-6, resolution_amperes=RESOLUTION, dead=dead, rows=rows
    )
    calibration = calibrate(array, 0.0, 50e-6)
    chosen = make_estimator(estimator, 1e-6, RESOLUTION)
    chosen.prepare(calibration)
    return DeviceNeurons(array, chosen, fit_mapping(calibration, chosen.delta_amperes))


def both_paths(layer: DeviceNeurons, z: torch.Tensor):
    """The same reads twice: at once in float32, and plainly in float64."""
    start = copy.deepcopy(layer.get_extra_state())
    results = []
    for dtype in (torch.float32, torch.float64):
        layer.set_extra_state(start)
        asked = z.to(dtype).requires_grad_()
        out = layer(asked)
        if layer.training:
            out.sum().backward()
        results.append((out.detach().double(), asked.grad, layer.get_extra_state()))
    return results


@pytest.mark.parametrize("estimator", ["pair", "calibrated-pair", "same-device"])
@settings(max_examples=12, deadline=None)
@given(batch=st.integers(1, 200), reach=st.floats(0.1, 20.0))
def test_kernel_and_plain_agree(estimator, batch, reach):
    layer = make_layer(estimator)
    z = reach * torch.sin(torch.arange(batch * 12, dtype=torch.float64)).reshape(batch, 12)
    (fast, fast_grad, fast_state), (plain, plain_grad, plain_state) = both_paths(layer, z)
    scale = np.abs(layer.mapping.scale_volts).min()
    assert (fast - plain).abs().max() < (TIE_VOLTS + 1e-6) / scale
    slope_error = (TIE_VOLTS + 2e-6) * layer.mapping.kappa_amperes / (1e-6 * scale)
    outside = (fast_grad == 0) != (plain_grad == 0)  # a bias within rounding of the range's end
    assert int(outside.sum()) <= 1
    assert (fast_grad.double() - plain_grad)[~outside].abs().max() < 2 * slope_error
    # Rounding of a bias to another step of the source is rare: nearly all readings agree to rounding.
    close = (fast - plain).abs() < 2e-6 / scale
    assert close.double().mean() > 0.99 - 2 / close.numel()
    assert fast_state["array"] == plain_state["array"]
    assert fast_state["ledger"]["reads"] == plain_state["ledger"]["reads"] == 2 * batch * 12
    torch.testing.assert_close(
        fast_state["ledger"]["watts"], plain_state["ledger"]["watts"], rtol=1e-4, atol=0
    )


def test_agreement_in_eval_mode_with_a_dead_pair_and_a_converter():
    layer = make_layer(dead=(4,), range_volts=0.5, adc_bits=12).eval()
    z = torch.linspace(-3, 3, 40 * 12, dtype=torch.float64).reshape(40, 12)
    (fast, _, fast_state), (plain, _, plain_state) = both_paths(layer, z)
    step = 2 * 0.5 / 2**12
    scale = torch.from_numpy(np.abs(layer.mapping.scale_volts))
    apart = (fast - plain).abs() * scale
    assert torch.all(apart[:, torch.arange(12) != 4] < step + TIE_VOLTS + 1e-6)
    assert torch.equal(fast_state["ledger"]["flagged"], plain_state["ledger"]["flagged"])
    assert int(fast_state["ledger"]["flagged"][4]) > 30  # in compliance wherever a current flows
    assert fast_state["array"] == plain_state["array"]


def test_a_pass_split_into_two_is_the_same_pass():
    whole, halves = make_layer(count=5), make_layer(count=5)
    z = torch.linspace(-2, 2, 30 * 5).reshape(30, 5).requires_grad_()
    split = torch.cat([halves(z[:7]), halves(z[7:])])
    assert torch.equal(whole(z), split)


def test_a_voltmeter_with_its_own_noise_takes_the_plain_path():
    layer = make_layer(read_noise=1e-3)
    z = torch.zeros(3, 12)
    assert layer.pass_at_once(z, slopes=False) is None
    assert layer(z).dtype == torch.float32


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_diverged_network_reads_nothing(bad):
    layer = make_layer()
    z = torch.zeros(3, 12)
    z[2, 11] = bad
    before = layer.array.state_dict()
    with pytest.raises(UsageError, match="diverged"):
        layer(z.requires_grad_())
    assert layer.array.state_dict() == before


def test_a_copy_drives_the_same_chip():
    layer = make_layer()
    layer(torch.zeros(2, 12))
    twin = copy.deepcopy(layer)
    before = layer.array.state_dict()["reads"][0]
    twin(torch.zeros(2, 12))
    assert layer.array.state_dict()["reads"][0] == before + 2


@given(
    seed=st.integers(0, 2**63), cell=st.integers(0, 2**31), k=st.integers(0, 2**40), row=st.integers(0, 999)
)
def test_single_normals_are_the_addressed_ones(seed, cell, k, row):
    keys, stream = keys_of(seed, 77), 77
    events = np.empty((3, 16), np.uint32)
    for j in range(16):
        event_words(keys[0], keys[1], cell + j, k, events[:, j])
    drawn, *scratch = (np.empty((2, 16), np.float32) for _ in range(3))
    draw_normals(events, row, 3, drawn, *scratch)
    expected = noise.normal(seed, stream, cell + np.arange(16), k + 3 * (row + np.arange(2)[:, None]))
    np.testing.assert_allclose(drawn, expected, rtol=1e-5, atol=2e-7)


def test_single_normals_reach_far_into_the_tails():
    """Across the carry of the event number's low word, 2e6 draws: moments within 5 standard errors."""
    keys = keys_of(1, 5)
    events = np.empty((3, 1000), np.uint32)
    for j in range(1000):
        event_words(keys[0], keys[1], j, 2**32 - 700, events[:, j])
    drawn, *scratch = (np.empty((2000, 1000), np.float32) for _ in range(3))
    draw_normals(events, 0, 1, drawn, *scratch)
    expected = noise.normal(1, 5, np.arange(1000), 2**32 - 700 + np.arange(2000)[:, None])
    np.testing.assert_allclose(drawn, expected, rtol=1e-5, atol=2e-7)
    assert drawn.max() > 4.5 and drawn.min() < -4.5
