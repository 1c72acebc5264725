"""Open-loop writes: gain, cycle noise, asymmetry, soft bounds, levels, wear; off unless asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.arrays.neurons import Flag
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.clock import VirtualClock
from labtrain.physics import memristor
from labtrain.populations.memristor import MEMRISTOR

PLAIN = MEMRISTOR.draw(1, 1).cell(0)
LOW, HIGH = PLAIN["g_min"], PLAIN["g_max"]
SIEMENS = st.floats(LOW, HIGH)
CHANGE = st.floats(-50e-6, 50e-6)
NORMAL = st.floats(-4, 4)
KINDS = st.fixed_dictionaries(
    {
        "write_gain": st.floats(0.1, 3),
        "write_cycle": st.floats(0, 1),
        "asymmetry": st.floats(-0.99, 0.99),
        "soft_bounds": st.floats(0, 1),
        "levels": st.sampled_from([0, 2, 3, 64]),
    }
)


@given(SIEMENS, CHANGE, NORMAL, NORMAL)
def test_by_default_a_write_changes_a_cell_by_what_was_asked_for_and_an_error(siemens, change, xi, cycle):
    after = memristor.written(PLAIN, siemens, change, xi, cycle)
    assert after == np.clip(siemens + change + PLAIN["write_noise"] * xi, LOW, HIGH)


@given(KINDS, SIEMENS, CHANGE, NORMAL, NORMAL)
def test_no_write_leaves_the_bounds_or_the_levels(kind, siemens, change, xi, cycle):
    after = float(memristor.written(PLAIN | kind, siemens, change, xi, cycle))
    assert LOW <= after <= HIGH * (1 + 1e-15)
    if kind["levels"]:
        place = (after - LOW) / (HIGH - LOW) * (kind["levels"] - 1)
        assert place == pytest.approx(round(place), abs=1e-9)


@given(KINDS, SIEMENS, CHANGE)
def test_without_noise_no_cell_moves_against_what_was_asked_for(kind, siemens, change):
    quiet = PLAIN | kind | {"write_noise": 0.0, "levels": 0}
    assert (float(memristor.written(quiet, siemens, change, 0.0)) - siemens) * change >= 0


@given(st.floats(0, 1), st.floats(0.01, 0.49), st.floats(1e-9, 1e-7))
def test_soft_bounds_shrink_a_change_with_its_headroom_and_not_at_mid_window(soft, place, size):
    cell = PLAIN | {"write_noise": 0.0, "soft_bounds": soft}

    def change(at, signed):
        siemens = LOW + at * (HIGH - LOW)
        return float(memristor.written(cell, siemens, signed, 0.0)) - siemens

    assert change(0.5, size) == pytest.approx(size, rel=1e-6)
    assert change(0.5, -size) == pytest.approx(-size, rel=1e-6)
    # Mirror images, and what one direction loses the other gains.
    assert change(place, size) == pytest.approx(-change(1 - place, -size), rel=1e-5)
    assert change(place, size) - change(place, -size) == pytest.approx(2 * size, rel=1e-5)


@given(st.floats(-0.9, 0.9), st.floats(1e-9, 1e-5))
def test_asymmetric_cells_go_further_one_way(lean, size):
    cell = PLAIN | {"write_noise": 0.0, "asymmetry": lean}
    up, down = (float(memristor.written(cell, 1e-4, signed, 0.0)) - 1e-4 for signed in (size, -size))
    assert up == pytest.approx((1 + lean) * size, rel=1e-6)
    assert down == pytest.approx(-(1 - lean) * size, rel=1e-6)


def test_gain_spread_and_cycle_noise_are_as_stated():
    """20,000 cells: spreads within 5 %, five of their standard errors."""
    cells = MEMRISTOR.draw(3, 20_000, {"gain_spread": 0.2, "write_cycle": 0.3, "write_noise": 0.0})
    gain = cells.parameters["write_gain"]
    assert np.log(gain).std() == pytest.approx(0.2, rel=0.05)
    array = SimulatedSynapseArray(cells, (100, 200))
    moved = []
    for signed in (1e-6, -1e-6):
        before = np.array(array.state_dict()["siemens"])
        array.program(np.full((100, 200), signed), np.ones((100, 200), bool))
        moved.append((np.array(array.state_dict()["siemens"]) - before).ravel() / signed / gain)
    assert moved[0].std() == pytest.approx(0.3, rel=0.05)
    assert abs(np.corrcoef(*moved)[0, 1]) < 5 / np.sqrt(20_000), "every write has its own"


def test_lives_are_weibull_and_worn_cells_keep_still_and_say_so():
    lives = MEMRISTOR.draw(3, 20_000, {"endurance": 1000, "endurance_shape": 3}).parameters["endurance"]
    assert (lives <= 1000).mean() == pytest.approx(1 - np.exp(-1), abs=5 * 0.5 / np.sqrt(20_000))
    cells = MEMRISTOR.draw(3, 50, {"endurance": 10, "write_noise": 1e-6})
    array, everywhere = SimulatedSynapseArray(cells, (5, 10)), np.ones((5, 10), bool)
    lives = cells.parameters["endurance"].reshape(5, 10)
    for write in range(int(lives.max()) + 2):
        before = np.array(array.state_dict()["siemens"])
        flags = array.program(np.full((5, 10), 1e-6), everywhere)
        after = np.array(array.state_dict()["siemens"])
        np.testing.assert_array_equal(after == before, write >= lives)
        np.testing.assert_array_equal((flags & Flag.STUCK) > 0, write >= lives)
    assert not MEMRISTOR.draw(3, 50).parameters["endurance"].any()


EVERYTHING = {
    "mismatch": 0.1,
    "gain_spread": 0.1,
    "write_cycle": 0.2,
    "asymmetry": 0.2,
    "soft_bounds": 0.5,
    "levels": 64,
    "endurance": 6,
    "stuck": 0.05,
}


def test_cells_of_every_fault_go_on_bit_for_bit():
    clock = VirtualClock()
    change = 20e-6 * np.cos(np.arange(24.0)).reshape(4, 6)

    def fresh():
        return SimulatedSynapseArray(MEMRISTOR.draw(5, 24, EVERYTHING, "cells"), (4, 6), clock=clock)

    def live(array, steps):
        seen = []
        for step in steps:
            clock.sleep(10.0)
            array.program(change * (-1) ** step, change > -1e-5 * step)
            seen.append(array.conductance().siemens)
        return seen

    whole = live(fresh(), range(8))
    clock = VirtualClock()
    first = fresh()
    live(first, range(3))
    state, second = first.state_dict(), fresh()
    second.load_state_dict(state)
    np.testing.assert_array_equal(live(second, range(3, 8)), whole[3:])


def test_without_a_clock_nothing_relaxes_and_with_one_cells_do_as_stated():
    cells = MEMRISTOR.draw(5, 400, {"read_noise": 0.0, "read_flicker": 0.0}, "cells")
    clock = VirtualClock()
    still, passing = (SimulatedSynapseArray(cells, (20, 20), clock=one) for one in (None, clock))
    clock.sleep(1800.0)
    start = cells.parameters["g_start"].reshape(20, 20)
    np.testing.assert_array_equal(still.conductance().siemens, start)
    lost = start - passing.conductance().siemens
    mean = PLAIN["relax_mean"] * memristor.relaxation_course(PLAIN["g_max"], 100e-6, 1800.0)
    assert lost.mean() == pytest.approx(mean, abs=5 * lost.std() / 20)
    one_more = passing.conductance().siemens
    np.testing.assert_allclose(one_more, start - lost, rtol=1e-12)
