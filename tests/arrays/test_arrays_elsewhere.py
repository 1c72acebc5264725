"""Simulated arrays compute where their caller's tensors lie: the same draws, nothing fetched to the host.

On a machine without an accelerator the same code runs on CPU tensors, under a guard that refuses every
transfer to NumPy; with one, on the accelerator itself.
"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

from labtrain import noise
from labtrain.arrays import simulated_bitstreams, simulated_switches, simulated_synapses, stimuli
from labtrain.arrays.neurons import Flag
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.kernels import events as compiled
from labtrain.kernels import neuron as neuron_kernel
from labtrain.physics import events
from labtrain.populations import draw

COUNT, SECONDS = 6, 3e-9
FETCHES = (
    torch.Tensor.numpy,
    torch.Tensor.cpu,
    torch.Tensor.tolist,
    torch.Tensor.__array__,
    torch.Tensor.__dlpack__,
)


class NothingFetched(TorchFunctionMode):
    """Refuses what copies a tensor to the host; single truths and counts may be asked for."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        assert function not in FETCHES, f"{function} fetches a tensor to the host"
        moved = function is torch.Tensor.to and "cpu" in (
            *map(str, args[1:]),
            *map(str, (kwargs or {}).values()),
        )
        assert not moved, "a tensor is moved to the host"
        return function(*args, **(kwargs or {}))


@pytest.fixture(params=["elsewhere", "cuda"])
def device(request, monkeypatch):
    """Where tensors lie; ``elsewhere`` is the CPU, as if no compiled loop could reach it."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device on this machine")
        return "cuda"
    for module in (simulated_switches, simulated_bitstreams, simulated_synapses, stimuli):
        monkeypatch.setattr(module, "on_cpu", lambda values: isinstance(values, np.ndarray))
    monkeypatch.setattr(neuron_kernel, "reaches", lambda values: isinstance(values, np.ndarray))
    return "cpu"


def on(device, values):
    return torch.from_numpy(np.array(values)).to(device)


def host(values):
    return values.detach().cpu().numpy()


def same_place(result, device):
    assert isinstance(result, torch.Tensor) and result.device.type == device
    return host(result)


def test_uniforms_are_the_same_bits(device):
    cells, k = np.arange(1000), np.arange(5)[:, None] * 2**33
    asked = on(device, cells), on(device, k)
    with NothingFetched():
        got = noise.uniform(2**63 - 1, 7, *asked)
    assert same_place(got, device).tobytes() == noise.uniform(2**63 - 1, 7, cells, k).tobytes()


def pulses(batch, volts=0.63):
    signs = np.where(np.arange(batch) % 3 == 1, -1.05, 1.0)[:, None]
    return volts * signs * (1.0 + 0.02 * np.linspace(-1, 1, COUNT))


SWITCHES = {
    "sot": ("sot-mtj", {}, pulses(700), SECONDS),
    "weak reset": ("sot-mtj", {"reset_volts": 0.58}, pulses(700), SECONDS),
    "open devices": ("sot-mtj", {"dead": (1, 4), "reset_volts": 0.6}, pulses(300), SECONDS),
    "steps and clipping": (
        "sot-mtj",
        {"resolution_volts": 0.05, "max_volts": 0.66, "reset_volts": 0.65},
        pulses(50, 0.65),
        SECONDS,
    ),
    "stt": ("stt-mtj", {"reset_volts": 0.7}, pulses(300, 0.55), 8e-9),
}


@pytest.mark.parametrize("case", SWITCHES)
def test_switches_do_the_same(device, case):
    model, options, volts, seconds = SWITCHES[case]
    population = draw(model, 5, COUNT, {"mismatch": 0.03}, "switches")
    here, there = (SimulatedSwitchArray(population, **options) for _ in range(2))
    view = there.select([3, 0, 1])
    for part in np.split(volts, [1, 2, len(volts) // 2]):
        expected, asked = here.attempt(part, seconds), on(device, part)
        with NothingFetched():
            outcome = there.attempt(asked, seconds)
        np.testing.assert_array_equal(same_place(outcome.switched, device), expected.switched)
        np.testing.assert_array_equal(same_place(outcome.flags, device), expected.flags)
        expected = here.select([3, 0, 1]).attempt(part[:, :3], seconds)
        np.testing.assert_array_equal(
            same_place(view.attempt(asked[:, :3], seconds).switched, device), expected.switched
        )
    assert there.state_dict() == here.state_dict()
    if case == "weak reset":
        assert np.mean(expected.flags & Flag.STUCK > 0) > 0.05
    # Back on the host the array goes on where it was.
    np.testing.assert_array_equal(
        there.attempt(volts, seconds).switched, here.attempt(volts, seconds).switched
    )


def test_an_empty_batch_is_answered_by_an_empty_one(device):
    array = SimulatedSwitchArray(draw("sot-mtj", 5, COUNT))
    outcome = array.attempt(on(device, np.zeros((0, COUNT))), SECONDS)
    assert outcome.switched.shape == outcome.flags.shape == (0, COUNT)
    assert outcome.switched.dtype == torch.bool and outcome.flags.dtype == torch.uint8


@pytest.mark.parametrize("n_bits", [0, 1, 13, 5000])
def test_bit_sources_give_the_same_bits(device, n_bits):
    population = draw("s-mtj", 5, COUNT, {"mismatch": 0.05, "v50_drift_per_hour": 1e-3}, "bits")
    here, there = (SimulatedBitstreamSource(population, resolution_volts=1e-4) for _ in range(2))
    volts = np.linspace(-0.05, 0.05, COUNT)
    for _ in range(2):
        asked = on(device, volts)
        with NothingFetched():
            bits = there.sample(asked, n_bits, 2e-5)
        expected = here.sample(volts, n_bits, 2e-5)
        np.testing.assert_array_equal(same_place(bits.packed, device), expected.packed)
        np.testing.assert_array_equal(same_place(bits.flags, device), expected.flags)
    assert there.state_dict() == here.state_dict()


def test_synapses_read_write_and_multiply_alike(device):
    """To rounding: 1e-12 relative, where a reading's noise is 3e-3."""
    population = draw("memristor", 5, 30, {"mismatch": 0.1, "stuck": 0.1}, "cells")
    here, there = (SimulatedSynapseArray(population, (5, 6)) for _ in range(2))
    delta = 40e-6 * np.linspace(-1, 1, 30).reshape(5, 6)
    mask, volts = np.arange(30).reshape(5, 6) % 3 > 0, 0.5 * np.sin(np.arange(200)).reshape(40, 5)
    for _ in range(3):
        given = on(device, delta), on(device, mask), on(device, volts)
        with NothingFetched():
            flags, product = there.program(*given[:2]), there.multiply(given[2])
            read = there.conductance()
        np.testing.assert_array_equal(same_place(flags, device), here.program(delta, mask))
        expected = here.multiply(volts)
        np.testing.assert_allclose(
            same_place(product.amperes, device), expected.amperes, rtol=1e-12, atol=1e-18
        )
        np.testing.assert_array_equal(same_place(product.flags, device), expected.flags)
        np.testing.assert_allclose(same_place(read.siemens, device), here.conductance().siemens, rtol=1e-12)
    one, other = there.state_dict(), here.state_dict()
    np.testing.assert_allclose(one["siemens"], other["siemens"], rtol=1e-12)
    assert (one["reads"], one["writes"]) == (other["reads"], other["writes"])


