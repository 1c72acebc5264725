"""One contract for every runtime of the neuron-pair role.

A runtime is a function that makes an array of six pairs at most 60 uA. The wired runtime
stands in test_arrays_wired_contract.py.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.arrays.neurons import Flag
from labtrain.arrays.recorded_neurons import RecordedNeuronArray
from labtrain.arrays.replayed_roles import ReplayedNeuronArray
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.errors import DataError, ReplayMismatch, UsageError
from labtrain.kernels import neuron as kernel
from labtrain.physics import neuron
from labtrain.populations import draw
from labtrain.session import NullSink, Recording, Session

COUNT = 6
POPULATION = draw("mtj-neuron-pair", 4, COUNT, {"mismatch": 0.05}, "neurons")


def simulated(**options):
    options = {"resolution_amperes": 5e-9, "dead": (2,)} | options
    return SimulatedNeuronArray(POPULATION, Readout(read_noise=1e-4), **options)


def recorded(**options):
    return RecordedNeuronArray(simulated(**options), NullSink())


def plain_functions(**options):
    """The simulated array as it runs on an accelerator: without the compiled kernel."""
    return simulated(**options)


RUNTIMES = {"simulated": simulated, "recorded": recorded, "plain-functions": plain_functions}


@pytest.fixture(params=RUNTIMES)
def make(request, monkeypatch):
    if request.param == "plain-functions":
        monkeypatch.setattr(kernel, "reaches", lambda values: False)
    return RUNTIMES[request.param]


def stimuli(batch, count=COUNT, seed=0):
    grid = np.arange(batch * count, dtype=float).reshape(batch, count)
    return 60e-6 * np.abs(np.sin(grid + seed))


def test_shapes_dtypes_and_flags(make):
    array = make()
    assert len(array) == COUNT and array.name == "neurons"
    reading = array.respond(stimuli(7))
    assert reading.volts.shape == reading.flags.shape == (7, COUNT)
    assert reading.volts.dtype == np.float64 and reading.flags.dtype == np.uint8
    for one in array.respond_pair(stimuli(3), stimuli(3)):
        assert one.volts.shape == one.flags.shape == (3, COUNT)


def test_saturation_is_clipped_and_flagged(make):
    array = make()
    beyond = np.full((1, COUNT), 1e-3)
    reading = array.respond(beyond)
    assert np.all(reading.flags & Flag.CLIPPED)
    at_limit = make().respond(np.full((1, COUNT), array.max_amperes))
    np.testing.assert_array_equal(reading.volts, at_limit.volts)
    assert not np.any(at_limit.flags & Flag.CLIPPED)


def test_an_open_device_is_flagged_and_no_exception(make):
    reading = make().respond(stimuli(5) + 1e-6)
    assert np.all(reading.flags[:, 2] & Flag.COMPLIANCE)
    assert not np.any(np.delete(reading.flags, 2, axis=1) & Flag.COMPLIANCE)


@pytest.mark.parametrize("bad", [np.zeros((3, COUNT + 1)), np.zeros(COUNT), np.full((1, COUNT), np.nan), 3.0])
def test_bad_stimuli_are_refused_and_no_counter_moves(make, bad):
    array = make()
    with pytest.raises(UsageError):
        array.respond(bad)
    with pytest.raises(UsageError):
        array.respond_pair(stimuli(1), bad)
    np.testing.assert_array_equal(array.respond(stimuli(2)).volts, make().respond(stimuli(2)).volts)


def test_readings_do_not_depend_on_how_batches_are_split(make):
    whole = make().respond(stimuli(10)).volts
    array = make()
    parts = [array.respond(part).volts for part in np.split(stimuli(10), [1, 4])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_partner_and_forward_devices_do_not_disturb_each_other(make):
    alone, both = make(), make()
    both.respond_pair(stimuli(3), stimuli(3, seed=1))
    alone.respond(stimuli(3))
    np.testing.assert_array_equal(alone.respond(stimuli(2)).volts, both.respond(stimuli(2)).volts)


def test_a_pair_is_two_different_devices(make):
    forward, partner = make().respond_pair(stimuli(20), stimuli(20))
    assert np.mean(np.abs(forward.volts - partner.volts)) > 1e-3


def test_views_share_counters_and_give_the_same_neurons(make):
    order = [4, 0, 5]
    whole, array = make(), make()
    view = array.select(order)
    first = whole.respond(stimuli(3))
    np.testing.assert_array_equal(view.respond(stimuli(3)[:, order]).volts, first.volts[:, order])
    # The view advanced the counters of its three neurons in the array, and of no other.
    rest = array.respond(stimuli(3)).volts
    np.testing.assert_array_equal(rest[:, [1, 3]], first.volts[:, [1, 3]])
    np.testing.assert_array_equal(rest[:, order], whole.respond(stimuli(3)).volts[:, order])
    nested = view.select([1])
    assert len(nested) == 1 and nested.respond(stimuli(2, 1)).volts.shape == (2, 1)


@pytest.mark.parametrize("bad", [[COUNT], [-1], [0, 0]])
def test_views_of_no_such_neuron_are_refused(make, bad):
    with pytest.raises(UsageError):
        make().select(bad)


def test_state_is_all_that_a_resumed_run_needs(make):
    array = make()
    array.respond_pair(stimuli(3), stimuli(3))
    state = array.state_dict()
    expected = array.respond_pair(stimuli(4), stimuli(4))
    resumed = make()
    resumed.load_state_dict(state)
    again = resumed.respond_pair(stimuli(4), stimuli(4))
    for one, other in zip(expected, again, strict=True):
        np.testing.assert_array_equal(one.volts, other.volts)


def test_tensors_answer_as_arrays_do(make):
    numbers, tensors = make(), make()
    expected = numbers.respond(stimuli(5))
    reading = tensors.respond(torch.from_numpy(stimuli(5)))
    assert reading.volts.dtype == torch.float64 and reading.flags.dtype == torch.uint8
    np.testing.assert_allclose(reading.volts.numpy(), expected.volts, rtol=1e-12)
    np.testing.assert_array_equal(reading.flags.numpy(), expected.flags)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_simulated_arrays_run_on_cuda():
    expected = simulated().respond(stimuli(64))
    reading = simulated().respond(torch.from_numpy(stimuli(64)).cuda())
    assert reading.volts.is_cuda
    np.testing.assert_allclose(reading.volts.cpu().numpy(), expected.volts, rtol=1e-10, atol=1e-9)
    np.testing.assert_array_equal(reading.flags.cpu().numpy(), expected.flags)


# The simulated array against the physics


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40))
def test_the_kernel_equals_the_plain_functions(seed, batch):
    amperes = stimuli(batch, seed=seed)
    fast = simulated().respond(amperes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "reaches", lambda values: False)
        plain = simulated().respond(amperes)
    np.testing.assert_allclose(fast.volts, plain.volts, rtol=1e-12, atol=1e-11)
    np.testing.assert_array_equal(fast.flags, plain.flags)


def test_noise_has_the_stated_mean_and_spread():
    """20,000 readings a neuron: mean within 5 standard errors, spread within 5 % (10 standard errors)."""
    array = SimulatedNeuronArray(POPULATION, Readout(seconds=2e-4, read_noise=2e-4))
    n, amperes = 20_000, 30e-6
    volts = array.respond(np.full((n, COUNT), amperes)).volts
    parameters = POPULATION.take(slice(0, None, 2))
    sigma = np.hypot(neuron.window_noise(parameters, amperes, 2e-4), 2e-4)
    error = volts.mean(axis=0) - neuron.mean_voltage(parameters, amperes)
    assert np.all(np.abs(error) < 5 * sigma / np.sqrt(n))
    np.testing.assert_allclose(volts.std(axis=0), sigma, rtol=0.05)


def test_the_derivative_is_the_slope_of_the_noiseless_response():
    array = SimulatedNeuronArray(POPULATION, dead=(2,))
    slope = array.derivative(stimuli(4))
    expected = neuron.slope(POPULATION.take(slice(0, None, 2)), stimuli(4))
    expected[:, 2] = 0.0
    np.testing.assert_array_equal(slope, expected)


def test_a_converter_gives_its_steps_and_flags_overrange():
    readout = Readout(range_volts=0.2, adc_bits=8)
    reading = SimulatedNeuronArray(POPULATION, readout).respond(stimuli(50))
    steps = reading.volts / readout.step_volts
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert np.any(reading.flags & Flag.OVERRANGE) and np.max(np.abs(reading.volts)) <= 0.2


@pytest.mark.parametrize(
    "options",
    [
        {"seconds": 0.0},
        {"read_noise": -1.0},
        {"adc_bits": 8},
        {"range_volts": 0.0},
        {"seconds": float("nan")},
    ],
)
def test_impossible_voltmeters_are_refused(options):
    with pytest.raises(UsageError):
        Readout(**options)


def test_an_odd_population_is_refused():
    with pytest.raises(UsageError, match="pairs"):
        SimulatedNeuronArray(draw("mtj-neuron", 1, 3))


# Recording and replay


def _run(array):
    view = array.select([5, 1])
    return [
        array.respond(stimuli(4)).volts,
        *(reading.volts for reading in array.respond_pair(stimuli(2), stimuli(2, seed=1))),
        view.respond(stimuli(3, 2)).volts,
        array.respond(stimuli(1)).flags,
    ]


def test_a_replay_answers_bit_for_bit(record):
    expected = _run(RecordedNeuronArray(simulated(), record))
    replayed = ReplayedNeuronArray(record, "neurons")
    assert len(replayed) == COUNT and replayed.max_amperes == 60e-6 and replayed.resolution_amperes == 5e-9
    for one, other in zip(expected, _run(replayed), strict=True):
        assert one.tobytes() == other.tobytes() and one.dtype == other.dtype


def test_a_replay_fails_naming_the_exchange(record):
    array = RecordedNeuronArray(simulated(), record)
    array.respond(stimuli(2))
    array.respond_pair(stimuli(2), stimuli(2))

    def replayed():
        return ReplayedNeuronArray(record, "neurons")

    with pytest.raises(ReplayMismatch, match=r"exchange 1 .*amperes\[0, 1\]") as caught:
        replayed().respond(stimuli(2) * np.array([1, 1.001] + [1] * (COUNT - 2)))
    assert caught.value.first["exchange"] == 1 and caught.value.first["seq"] == 2
    with pytest.raises(ReplayMismatch, match="'respond' is recorded"):
        replayed().respond_pair(stimuli(2), stimuli(2))
    with pytest.raises(ReplayMismatch, match="shape"):
        replayed().respond(stimuli(3))
    with pytest.raises(ReplayMismatch, match="indices"):
        replayed().select([1, 0, 2, 3, 4, 5]).respond(stimuli(2))
    finished = replayed()
    _ = finished.respond(stimuli(2)), finished.respond_pair(stimuli(2), stimuli(2))
    with pytest.raises(ReplayMismatch, match="ends after 3"):
        finished.respond(stimuli(2))


def test_a_tolerance_admits_and_reports_small_deviations(record):
    RecordedNeuronArray(simulated(), record).respond(stimuli(2))
    replayed = ReplayedNeuronArray(record, "neurons", tolerance=1e-9)
    replayed.respond(stimuli(2) + 5e-10)
    assert replayed.largest_deviation == pytest.approx(5e-10)


def test_replaying_what_was_not_recorded_is_refused(record):
    with pytest.raises(DataError, match="'synapses'"):
        ReplayedNeuronArray(record, "synapses")


def test_a_sealed_session_replays_bit_for_bit(tmp_path):
    file = tmp_path / "run.h5"
    session = Session.create(file, start={"command": "test"})
    expected = _run(RecordedNeuronArray(simulated(), session))
    session.seal("complete")
    with Recording.open(file) as recording:
        for one, other in zip(expected, _run(ReplayedNeuronArray(recording, "neurons")), strict=True):
            assert one.tobytes() == other.tobytes() and one.dtype == other.dtype
