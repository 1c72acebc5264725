"""Populations: addressed by cell, refused when asked for nonsense, spread as stated."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain import units
from labtrain.entry_points import DEVICE_MODELS, names
from labtrain.errors import UsageError
from labtrain.physics import resistor
from labtrain.populations import draw, model_named

MODELS = names(DEVICE_MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_keeps_its_promises(name):
    model = model_named(name)
    population = draw(name, 3, 5, array="chip")
    assert model.name == population.model == name
    assert len(population) == 5 * model.cells_per_device
    assert set(population.parameters) == set(population.units)
    assert len(model.terminals) >= 1
    for key, setting in model.settings.items():
        assert setting.low <= setting.default <= setting.high, key
        assert setting.doc
        assert units.parse_quantity(f"1 {setting.unit}", setting.unit) == 1.0
    for values in population.parameters.values():
        assert values.dtype == np.float64 and np.all(np.isfinite(values))
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


@pytest.mark.parametrize("name", MODELS)
@given(count=st.integers(1, 20), seed=st.integers(0, 2**63))
def test_a_cell_does_not_depend_on_how_many_there_are(name, count, seed):
    spread = (
        {"tolerance": 0.1}
        if name == "resistor"
        else {"mismatch": 0.1}
        if "mismatch" in model_named(name).settings
        else {}
    )
    few, many = draw(name, seed, count, spread, "a"), draw(name, seed, count + 3, spread, "a")
    for key, values in few.parameters.items():
        np.testing.assert_array_equal(values, many.parameters[key][: len(values)])


def test_seeds_and_arrays_make_different_chips():
    chips = [
        draw("mtj-neuron", s, 4, {"mismatch": 0.05}, a).parameters["r_p"]
        for s, a in [(1, "a"), (2, "a"), (1, "b")]
    ]
    assert not np.array_equal(chips[0], chips[1]) and not np.array_equal(chips[0], chips[2])


def test_mismatch_is_the_stated_spread():
    """Standard deviations within 5 standard errors, 20,000 cells, fixed seed."""
    n, m = 10_000, 0.05
    p = draw("mtj-neuron-pair", 9, n, {"mismatch": m}, "x").parameters
    tolerance = 5 / math.sqrt(2 * 2 * n)
    for key in ("r_p", "tmr0", "w"):
        assert np.std(np.log(p[key])) / m == pytest.approx(1, abs=tolerance)
    assert np.std(p["i50"]) / (m * 4 * 2e-6) == pytest.approx(1, abs=tolerance)
    forward, partner = p["r_p"][0::2], p["r_p"][1::2]
    assert abs(np.corrcoef(forward, partner)[0, 1]) < 5 / math.sqrt(n)
    assert abs(np.corrcoef(p["r_p"], p["i50"])[0, 1]) < 5 / math.sqrt(2 * n)


def test_untrimmed_spread_adds_up():
    p = draw("mtj-neuron", 9, 20_000, {"mismatch": 0.05, "i50_spread": 1.5e-6}).parameters["i50"]
    assert np.std(p) == pytest.approx(math.hypot(0.4e-6, 1.5e-6), rel=0.03)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mismach": 0.05}, "mismatch"),
        ({"mismatch": 0.9}, "outside 0 to 0.5"),
        ({"r_p": float("nan")}, "outside"),
        ({"r_p": -1.0}, "ohm"),
    ],
)
def test_bad_settings_are_refused_with_what_is_allowed(settings, message):
    with pytest.raises(UsageError, match=message) as caught:
        draw("mtj-neuron-pair", 1, 2, settings)
    assert caught.value.key in settings and caught.value.remedy


def test_unknown_models_and_negative_counts_are_refused():
    with pytest.raises(UsageError, match="mtj-neuron"):
        draw("mtj-neurn", 1, 2)
    with pytest.raises(UsageError, match="-1"):
        draw("mtj-neuron", 1, -1)


def test_the_reference_resistor_drifts_as_told():
    device = draw("resistor", 1, 1, {"resistance": 1e4, "drift_per_hour": 0.01}).cell(0)
    assert resistor.resistance(device) == 1e4
    assert resistor.resistance(device, 7200.0) == pytest.approx(1.02e4)
