"""What protocols find, against the hidden truth of the simulated devices.

A bound of four and a half standard deviations fails in 7 of a million draws; seeds are fixed.
"""

import numpy as np
import pytest
from protocols_cases import hidden, stream_of

from labtrain.kernels.neuron_curve import NeuronCurve
from labtrain.physics import sot, telegraph
from labtrain.physics.tunnelling import barrier_resistance
from labtrain.session import Recording

SIGMAS = 4.5


@pytest.fixture(scope="module")
def result(everything):
    return lambda name: everything[1][name]["result"]


@pytest.fixture(scope="module")
def rows(everything):
    def of(name):
        with Recording.open(everything[0]) as recording:
            return recording.rows(stream_of(name)).columns

    return of


def test_iv_curves_of_both_polarities_show_the_reference(rows):
    found = rows("iv-curve")
    own = found["device"].astype(str) == "reference"
    slope, offset = np.polyfit(found["amperes"][own], found["volts"][own], 1)
    assert slope == pytest.approx(10e3, rel=2e-3) and abs(offset) < 2e-3
    assert found["programmed"][own].min() == -found["programmed"][own].max()


@pytest.mark.parametrize("device", ["sot[0]", "sot[1]"])
def test_resistance_in_both_states_and_its_bias_dependence(result, device):
    found, truth = result("resistance-voltage")["devices"][device], hidden(device)
    assert found["not_held"] == 0
    half = 0.5 * sot.line_resistance(truth)
    # from the barrier's foot to ground: half the line, beside the other half and the armed generator's 50 ohm
    series = half * (half + 50) / (2 * half + 50)
    for state, share in (("P", 0.0), ("AP", 1.0)):
        for what, volts in (("low_bias_ohm", 0.0), ("full_bias_ohm", 0.25)):
            across = volts * (1 - series / found[state][what])  # what falls on the barrier itself
            expected = float(barrier_resistance(truth, np.float64(across), np.float64(share))) + series
            assert found[state][what] == pytest.approx(expected, rel=0.01), (state, what)
    assert found["tmr"]["full_bias"] < found["tmr"]["low_bias"]


def test_switching_finds_v50_and_stops_at_the_precision(result, everything):
    found, truth = result("switching-probability")["devices"]["sot[0]"], hidden("sot[0]")
    volts = np.linspace(0.3, 1.0, 7001)
    for direction, sign in (("P->AP", 1), ("AP->P", -1)):
        curve = [float(sot.switching_probability(truth, sign * v, 10e-9)) for v in volts]
        v50 = volts[int(np.argmin(np.abs(np.array(curve) - 0.5)))]
        fitted = found[direction]["fit"]["parameters"]["v50"]
        assert abs(fitted["value"] - sign * v50) < SIGMAS * fitted["uncertainty"]
        assert fitted["uncertainty"] < 0.013  # asked for: 10 mV
        assert found[direction]["attempts"] < 260 and found[direction]["failed_resets"] == 0
    assert found["read_disturb"] == {
        "holds": 10,
        "changed": 0,
        "probability_below": pytest.approx(0.2589, abs=1e-4),
    }


def test_dwell_times_and_duty_cycle(result):
    truth = hidden("fast_bits[0]")
    for found in result("telegraph-noise")["devices"]["fast_bits[0]"]:
        tau_p, tau_ap = telegraph.dwell_times(truth, found["bias"])
        assert abs(found["tau_p"] - tau_p) < SIGMAS * found["tau_p_uncertainty"]
        assert abs(found["tau_ap"] - tau_ap) < SIGMAS * found["tau_ap_uncertainty"]
        assert found["dwell_p"] > found["tau_p"]  # what looks like one dwell hides missed pairs of flips
        decay = np.exp(-found["interval"] / found["tau_c"])
        assert found["autocorrelation"][0] == pytest.approx(decay, abs=0.05)


