"""Attempts decided on 32 bits of their uniforms: decided alike where those bits do not settle them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labtrain import noise
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.kernels import events as compiled
from labtrain.physics import events
from labtrain.populations import draw

STREAM = 9


def beside(uniforms: np.ndarray, side: int) -> np.ndarray:
    """P just below, at or just above a uniform: all have its high 32 bits, or nearly so."""
    return uniforms if side == 0 else np.nextafter(uniforms, side * 2.0)


@given(
    seed=st.integers(0, 2**64 - 1),
    first=st.one_of(st.integers(0, 9), st.integers(2**32 - 9, 2**32 + 2), st.integers(0, 2**60)),
    of_reset=st.sampled_from([-1, 0, 1]),
    of_pulse=st.sampled_from([-1, 0, 1]),
    needs_reset=st.booleans(),
)
def test_a_probability_at_its_very_uniform_is_decided_by_the_last_bit(
    seed: int, first: int, of_reset: int, of_pulse: int, needs_reset: bool
) -> None:
    cells, k = np.arange(4), first + np.arange(4)
    reset = np.tile(beside(noise.uniform(seed, STREAM, cells, k), of_reset), (2, 1))
    p = beside(noise.uniform(seed, STREAM, cells, k + 1), of_pulse)[None]
    start, state = np.zeros((1, 4), np.uint8), np.full(4, int(needs_reset), np.uint8)
    counters = k.copy()
    switched, verified = compiled.attempt(p, start, reset, state, seed, STREAM, cells, counters)
    fine = not needs_reset or of_reset > 0
    assert (verified == fine).all() and (switched == (fine and of_pulse > 0)).all()
    np.testing.assert_array_equal(counters, k + 1 + fine)


@given(
    st.integers(2**32 - 12, 2**32), st.sampled_from([0.0, 0.4, 1.0]), st.sampled_from([0.0, 0.5, 1.0 - 1e-16])
)
def test_counters_run_through_the_end_of_their_low_word(first: int, chance: float, p: float) -> None:
    cells, k, state = np.arange(3), first + np.arange(3) * 5, np.array([0, 1, 2], np.uint8)
    given_p, start, reset = np.full((9, 3), p), np.zeros((9, 3), np.uint8), np.full((2, 3), chance)
    dead = np.zeros(3, bool)
    plain = events.attempt(given_p, start, reset, state.copy(), dead, (5, STREAM), cells, k)
    counters = k.copy()
    switched, verified = compiled.attempt(given_p, start, reset, state, 5, STREAM, cells, counters)
    np.testing.assert_array_equal(plain[0], switched)
    np.testing.assert_array_equal(plain[1], verified)
    np.testing.assert_array_equal(plain[3], counters)


@given(st.lists(st.sampled_from([0.85, 0.9, -0.9, 3.0, 0.0]), min_size=1, max_size=12), st.integers(0, 12))
def test_repeated_voltages_are_attempts_of_their_own(rows: list[float], cut: int) -> None:
    """What is kept of a row for the next one does not show: split anywhere, the same outcomes and flags."""
    volts = np.repeat(np.array(rows)[:, None], 3, axis=1)
    whole, parts = (SimulatedSwitchArray(draw("sot-mtj", 2, 3)) for _ in range(2))
    expected = whole.attempt(volts, 0.75e-9)
    got = [parts.attempt(some, 0.75e-9) for some in np.split(volts, [min(cut, len(rows))])]
    np.testing.assert_array_equal(np.concatenate([one.switched for one in got]), expected.switched)
    np.testing.assert_array_equal(np.concatenate([one.flags for one in got]), expected.flags)
