"""Compiled curves and texts are the plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain import noise, populations
from labtrain.kernels import sequences
from labtrain.kernels.decimal_text import scientific
from labtrain.kernels.neuron_curve import NeuronCurve
from labtrain.physics import neuron

CURRENTS = st.lists(st.floats(-200e-6, 200e-6), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    amperes=CURRENTS,
    seconds=st.floats(1e-9, 1.0),
    more=st.fixed_dictionaries(
        {},
        optional={
            "stuck": st.sampled_from([0.0, 1.0]),
            "read_noise": st.floats(0, 1e-3),
            "polarity": st.sampled_from([-1.0, 1.0]),
            "field_shift": st.floats(-1e-5, 1e-5),
        },
    ),
)
def test_one_neurons_compiled_curve_is_the_plain_one(
    seed: int, amperes: list[float], seconds: float, more: dict[str, float]
) -> None:
    drawn = populations.draw("mtj-neuron-pair", seed, 1, {"mismatch": 0.1}, "neurons").cell(1)
    parameters = {**drawn, **more}
    levels, curve = np.array(amperes), NeuronCurve(parameters)
    volts = neuron.mean_voltage(parameters, levels)
    assert curve.mean_voltage(levels) == pytest.approx(volts, rel=1e-12, abs=1e-18)
    assert curve.slope(levels) == pytest.approx(neuron.slope(parameters, levels), rel=1e-12)
    noise = neuron.window_noise(parameters, levels, seconds)
    # where the share of one state all but vanishes, the last bit of the other is all that is left of it
    assert curve.window_noise(levels, seconds) == pytest.approx(noise, rel=1e-7, abs=1e-8)


NUMBERS = st.floats(
    allow_nan=False, allow_infinity=False, allow_subnormal=False, min_value=-1e300, max_value=1e300
)


@settings(max_examples=200, deadline=None)
@given(st.lists(NUMBERS.filter(lambda x: x == 0 or abs(x) > 1e-290), min_size=1, max_size=20))
def test_numbers_are_printed_with_seven_digits(values: list[float]) -> None:
    printed = scientific(np.array(values)).split(",")
    assert len(printed) == len(values)
    for text, value in zip(printed, values, strict=True):
        mantissa, exponent = text.split("E")
        assert len(mantissa.lstrip("-")) == 8 and len(exponent) in (3, 4)
        assert text == f"{value:.6E}" or float(text) == pytest.approx(value, rel=5.001e-7)
        assert text.startswith("-") == (str(value)[0] == "-")


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    stream=st.integers(0, 2**32 - 1),
    cell=st.integers(0, 2**32 - 1),
    first=st.integers(0, 2**40),
)
def test_a_cells_sequence_is_its_events_one_by_one(seed: int, stream: int, cell: int, first: int) -> None:
    events = np.arange(first, first + 300)
    assert np.array_equal(
        sequences.uniforms(seed, stream, cell, first, 300), noise.uniform(seed, stream, cell, events)
    )
    one_by_one = noise.normal(seed, stream, cell, events)
    assert sequences.normals(seed, stream, cell, first, 300) == pytest.approx(one_by_one, rel=1e-15)
