"""One contract for every runtime of the synapse role, and the simulated one against its physics."""

import numpy as np
import pytest
import torch

from labtrain.arrays.neurons import Flag
from labtrain.arrays.recorded_synapses import RecordedSynapseArray
from labtrain.arrays.replayed_roles import ReplayedSynapseArray
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.populations.memristor import MEMRISTOR
from labtrain.session import NullSink

SHAPE = (6, 4)
POPULATION = MEMRISTOR.draw(5, 24, {"mismatch": 0.1, "stuck": 0.2}, "synapses")


def simulated(population=POPULATION, shape=SHAPE):
    return SimulatedSynapseArray(population, shape)


def recorded():
    return RecordedSynapseArray(simulated(), NullSink())


@pytest.fixture(params=[simulated, recorded])
def make(request):
    return request.param


def voltages(batch):
    return 0.2 * np.sin(np.arange(batch * SHAPE[0], dtype=float)).reshape(batch, SHAPE[0])


CHANGE = 20e-6 * np.cos(np.arange(24.0)).reshape(SHAPE)


def test_shapes(make):
    array = make()
    assert array.conductance().siemens.shape == SHAPE
    product = array.multiply(voltages(40))
    assert product.amperes.shape == product.flags.shape == (40, SHAPE[1])
    assert array.program(CHANGE, CHANGE > 0).shape == SHAPE


def test_a_product_is_the_matrix_product_within_read_noise(make):
    """0.3 % noise of 24 independent readings: six standard deviations."""
    amperes = make().multiply(voltages(100)).amperes
    g = POPULATION.parameters["g_start"].reshape(SHAPE)
    spread = 0.003 * np.sqrt((voltages(100) ** 2) @ g**2)
    assert np.all(np.abs(amperes - voltages(100) @ g) < 6 * spread + 1e-15)


def test_cells_that_are_not_chosen_are_not_read(make):
    mask = CHANGE > 0
    some, whole = make(), make()
    read, all_read = some.conductance(mask), whole.conductance()
    np.testing.assert_array_equal(read.siemens[mask], all_read.siemens[mask])
    assert np.isnan(read.siemens[~mask]).all() and not read.flags.any()
    # The next read is the first of the cells left out, the second of the others.
    again, second = some.conductance().siemens, whole.conductance().siemens
    np.testing.assert_array_equal(again[~mask], all_read.siemens[~mask])
    np.testing.assert_array_equal(again[mask], second[mask])


def test_products_do_not_depend_on_batches(make):
    whole = make().multiply(voltages(40)).amperes
    array = make()
    parts = np.concatenate([array.multiply(part).amperes for part in np.split(voltages(40), [3, 20])])
    np.testing.assert_allclose(whole, parts, rtol=1e-12)


def test_only_masked_cells_are_written_and_stuck_ones_do_not_move(make):
    array = make()
    before = np.array(array.state_dict()["siemens"])
    mask = np.arange(24).reshape(SHAPE) % 3 == 0
    array.program(CHANGE, mask)
    after = np.array(array.state_dict()["siemens"])
    stuck = POPULATION.parameters["stuck"].reshape(SHAPE) > 0
    assert 0 < stuck.sum() < 24
    np.testing.assert_array_equal((after != before), mask & ~stuck)


def test_writes_are_right_on_average_and_spread_as_stated():
    """4,096 cells: mean within five standard errors of the change, spread within 6 %."""
    n = 64
    wide = MEMRISTOR.draw(5, n * n, {"write_noise": 2e-6}, "wide")
    array = simulated(wide, (n, n))
    array.program(np.full((n, n), 30e-6), np.ones((n, n), bool))
    change = np.array(array.state_dict()["siemens"]) - wide.parameters["g_start"].reshape(n, n)
    assert abs(change.mean() - 30e-6) < 5 * 2e-6 / n
    assert change.std() == pytest.approx(2e-6, rel=0.06)


def test_bounds_hold_and_are_flagged(make):
    array = make()
    flags = array.program(np.full(SHAPE, 1.0), np.ones(SHAPE, bool))
    free = POPULATION.parameters["stuck"].reshape(SHAPE) == 0
    assert np.all(flags[free] & Flag.CLIPPED)
    assert np.all(np.array(array.state_dict()["siemens"]) <= POPULATION.parameters["g_max"].reshape(SHAPE))


def test_saturation_and_bad_input(make):
    assert np.all(make().multiply(np.full((2, SHAPE[0]), 5.0)).flags & Flag.CLIPPED)
    for bad in (np.zeros((2, 5)), np.full((1, SHAPE[0]), np.nan)):
        with pytest.raises(UsageError):
            make().multiply(bad)
    with pytest.raises(UsageError):
        make().program(CHANGE[:2], CHANGE[:2] > 0)
    with pytest.raises(UsageError):
        simulated(POPULATION, (5, 5))


def test_state_is_all_that_a_resumed_run_needs(make):
    array = make()
    array.program(CHANGE, CHANGE > 0)
    array.multiply(voltages(3))
    state, expected = array.state_dict(), array.multiply(voltages(5)).amperes
    resumed = make()
    resumed.load_state_dict(state)
    np.testing.assert_array_equal(resumed.multiply(voltages(5)).amperes, expected)


def test_tensors_answer_as_arrays_do(make):
    product = make().multiply(torch.from_numpy(voltages(3)))
    np.testing.assert_array_equal(product.amperes.numpy(), make().multiply(voltages(3)).amperes)


def test_a_replay_answers_bit_for_bit(record):
    def run(array):
        flags = array.program(CHANGE, CHANGE > 0)
        return (
            flags,
            array.conductance(CHANGE > 0).siemens,
            array.conductance().siemens,
            array.multiply(voltages(3)).amperes,
        )

    expected = run(RecordedSynapseArray(simulated(), record))
    for one, other in zip(expected, run(ReplayedSynapseArray(record, "synapses")), strict=True):
        assert one.tobytes() == other.tobytes()
    with pytest.raises(ReplayMismatch, match="delta_siemens"):
        ReplayedSynapseArray(record, "synapses").program(1.1 * CHANGE, CHANGE > 0)