def test_neurons_answer_alike(device):
    population = draw("mtj-neuron-pair", 5, COUNT, {"mismatch": 0.05}, "neurons")
    readout = Readout(read_noise=1e-4, range_volts=0.2, adc_bits=14)
    settings = {"dead": (2,), "resolution_amperes": 5e-9, "max_amperes": 45e-6}
    here, there = (SimulatedNeuronArray(population, readout, **settings) for _ in range(2))
    amperes = np.linspace(-10e-6, 50e-6, 40 * COUNT).reshape(40, COUNT)
    for array_amperes in (amperes, amperes[::-1].copy()):
        asked = on(device, array_amperes)
        with NothingFetched():
            answers = there.respond_pair(asked, asked)
            slopes = there.derivative(asked)
        for one, other in zip(answers, here.respond_pair(array_amperes, array_amperes), strict=True):
            np.testing.assert_allclose(same_place(one.volts, device), other.volts, rtol=1e-12, atol=1e-15)
            np.testing.assert_array_equal(same_place(one.flags, device), other.flags)
        np.testing.assert_allclose(same_place(slopes, device), here.derivative(array_amperes), rtol=1e-10)
    assert there.state_dict() == here.state_dict()


@given(
    batch=st.integers(1, 600),
    count=st.integers(1, 5),
    chance=st.sampled_from([0.0, 0.3, 0.99, 1.0]),
    seed=st.integers(0, 2**64 - 1),
)
def test_attempts_in_any_namespace_are_those_of_the_compiled_loop(batch, count, chance, seed):
    cells = np.arange(count)
    drawn = noise.uniform(seed, 1, cells, np.arange(3 * batch)[:, None])
    p, start = drawn[:batch], (drawn[batch : 2 * batch] < 0.5).astype(np.uint8)
    reset, dead = np.full((2, count), chance), drawn[2 * batch] < 0.2
    state, events_of = np.where(dead, 2, 0).astype(np.uint8), np.arange(count) * 2**32
    reset[:, dead] = 0.0
    got = events.attempt(p, start, reset, np.where(dead, 0, state), dead, (seed, 9), cells, events_of)
    counters = events_of.copy()
    switched, verified = compiled.attempt(p, start, reset, state, seed, 9, cells, counters)
    np.testing.assert_array_equal(got[0], switched)
    np.testing.assert_array_equal(got[1], verified)
    np.testing.assert_array_equal(got[2][~dead], state[~dead])
    np.testing.assert_array_equal(got[3], counters)