def test_bits_have_the_probability_and_forget(result):
    truth = hidden("fast_bits[0]")
    found = result("bitstream")["devices"]["fast_bits[0]"]
    for one in found["biases"]:
        p = float(telegraph.antiparallel_probability(truth, one["bias"]))
        # five correlation times leave rho = exp(-5): the variance of the mean grows by (1 + rho)/(1 - rho)
        deviation = np.sqrt(p * (1 - p) / one["bits"] * 1.014)
        assert abs(one["share"] - p) < SIGMAS * deviation
        assert one["memory_probability"] > 1e-4
        for value in (one["p_values"] or {}).values():
            assert value > 1e-4
    slope = found["fit"]["parameters"]["slope"]
    assert abs(slope["value"] - 2 * truth["delta"] / truth["v_c"]) < SIGMAS * slope["uncertainty"]


@pytest.mark.parametrize("device", ["cells[0]", "cells[1]"])
def test_pulses_move_a_memristor_inside_its_bounds(result, rows, device):
    found, truth = result("pulse-programming")["devices"][device], hidden(device)
    assert truth["g_min"] * 0.97 < found["lowest_siemens"] < found["highest_siemens"] < truth["g_max"] * 1.03
    own = rows("pulse-programming")
    up = (own["device"].astype(str) == device) & (own["phase"].astype(str) == "potentiation")
    before, step = own["siemens_before"][up], own["siemens"][up] - own["siemens_before"][up]
    window = truth["g_max"] - truth["g_min"]
    share = (truth["g_max"] - before) / window
    ratio = float(np.sum(step * share) / np.sum(share**2)) / truth["step_up"]
    # a 2450 adds 0.4 ms of settling and overhead to a pulse of 2 ms; the reference pulse has 3 ms; each step
    # scatters by cycle_spread; reading noise and relaxation between pulses are a few per cent more
    expected = -np.expm1(-truth["step_up"] / window * 2.4 / 3) * window / truth["step_up"]
    assert ratio == pytest.approx(expected, abs=SIGMAS * 0.2 / np.sqrt(up.sum()) * expected + 0.03)
    verified = found["write-verify"]
    assert verified["writes"] == 8 and verified["met"] >= 7
    assert verified["rms_error_siemens"] < 6e-6


@pytest.mark.parametrize("device", ["cells[1]", "cells[2]"])
def test_what_is_retained_follows_log_time(rows, device):
    found = rows("retention")
    for level in (0, 1):
        own = (found["device"].astype(str) == device) & (found["level"] == level)
        elapsed, siemens = found["elapsed"][own], found["siemens"][own]
        assert elapsed[-1] == pytest.approx(100, rel=2e-3)
        if siemens.min() < 1.05 * hidden(device)["g_min"]:
            continue  # held by the cell's lower bound
        line = np.polyfit(np.log10(1 + elapsed), siemens, 1)
        residual = siemens - np.polyval(line, np.log10(1 + elapsed))
        assert np.max(np.abs(residual / siemens)) < 0.03  # 0.3 % reading noise, 0.2 % 1/f noise a decade


def test_devices_relax_side_by_side(rows):
    found = rows("retention")
    times = [found["elapsed"][found["device"].astype(str) == f"cells[{i}]"] for i in (1, 2)]
    np.testing.assert_allclose(*times, atol=0.05)


def test_endurance_counts_in_the_logbook(result, rows):
    found = result("endurance")["devices"]["cells[2]"]
    assert found["cycles"] == 30 and found["held"]
    # 30 cycles x 5 pulses of either polarity, after the 2 x 20 of the retention run before
    assert found["life_pulses"] == 2 * 30 * 5 + 40
    assert sorted(set(rows("endurance")["cycle"].tolist()))[-1] == 30


def test_the_best_pair_is_the_most_alike(result):
    found = result("pair-matching")
    grid = np.array(found["current_amperes"])
    slopes = {f"neurons[{i}].top": NeuronCurve(hidden(f"neurons[{i}]")).slope(grid) for i in range(4)}

    def difference(pair):
        return float(np.sqrt(np.mean((slopes[pair[0]] - slopes[pair[1]]) ** 2)))

    assert found["pairs_in_all"] == 6
    order = [difference(one["pair"]) for one in found["pairs"]]
    assert order[0] == min(order)
    best = found["pairs"][0]
    curve = [NeuronCurve(hidden(name.split(".")[0])).mean_voltage(grid) for name in best["pair"]]
    assert np.max(np.abs(np.array(best["offset_volts"]) - (curve[1] - curve[0]))) < 3e-3
