"""One contract for every runtime of the switch role, and the simulated one against its physics."""

import numpy as np
import pytest
import torch
from scipy import stats

from labtrain.arrays.neurons import Flag
from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.replayed_roles import ReplayedSwitchArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.physics import sot
from labtrain.populations import draw
from labtrain.session import NullSink

COUNT, SECONDS = 5, 3e-9
POPULATION = draw("sot-mtj", 2, COUNT, {"mismatch": 0.03}, "switches")


def simulated(**options):
    return SimulatedSwitchArray(POPULATION, **({"dead": (3,), "resolution_volts": 1e-3} | options))


def recorded(**options):
    return RecordedSwitchArray(simulated(**options), NullSink())


@pytest.fixture(params=[simulated, recorded])
def make(request):
    return request.param


def pulses(batch, count=COUNT):
    return 0.63 * np.ones((batch, count)) * np.where(np.arange(batch) % 2, -1.05, 1.0)[:, None]


def test_shapes_and_types(make):
    outcome = make().attempt(pulses(7), SECONDS)
    assert outcome.switched.shape == outcome.flags.shape == (7, COUNT)
    assert outcome.switched.dtype == np.bool_ and outcome.flags.dtype == np.uint8


def test_attempts_do_not_depend_on_batches_or_on_other_devices(make):
    whole = make().attempt(pulses(40), SECONDS).switched
    array = make()
    parts = [array.attempt(part, SECONDS).switched for part in np.split(pulses(40), [1, 2, 17])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    view = make().select([4, 1])
    np.testing.assert_array_equal(view.attempt(pulses(40, 2), SECONDS).switched, whole[:, [4, 1]])


def test_saturation_open_devices_and_bad_input(make):
    outcome = make().attempt(np.full((4, COUNT), 9.0), SECONDS)
    assert np.all(outcome.flags & Flag.CLIPPED)
    alive = [0, 1, 2, 4]
    assert np.all(outcome.switched[:, alive]) and not np.any(outcome.switched[:, 3])
    assert np.all(outcome.flags[:, 3] & Flag.COMPLIANCE) and np.all(outcome.flags[:, 3] & Flag.STUCK)
    assert not np.any(outcome.flags[:, alive] & Flag.STUCK)
    for bad in (np.zeros((2, COUNT - 1)), np.full((2, COUNT), np.nan)):
        with pytest.raises(UsageError):
            make().attempt(bad, SECONDS)
    with pytest.raises(UsageError):
        make().attempt(pulses(2), 1.0)


def test_state_is_all_that_a_resumed_run_needs(make):
    array = make()
    array.attempt(pulses(9), SECONDS)
    state, expected = array.state_dict(), array.attempt(pulses(20), SECONDS)
    resumed = make()
    resumed.load_state_dict(state)
    np.testing.assert_array_equal(resumed.attempt(pulses(20), SECONDS).switched, expected.switched)
    with pytest.raises(UsageError):
        SimulatedSwitchArray(draw("sot-mtj", 2, 2)).load_state_dict(state)


def test_tensors_answer_as_arrays_do(make):
    outcome = make().attempt(torch.from_numpy(pulses(30)), SECONDS)
    assert outcome.switched.dtype == torch.bool
    np.testing.assert_array_equal(outcome.switched.numpy(), make().attempt(pulses(30), SECONDS).switched)


@pytest.mark.parametrize("volts", [0.6, 0.63, -0.65])
def test_switching_frequencies_are_the_probability(volts):
    """20,000 attempts a device: inside the binomial 99.99 % band, fixed seed."""
    n = 20_000
    switched = simulated(dead=()).attempt(np.full((n, COUNT), volts), SECONDS).switched
    p = sot.switching_probability(POPULATION.parameters, np.full(COUNT, volts), SECONDS)
    low, high = stats.binom.interval(0.9999, n, p)
    counts = switched.sum(axis=0)
    assert np.all((low <= counts) & (counts <= high))


def test_a_weak_reset_is_noticed():
    """With a reset that mostly fails, no pulse is given to an unverified device."""
    array = simulated(reset_volts=0.55, dead=())
    outcome = array.attempt(np.full((50, COUNT), 1.0), SECONDS)
    unverified = (outcome.flags & Flag.STUCK) > 0
    assert np.any(unverified) and not np.any(outcome.switched & unverified)
    # One pulse for a failed reset, two for an attempt.
    pulses_given = np.array(array.state_dict()["pulses"])
    np.testing.assert_array_equal(pulses_given, 100 - unverified.sum(axis=0))


@pytest.mark.parametrize("options", [{"max_volts": 0.0}, {"reset_volts": 2.0}, {"dead": (9,)}])
def test_impossible_arrays_are_refused(options):
    with pytest.raises(UsageError):
        simulated(**options)


def test_a_replay_answers_bit_for_bit(record):
    array = RecordedSwitchArray(simulated(), record)
    expected = [array.attempt(pulses(8), SECONDS), array.select([2]).attempt(pulses(3, 1), SECONDS)]
    replayed = ReplayedSwitchArray(record, "switches")
    got = [replayed.attempt(pulses(8), SECONDS), replayed.select([2]).attempt(pulses(3, 1), SECONDS)]
    for one, other in zip(expected, got, strict=True):
        assert one.switched.tobytes() == other.switched.tobytes()
        assert one.flags.tobytes() == other.flags.tobytes()
    with pytest.raises(ReplayMismatch, match="seconds"):
        ReplayedSwitchArray(record, "switches").attempt(pulses(8), 4e-9)
