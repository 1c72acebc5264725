"""Memristor cells, telegraph formulas and crossbars: laws and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.physics import memristor, telegraph
from labtrain.physics.crossbar import Crossbar, sneak_resistance
from labtrain.populations.memristor import MEMRISTOR
from labtrain.populations.smtj import S_MTJ

CELL = MEMRISTOR.draw(1, 1).cell(0)
VTEAM = {"v_off": 0.4, "v_on": -0.5, "k_off": 80.0, "k_on": -40.0, "a_off": 3.0, "a_on": 2.0}
YAKOPCIC = {
    "a1": 0.17, "a2": 0.17, "b": 0.05, "v_p": 0.16, "v_n": 0.15, "a_p": 4000.0, "a_n": 4000.0,
    "x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 5.0, "eta": 1.0,
}  # fmt: skip

SIEMENS = st.floats(4e-6, 225e-6)


@given(siemens=SIEMENS, polarity=st.sampled_from([-1, 0, 1]), xi=st.floats(-3, 3))
def test_pulses_stay_inside_the_bounds_and_slow_towards_them(siemens, polarity, xi):
    after = memristor.soft_bounds_step(CELL, siemens, polarity, xi)
    assert CELL["g_min"] <= after <= CELL["g_max"]
    if polarity == 0:
        assert after == siemens
    middle = 0.5 * (CELL["g_min"] + CELL["g_max"])
    near_top = memristor.soft_bounds_step(CELL, 0.95 * CELL["g_max"], 1) - 0.95 * CELL["g_max"]
    assert 0 < near_top < memristor.soft_bounds_step(CELL, middle, 1) - middle


def test_relaxation_is_largest_at_a_third_of_the_range_and_grows_with_log_time():
    g = np.linspace(4e-6, 225e-6, 12)
    loss = g - memristor.relaxed(CELL, g, 1800.0, 0.0)
    assert loss.argmax() in (3, 4) and loss.max() == pytest.approx(21e-6, rel=0.1)
    assert np.all(memristor.relaxed(CELL, g, 1e4, 0.0) <= memristor.relaxed(CELL, g, 10.0, 0.0) + 1e-18)
    np.testing.assert_array_equal(memristor.relaxed(CELL, g, 0.0, 1.0), g)


def test_defaults_beside_the_measured_spreads():
    """Retention targets 30 min at 50-100 uS: -21 +- 21 uS; read noise sigma lnR 0.003; 20,000 draws, 3 %."""
    xi = noise.normal(1, 2, 3, np.arange(20_000))
    change = memristor.relaxed(CELL, np.full(20_000, 75e-6), 1800.0, xi) - 75e-6
    assert change.mean() == pytest.approx(-21e-6, rel=0.05) and change.std() == pytest.approx(21e-6, rel=0.05)
    lnr = -np.log(memristor.read(CELL, np.full(20_000, 1e-4), xi))
    assert lnr.std() == pytest.approx(0.003, rel=0.03)


def test_stuck_cells_are_the_stated_share():
    p = MEMRISTOR.draw(1, 20_000, {"stuck": 0.04}).parameters
    assert p["stuck"].mean() == pytest.approx(0.04, abs=5 * np.sqrt(0.04 / 20_000))
    low = p["g_start"][p["stuck"] > 0] == CELL["g_min"]
    assert low.mean() == pytest.approx(0.5, abs=0.1)


@given(volts=st.floats(-2, 2), x=st.floats(0, 1), seconds=st.floats(0, 1e-1))
def test_vteam_has_thresholds_and_is_exact_in_time(volts, x, seconds):
    rate = memristor.vteam_rate(VTEAM, volts)
    if VTEAM["v_on"] <= volts <= VTEAM["v_off"]:
        assert rate == 0
    else:
        assert np.sign(rate) == np.sign(volts)
    twice = memristor.vteam_state(
        VTEAM, memristor.vteam_state(VTEAM, x, volts, seconds / 2), volts, seconds / 2
    )
    assert memristor.vteam_state(VTEAM, x, volts, seconds) == pytest.approx(twice, abs=1e-12)


@given(volts=st.floats(-1, 1), x=st.floats(0.01, 0.99))
def test_yakopcic_rate_has_thresholds_and_the_sign_of_the_voltage(volts, x):
    rate = memristor.yakopcic_rate(YAKOPCIC, x, volts)
    if -YAKOPCIC["v_n"] <= volts <= YAKOPCIC["v_p"]:
        assert rate == 0
    else:
        assert rate * volts > 0
    assert memristor.yakopcic_current(YAKOPCIC, x, volts) * volts >= 0


def test_yakopcic_loop_is_pinched_and_bounded():
    def rate(t, x):
        return memristor.yakopcic_rate(YAKOPCIC, np.clip(x, 0.0, 1.0), 0.45 * np.sin(2 * np.pi * 100 * t))

    run = solve_ivp(rate, (0, 0.02), [0.11], max_step=5e-5)
    assert np.all((run.y > -1e-6) & (run.y < 1 + 1e-6)) and np.ptp(run.y) > 0.1


DEVICE = S_MTJ.draw(1, 1).cell(0)


@given(volts=st.floats(-0.4, 0.4), interval=st.floats(1e-7, 1e-1))
def test_telegraph_formulas_agree_with_each_other(volts, interval):
    parallel, antiparallel = telegraph.dwell_times(DEVICE, volts)
    p = telegraph.antiparallel_probability(DEVICE, volts)
    assert p == pytest.approx(antiparallel / (parallel + antiparallel), rel=1e-9, abs=1e-14)
    low, high = telegraph.thresholds(DEVICE, volts, interval)
    assert 0 <= low <= high <= 1 + 1e-12
    # The chain's stationary distribution is p: low / (1 - (high - low)) = p.
    if high - low < 1 - 1e-9:
        assert low / (1 - (high - low)) == pytest.approx(p, rel=1e-6, abs=1e-12)


def test_dwell_samples_are_exponential():
    from scipy import stats

    samples = telegraph.dwell_sample(1e-4, noise.uniform(1, 2, 3, np.arange(20_000)))
    assert stats.kstest(samples, stats.expon(scale=1e-4).cdf).pvalue > 1e-3


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), segment=st.floats(0.1, 10), seed=st.integers(0, 99))
def test_a_crossbar_obeys_kirchhoff_and_both_solvers_agree(rows, columns, segment, seed):
    cells = np.arange(rows * columns).reshape(rows, columns)
    siemens = 4e-6 + 2e-4 * noise.uniform(seed, 1, cells, 0)
    volts = noise.uniform(seed, 2, np.arange(rows), np.arange(3)[:, None])
    crossbar = Crossbar(siemens, segment, 50.0, 20.0)
    row_nodes, column_nodes = crossbar.node_voltages(volts)
    currents = crossbar.multiply(volts)
    np.testing.assert_allclose(currents, column_nodes[:, -1] / 20.0, rtol=1e-9)
    delivered = ((volts - row_nodes[:, :, 0]) / 50.0).sum(axis=1)
    np.testing.assert_allclose(delivered, currents.sum(axis=1), rtol=1e-9)
    assert np.all(currents <= volts @ siemens)


def test_without_line_resistance_it_is_the_matrix_product():
    siemens = 1e-4 * noise.uniform(1, 1, np.arange(48).reshape(8, 6), 0)
    volts = np.linspace(-0.2, 0.2, 16).reshape(2, 8)
    currents = Crossbar(siemens, 1e-3, 1e-3, 1e-3).multiply(volts)
    np.testing.assert_allclose(currents, volts @ siemens, rtol=1e-5)


def test_reciprocity():
    """Driving columns and sensing rows of the mirrored array gives the same transfer."""
    siemens = 1e-4 * noise.uniform(2, 1, np.arange(30).reshape(5, 6), 0)
    forward = Crossbar(siemens, 3.0, 50.0, 20.0).transfer
    mirrored = Crossbar(siemens[::-1, ::-1].T.copy(), 3.0, 20.0, 50.0).transfer
    np.testing.assert_allclose(forward, mirrored.T[::-1, ::-1], rtol=1e-9)


def test_impossible_crossbars_are_refused():
    for siemens, segment in (
        (np.full((2, 2), -1e-6), 1.0),
        (np.full((2, 2), np.nan), 1.0),
        (np.ones((2, 2)), 0.0),
    ):
        with pytest.raises(UsageError):
            Crossbar(siemens, segment)
    assert sneak_resistance(11, 1e4) == pytest.approx(2100.0)
