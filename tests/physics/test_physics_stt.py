"""Spin-transfer switching: the Fokker-Planck reference, the table, the closed forms in their ranges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.kernels import stt_table
from labtrain.physics import stt
from labtrain.physics.fokker_planck import occupation_curves, switching_curve
from labtrain.populations.stt import STT_MTJ

DELTA, TAU_D_NS = 45.0, 1.44


@pytest.mark.parametrize(("i", "ns", "published"), [(1.5, 8, 0.950), (2.0, 4, 0.869), (3.0, 2, 0.764)])
def test_the_reference_reproduces_published_values(i, ns, published):
    assert switching_curve(DELTA, i, ns / TAU_D_NS)[0] == pytest.approx(published, abs=0.005)


@settings(max_examples=15, deadline=None)
@given(i=st.floats(0.3, 4), delta=st.floats(20, 90))
def test_switching_grows_with_time_and_probability_is_conserved(i, delta):
    p = switching_curve(delta, i, np.geomspace(0.1, 1e3, 12), cells=200, steps=50)
    assert np.all(np.diff(p) >= -1e-9) and np.all((p >= 0) & (p <= 1 + 1e-9))


def test_without_current_equilibrium_is_half():
    """Both wells alike: after many switching times half of the devices have switched."""
    assert switching_curve(10.0, 0.0, 1e6, steps=2000)[0] == pytest.approx(0.5, abs=1e-3)


def test_resolution_is_converged():
    coarse, fine = (switching_curve(DELTA, 1.5, 8 / TAU_D_NS, cells=n, steps=n)[0] for n in (400, 1600))
    assert abs(coarse - fine) < 0.005


def _reference_points():
    """Currents and widths over the whole range: 0.5-100 tau_D above I_c, up to 1 ms below."""
    for delta in (30.0, 45.0, 63.0):
        for i in np.concatenate([np.linspace(0.25, 0.95, 5), np.linspace(1.05, 5.05, 5)]):
            longest = 100.0 if i > 1 else 7e5
            taus = np.geomspace(0.5, longest, 30)
            yield delta, i, taus, switching_curve(delta, float(i), taus, cells=400, steps=60)


def test_the_table_is_the_reference_everywhere():
    """|dP| <= 0.03 where P is 0.02-0.98; ln(rate) within 10 % (as a rate) in the lower tail."""
    used = 0
    for delta, i, taus, reference in _reference_points():
        table = stt_table.probability(delta, i, taus)
        middle = (reference > 0.02) & (reference < 0.98)
        used += middle.sum()
        assert np.all(np.abs(table - reference)[middle] < 0.03), (delta, i)
        tail = (reference > 1e-9) & (reference <= 0.02)
        rates = [np.log(-np.log1p(-p[tail])) for p in (table, reference)]
        np.testing.assert_allclose(rates[0], rates[1], rtol=0.1, err_msg=str((delta, i)))
    assert used > 60


@pytest.mark.parametrize("curves", [24, pytest.param(150, marks=pytest.mark.slow)])
def test_between_its_grid_points_the_table_is_the_reference_too(curves):
    """Random devices and currents (fixed addresses): there a spline's bends show, as nowhere on the grid.

    Half of the devices are weak ones, which switch back: Delta 20-40, currents down to 0.
    """
    used = 0
    for k in range(curves):
        drawn = [float(noise.uniform(12, kind, 0, k)) for kind in (1, 2)]
        delta = 20 + (20 if k % 2 else 80) * drawn[0]
        i = (0.3, 0.99)[k % 2] * drawn[1] if k % 4 < 2 else 0.3 + 5.2 * drawn[1]
        taus = np.geomspace(0.5, 100.0 if i > 1 else 7e5, 20)
        reference = switching_curve(delta, i, taus, cells=600, steps=60)
        table = stt_table.probability(delta, i, taus)
        middle, tail = (reference > 0.02) & (reference < 0.98), (reference > 1e-9) & (reference <= 0.02)
        assert np.all(np.abs(table - reference)[middle] < 0.012), (delta, i)
        rates = [np.log(-np.log1p(-p[tail])) for p in (table, reference)]
        np.testing.assert_allclose(rates[0], rates[1], rtol=0.1, err_msg=str((delta, i)))
        used += middle.sum()
    assert used > 2 * curves


@given(
    delta=st.floats(20, 100),
    volts=st.lists(st.floats(-3, 3), min_size=1, max_size=20),
    log_tau=st.floats(np.log(0.1), np.log(1e7)),
)
def test_rows_of_attempts_and_other_namespaces_interpolate_alike(delta, volts, log_tau):
    """Within 1e-12: one curve cut from the table a device, all of it, and tensors."""
    pulses, width = np.array(volts), float(np.clip(np.exp(log_tau), 0.1, 1e7))
    device = {"delta": delta, "v_c0_p_ap": 0.42, "v_c0_ap_p": 0.38, "tau_d": 1.0}
    columns = {name: np.full(len(pulses), value) for name, value in device.items()}
    expected = stt_table.switching_probability(columns, pulses, width)
    row, room = np.empty(len(pulses)), np.empty(len(pulses))
    stt_table.probability_row(stt_table.curves_of(columns, width, len(pulses)), pulses, row, room)
    np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)
    tensors = {name: torch.from_numpy(values) for name, values in columns.items()}
    answer = stt_table.switching_probability(tensors, torch.from_numpy(pulses), width)
    assert isinstance(answer, torch.Tensor)
    np.testing.assert_allclose(answer.numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tau", [1.0, 3.0, 10.0, 100.0, 1e4])
def test_v50_is_within_two_percent(tau):
    currents = np.linspace(0.3, 5.9, 400)
    table = stt_table.probability(DELTA, currents, tau)
    i50 = np.interp(0.5, table, currents)
    below, above = (switching_curve(DELTA, f * i50, tau, cells=600, steps=1000)[0] for f in (0.98, 1.02))
    assert below < 0.5 < above


def test_closed_forms_hold_where_they_say_and_refuse_elsewhere():
    """Brown's rate to 20 % up to i = 0.6, the precessional form to 0.06 from i = 2.5."""
    for i, tau in ((0.3, 3e8), (0.5, 1e4), (0.6, 1e3)):
        rate = -np.log(occupation_curves(DELTA, i, np.array([tau, 2 * tau]), steps=4000)[0])
        assert (rate[1] - rate[0]) / tau == pytest.approx(stt.brown_rate(DELTA, i), rel=0.2)
    for i, tau in ((2.5, 2.0), (3.0, 1.2), (5.0, 0.6)):
        reference = switching_curve(DELTA, i, tau)[0]
        assert stt.precessional(DELTA, i, tau) == pytest.approx(reference, abs=0.06)
    for refused in (lambda: stt.brown_rate(DELTA, 0.7), lambda: stt.precessional(DELTA, 2.0, 1.0)):
        with pytest.raises(UsageError, match="stt_table"):
            refused()


def test_neel_brown_with_one_nanosecond_is_wrong_where_the_documents_say():
    """Between i = 0.6 and 0.9 the fixed attempt time switches too often."""
    tau = np.geomspace(1, 1e5, 200)
    reference = switching_curve(DELTA, 0.75, tau)
    half = np.interp(0.5, reference, tau) * TAU_D_NS * 1e-9
    assert stt.neel_brown(DELTA, 0.75, half) > 0.65


@pytest.mark.parametrize(("delta", "tau"), [(10.0, 1.0), (45.0, 0.01), (45.0, 1e8), (np.nan, 1.0)])
def test_the_table_refuses_what_it_does_not_cover(delta, tau):
    with pytest.raises(UsageError, match="covers"):
        stt_table.probability(delta, 1.0, tau)


def test_a_population_switches_by_the_table():
    p = STT_MTJ.draw(1, 50, {"mismatch": 0.04}).parameters
    up = stt_table.switching_probability(p, np.full(50, 0.8), 4e-9)
    down = stt_table.switching_probability(p, np.full(50, -0.8), 4e-9)
    assert np.all(down > up * 0.8) and np.std(up) > 0
    assert np.all(stt_table.switching_probability(p, np.zeros(50), 4e-9) < 1e-9)
