"""One contract for every runtime of the bit source role; telegraph statistics of the simulated one."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from labtrain.arrays.neurons import Flag
from labtrain.arrays.recorded_bitstreams import RecordedBitstreamSource
from labtrain.arrays.replayed_roles import ReplayedBitstreamSource
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.physics import telegraph
from labtrain.populations.smtj import S_MTJ
from labtrain.session import NullSink

COUNT, INTERVAL = 4, 50e-6
POPULATION = S_MTJ.draw(3, COUNT, {"mismatch": 0.03, "v50_spread": 0.005}, "bits")
VOLTS = np.array([-0.01, 0.0, 0.01, 0.02])


def simulated():
    return SimulatedBitstreamSource(POPULATION, resolution_volts=1e-4)


def recorded():
    return RecordedBitstreamSource(simulated(), NullSink())


@pytest.fixture(params=[simulated, recorded])
def make(request):
    return request.param


def unpack(bits):
    return np.unpackbits(bits.packed, axis=1, count=bits.n_bits)


def test_shapes_types_and_padding(make):
    bits = make().sample(np.full(COUNT, 0.2), 13, INTERVAL)
    assert bits.packed.shape == (COUNT, 2) and bits.packed.dtype == np.uint8 and bits.flags.shape == (COUNT,)
    assert np.all(bits.packed[:, 1] & 0b111 == 0)
    assert unpack(bits).shape == (COUNT, 13)


def test_streams_may_be_taken_in_pieces(make):
    whole = unpack(make().sample(VOLTS, 100, INTERVAL))
    source = make()
    parts = [unpack(source.sample(VOLTS, n, INTERVAL)) for n in (1, 60, 39)]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    view = make().select([3, 0])
    np.testing.assert_array_equal(unpack(view.sample(VOLTS[[3, 0]], 100, INTERVAL)), whole[[3, 0]])


def test_saturation_and_bad_input(make):
    assert np.all(make().sample(np.full(COUNT, 3.0), 8, INTERVAL).flags & Flag.CLIPPED)
    for volts, n_bits, interval in [
        (np.zeros(COUNT + 1), 8, INTERVAL),
        (np.full(COUNT, np.nan), 8, INTERVAL),
        (np.zeros((2, COUNT)), 8, INTERVAL),
        (VOLTS, -1, INTERVAL),
        (VOLTS, 8, 0.0),
        (VOLTS, 8, float("nan")),
    ]:
        with pytest.raises(UsageError):
            make().sample(volts, n_bits, interval)


def test_state_is_all_that_a_resumed_run_needs(make):
    source = make()
    source.sample(VOLTS, 77, INTERVAL)
    state, expected = source.state_dict(), source.sample(VOLTS, 50, INTERVAL).packed
    resumed = make()
    resumed.load_state_dict(state)
    np.testing.assert_array_equal(resumed.sample(VOLTS, 50, INTERVAL).packed, expected)
    with pytest.raises(UsageError):
        SimulatedBitstreamSource(S_MTJ.draw(1, 1)).load_state_dict(state)


def test_tensors_answer_as_arrays_do(make):
    bits = make().sample(torch.from_numpy(VOLTS), 64, INTERVAL)
    np.testing.assert_array_equal(bits.packed.numpy(), make().sample(VOLTS, 64, INTERVAL).packed)


def _long_stream(n=1_000_000):
    device = S_MTJ.draw(3, 1, {}, "one")
    parameters = device.cell(0)
    interval = 0.5 * float(telegraph.correlation_time(parameters, 0.01))
    bits = unpack(SimulatedBitstreamSource(device).sample(np.array([0.01]), n, interval))[0]
    return bits, parameters, interval


def test_duty_cycle_autocorrelation_and_dwell_times_over_a_million_samples():
    """Each inside its 99 % band (fixed seed): mean, autocorrelation at five lags, both mean dwell times."""
    bits, parameters, interval = _long_stream()
    n, z = len(bits), stats.norm.isf(0.005)
    p = float(telegraph.antiparallel_probability(parameters, 0.01))
    rho = math.exp(-interval / float(telegraph.correlation_time(parameters, 0.01)))
    effective = n * (1 - rho) / (1 + rho)
    assert abs(bits.mean() - p) < z * math.sqrt(p * (1 - p) / effective)
    x = bits - p
    for lag in (1, 2, 3, 5, 8):
        # Blocks of 10,000 samples are independent for all that matters: their spread gives the band.
        products = (x[:-lag] * x[lag:])[: n // 10_000 * 10_000 - 10_000].reshape(-1, 10_000).mean(axis=1)
        error = products.mean() - p * (1 - p) * rho**lag
        assert abs(error) < z * products.std(ddof=1) / math.sqrt(len(products))
    edges = np.flatnonzero(np.diff(bits))
    runs, states = np.diff(edges), bits[edges[:-1] + 1]
    for state, leave in ((1, (1 - p) * (1 - rho)), (0, p * (1 - rho))):
        lengths = runs[states == state]
        assert abs(lengths.mean() - 1 / leave) < z * math.sqrt(1 - leave) / leave / math.sqrt(len(lengths))


def test_a_replay_answers_bit_for_bit(record):
    source = RecordedBitstreamSource(simulated(), record)
    expected = source.sample(VOLTS, 50, INTERVAL), source.select([1]).sample(VOLTS[:1], 9, INTERVAL)
    replayed = ReplayedBitstreamSource(record, "bits")
    got = replayed.sample(VOLTS, 50, INTERVAL), replayed.select([1]).sample(VOLTS[:1], 9, INTERVAL)
    for one, other in zip(expected, got, strict=True):
        assert one.packed.tobytes() == other.packed.tobytes() and one.n_bits == other.n_bits
    with pytest.raises(ReplayMismatch, match="n_bits"):
        ReplayedBitstreamSource(record, "bits").sample(VOLTS, 51, INTERVAL)
