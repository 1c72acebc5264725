"""Settings of procedures: what is read, what is refused, and what is listed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import UsageError
from labtrain.procedures import describe, describe_protocols, read_settings
from protocols.contact_check import ContactCheck
from protocols.iv_curve import IVCurve
from protocols.switching_probability import SwitchingProbability

ALL = [ContactCheck, IVCurve, SwitchingProbability]


@pytest.mark.parametrize(
    ("name", "given_value", "value"),
    [
        ("start", "0.5V", 0.5),
        ("start", "500 mV", 0.5),
        ("start", 0.5, 0.5),
        ("width", "20ns", 20e-9),
        ("width", "2e-8", 2e-8),
        ("repeats", "7", 7),
        ("repeats", 7.0, 7),
        ("polarity", "-1", -1),
        ("direction", "P->AP", "P->AP"),
        ("pulse_terminal", "line", "line"),
    ],
)
def test_quantities_are_read_in_si(name, given_value, value):
    read = read_settings(SwitchingProbability, {name: given_value})[name]
    assert read == pytest.approx(value) if isinstance(value, float) else read == value


@pytest.mark.parametrize("word", ["true", "True", "1", True, "yes"])
def test_truth_is_read(word):
    assert read_settings(IVCurve, {"up_down": word})["up_down"] is True


@pytest.mark.parametrize(
    ("name", "given_value", "words"),
    [
        ("widht", "20ns", "did you mean width"),
        ("width", "20mV", "second|in s"),
        ("width", "20 parsnips", "cannot be read"),
        ("width", "-1ns", "at least 0 s"),
        ("width", math.nan, "not a finite"),
        ("width", None, "no number"),
        ("start", "50 V", "at most 10 V"),
        ("repeats", "3.5", "no whole number"),
        ("repeats", "0", "at least 1"),
        ("direction", "sideways", "both or P->AP or AP->P"),
    ],
)
def test_bad_settings_are_refused_with_the_remedy(name, given_value, words):
    with pytest.raises(UsageError, match=words) as caught:
        read_settings(SwitchingProbability, {name: given_value})
    assert caught.value.key == name


@given(st.floats(allow_nan=True))
def test_no_voltage_above_twenty_millivolts_passes_the_contact_check(volts):
    try:
        read = read_settings(ContactCheck, {"voltage": volts})["voltage"]
    except UsageError:
        return
    assert 0 < read <= 0.02


@pytest.mark.parametrize("procedure", ALL)
def test_defaults_pass_their_own_checks_and_every_parameter_is_explained(procedure):
    listed = describe(procedure)
    defaults = {entry["name"]: entry["default"] for entry in listed}
    assert read_settings(procedure, defaults) == defaults
    for entry in listed:
        assert entry["doc"] and entry["default"] is not None
        if entry["low"] is not None and entry["high"] is not None:
            assert entry["low"] <= entry["default"] <= entry["high"]


def test_protocols_are_listed_with_their_parameters():
    listed = {entry["name"]: entry for entry in describe_protocols()}
    assert {"contact-check", "iv-curve", "switching-probability"} <= set(listed)
    width = next(p for p in listed["switching-probability"]["parameters"] if p["name"] == "width")
    assert (width["unit"], width["default"]) == ("s", 0.0)
