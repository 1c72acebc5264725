"""The SOT-MTJ: the measured curve, its signs, its range; the barrier."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import UsageError
from labtrain.kernels import sot as kernel
from labtrain.physics import sot, tunnelling
from labtrain.populations import draw

DEVICE = draw("sot-mtj", 1, 1).cell(0)


def test_the_curve_at_its_own_width_is_the_measured_one():
    assert sot.switching_probability(DEVICE, 0.896, 0.75e-9) == pytest.approx(0.5)
    assert sot.switching_probability(DEVICE, -0.934, 0.75e-9) == pytest.approx(0.5)
    step = 1e-6
    p = [sot.switching_probability(DEVICE, 0.896 + d, 0.75e-9) for d in (-step, step)]
    assert 4 * (p[1] - p[0]) / (2 * step) == pytest.approx(43.0, rel=1e-6)


def _measured():
    shared = Path(os.environ.get("LABTRAIN_DATA", Path(__file__).parents[3] / "shared" / "data"))
    file = shared / "measured" / "mtj_psw_0p75ns" / "device_A.csv"
    if not file.exists():
        pytest.skip(f"measured data are not here: {file.name}")
    with file.open() as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(("direction", "sign", "rms"), [("P->AP", 1, 0.05), ("AP->P", -1, 0.15)])
def test_defaults_lie_on_the_measured_points(direction, sign, rms):
    """P to AP within the scatter of 50-100 attempts; AP to P has a plateau that the default leaves out."""
    rows = [row for row in _measured() if row["direction"] == direction]
    volts = sign * np.array([float(row["V"]) for row in rows])
    measured = np.array([float(row["P_sw"]) for row in rows])
    error = sot.switching_probability(DEVICE, volts, 0.75e-9) - measured
    assert np.sqrt(np.mean(error**2)) < rms


def test_the_plateau_describes_ap_to_p_better():
    rows = [row for row in _measured() if row["direction"] == "AP->P"]
    volts = -np.array([float(row["V"]) for row in rows])
    measured = np.array([float(row["P_sw"]) for row in rows])
    plateaued = draw("sot-mtj", 1, 1, {"plateau": 0.25, "v50_ap_p": 0.918, "slope_ap_p": 90.0}).cell(0)
    errors = [sot.switching_probability(d, volts, 0.75e-9) - measured for d in (plateaued, DEVICE)]
    assert np.sum(errors[0] ** 2) < 0.5 * np.sum(errors[1] ** 2)


VOLTS = st.floats(-2, 2)
WIDTHS = st.floats(0.2e-9, 1e-3)


@given(volts=VOLTS, more=st.floats(0, 1), seconds=WIDTHS, longer=st.floats(1, 100))
def test_more_voltage_and_more_time_never_switch_less(volts, more, seconds, longer):
    p = sot.switching_probability(DEVICE, volts, seconds)
    assert 0 <= p <= 1
    assert sot.switching_probability(DEVICE, volts * (1 + more), seconds) >= p - 1e-12
    assert sot.switching_probability(DEVICE, volts, min(seconds * longer, 1e-3)) >= p - 1e-9


def test_zero_volts_switch_nothing():
    assert sot.switching_probability(DEVICE, 0.0, 3e-9) == 0


@pytest.mark.parametrize("seconds", [0.0, 1e-10, 2e-3, float("nan"), -1e-9])
def test_widths_out_of_range_are_refused(seconds):
    with pytest.raises(UsageError, match="0.2 ns to 1 ms"):
        sot.switching_probability(DEVICE, 0.9, seconds)


@given(volts=VOLTS)
def test_the_barrier_loses_magnetoresistance_with_bias(volts):
    parallel = sot.barrier_resistance(DEVICE, volts, False)
    antiparallel = sot.barrier_resistance(DEVICE, volts, True)
    assert parallel == DEVICE["r_p"]
    assert DEVICE["r_p"] <= antiparallel <= DEVICE["r_p"] * (1 + DEVICE["tmr0"])
    half = tunnelling.magnetoresistance(DEVICE, DEVICE["v_h"])
    assert half == pytest.approx(DEVICE["tmr0"] / 2)


@given(volts=VOLTS, cosine=st.floats(-1, 1))
def test_conductance_at_an_angle_lies_between_the_two_states(volts, cosine):
    g = tunnelling.conductance_at_angle(DEVICE, volts, cosine)
    low, high = 1 / sot.barrier_resistance(DEVICE, volts, 1), 1 / sot.barrier_resistance(DEVICE, volts, 0)
    assert low * (1 - 1e-12) <= g <= high * (1 + 1e-12)
    assert tunnelling.conductance_at_angle(DEVICE, volts, 1.0) == pytest.approx(high)


@given(seconds=WIDTHS, plateau=st.sampled_from([0.0, 0.3]), seed=st.integers(0, 99))
def test_the_kernel_equals_the_plain_function(seconds, plateau, seed):
    parameters = draw("sot-mtj", seed, 7, {"mismatch": 0.05, "plateau": plateau}).parameters
    volts = np.linspace(-1.2, 1.2, 35).reshape(5, 7)
    np.testing.assert_allclose(
        kernel.switching_probability(parameters, volts, seconds),
        sot.switching_probability(parameters, volts, seconds),
        rtol=1e-9,
        atol=1e-12,
    )
    with pytest.raises(UsageError):
        kernel.switching_probability(parameters, volts, 1.0)
