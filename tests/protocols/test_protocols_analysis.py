"""What analyses make of rows, without a bench."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain import noise
from labtrain.arrays.two_states import two_states
from labtrain.limits import Limits
from protocols.contact_check import ContactCheck
from protocols.terminals import compliance_current, compliance_voltage


def contact_rows(ohm, offset_volts=0.0):
    volts = np.array([0.02, -0.02, 0.02, -0.02])
    return {
        "device": np.array(["a"] * 4, dtype=object),
        "terminal": np.array(["top"] * 4, dtype=object),
        "volts": volts,
        "amperes": (volts + offset_volts) / ohm,
    }


@given(st.floats(1.0, 1e7), st.floats(-1e-3, 1e-3))
def test_a_thermal_voltage_does_not_change_the_resistance(ohm, offset_volts):
    found = ContactCheck.analyse(contact_rows(ohm, offset_volts), {"expected_resistance": {}})
    assert found["terminals"]["a.top"]["ohm"] == pytest.approx(ohm, rel=1e-9)


@pytest.mark.parametrize(
    ("ohm", "ok", "words"),
    [(4e3, True, "as expected"), (500, False, "below"), (1e9, False, "above"), (-1e9, False, "above")],
)
def test_contacts_are_judged_against_what_is_expected(ohm, ok, words):
    found = ContactCheck.analyse(contact_rows(ohm), {"expected_resistance": {"a.top": [1e3, 2e4]}})
    assert found["ok"] is ok and words in found["terminals"]["a.top"]["reason"]
    assert found["out_of_specification"] == ([] if ok else ["a.top"])


def test_no_current_at_all_is_open_and_not_a_division_by_zero():
    found = ContactCheck.analyse(contact_rows(math.inf), {"expected_resistance": {"a.top": [1e3, 2e4]}})
    assert found["terminals"]["a.top"]["ohm"] is None and not found["ok"]


@settings(max_examples=50)
@given(st.floats(100, 1e5), st.floats(0.2, 3.0), st.integers(3, 40), st.integers(0, 1000))
def test_two_states_are_told_apart(low, tmr, reads, seed):
    xi = noise.normal(seed, 1, np.arange(2)[:, None], np.arange(reads))
    ohms = low * np.array([[1.0], [1 + tmr]]) * (1 + 0.003 * xi)
    states = two_states(ohms.ravel())
    assert states.clear and low < states.threshold < low * (1 + tmr)


@settings(max_examples=50)
@given(st.integers(8, 60), st.integers(0, 1000))
def test_one_scattered_state_is_not_two(reads, seed):
    assert not two_states(5e3 * (1 + 0.01 * noise.normal(seed, 2, 0, np.arange(reads)))).clear


@pytest.mark.parametrize("ohms", [[], [1.0], [np.nan] * 10, [np.inf] * 10, [5e3] * 10])
def test_degenerate_readings_are_not_two_states(ohms):
    assert not two_states(ohms).clear


@given(st.floats(1e-7, 1e-3), st.floats(1e-3, 10), st.floats(1e-9, 1e-2))
def test_derived_compliance_stays_within_every_limit(amperes, volts, watts):
    limits = Limits(voltage=volts, current=1e-3, power=watts)
    allowed = compliance_voltage(limits, amperes, 0.0)
    assert allowed <= volts and allowed * amperes <= watts
    limit = compliance_current(limits, volts, 0.0, 100e-6)
    assert limit <= 1e-3 and limit * volts <= watts
