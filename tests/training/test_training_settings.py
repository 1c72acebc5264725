"""Settings: text in, SI values out, every refusal with its remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import UsageError
from labtrain.training import describe_recipes
from labtrain.training.iris_afd import RECIPE
from labtrain.training.settings import Setting

LAYERS = Setting("hidden", "layers", (8,), "widths", low=1, high=256)


@pytest.mark.parametrize(
    ("given_settings", "name", "value"),
    [
        ({"delta_current": "0.5uA"}, "delta_current", 0.5e-6),
        ({"delta_current": "5e-7"}, "delta_current", 5e-7),
        ({"delta_current": 5e-7}, "delta_current", 5e-7),
        ({"hidden": "8"}, "hidden", (8,)),
        ({"hidden": "8,4"}, "hidden", (8, 4)),
        ({"hidden": "8x4"}, "hidden", (8, 4)),
        ({"hidden": 5}, "hidden", (5,)),
        ({"epochs": "40"}, "epochs", 40),
        ({}, "current_per_unit", None),
    ],
)
def test_settings_read_text_and_values(given_settings, name, value):
    assert RECIPE.read_settings(given_settings)[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("given_settings", "what"),
    [
        ({"delta_curent": "1uA"}, "did you mean delta_current"),
        ({"delta_current": "1 mV"}, "not a quantity in ampere"),
        ({"delta_current": "nan"}, "finite"),
        ({"epochs": "2.5"}, "an integer from 1"),
        ({"epochs": "many"}, "an integer from 1"),
        ({"epochs": 0}, "an integer from 1"),
        ({"hidden": "8,,4"}, "integers such as"),
        ({"hidden": "0"}, "integers such as"),
        ({"hidden": ()}, "integers such as"),
        ({"estimator": "guess"}, "calibrated-pair"),
        ({"learning_rate": float("nan")}, "not allowed"),
    ],
)
def test_bad_settings_are_refused_with_what_is_allowed(given_settings, what):
    with pytest.raises(UsageError, match=what) as refusal:
        RECIPE.read_settings(given_settings)
    assert refusal.value.exit_code == 2


@given(st.lists(st.integers(1, 256), min_size=1, max_size=5))
def test_layers_round_trip(widths):
    assert LAYERS.read("x".join(map(str, widths))) == LAYERS.read(",".join(map(str, widths))) == tuple(widths)


def test_reading_settings_twice_changes_nothing():
    once = RECIPE.read_settings({"hidden": "8x4", "delta_current": "2uA"})
    assert RECIPE.read_settings(once) == once


def test_recipes_describe_every_setting_with_unit_default_and_range():
    described = {entry["name"]: entry for entry in describe_recipes()}["iris-afd"]
    by_name = {parameter["name"]: parameter for parameter in described["parameters"]}
    assert by_name["delta_current"]["unit"] == "A"
    assert (
        by_name["delta_current"]["low"]
        <= by_name["delta_current"]["default"]
        <= by_name["delta_current"]["high"]
    )
    assert all(parameter["doc"] for parameter in by_name.values())
