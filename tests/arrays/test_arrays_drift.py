"""Switches whose V50 drifts with use."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labtrain.arrays.neurons import Flag
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.errors import UsageError
from labtrain.populations import draw

COUNT, SECONDS = 4, 0.75e-9
POPULATION = draw("sot-mtj", 3, COUNT, {"mismatch": 0.02}, "switches")
RATES = np.array([1e-3, -2e-3, 0.0, 5e-3])


def switches(**options) -> SimulatedSwitchArray:
    return SimulatedSwitchArray(POPULATION, max_volts=1.4, reset_volts=1.4, reset_seconds=SECONDS, **options)


def pulses(batch: int) -> np.ndarray:
    return 0.9 + 0.05 * np.sin(np.arange(batch * COUNT)).reshape(batch, COUNT)


@given(st.lists(st.integers(0, 60), max_size=3))
def test_drift_is_a_change_of_scale_that_grows_with_the_attempts_whatever_the_batches(
    cuts: list[int],
) -> None:
    volts = pulses(60)
    drifting, plain = switches(drift=RATES), switches()
    got = [drifting.attempt(part, SECONDS).switched for part in np.split(volts, sorted(cuts))]
    scaled = volts / (1.0 + RATES * np.arange(60)[:, None])
    np.testing.assert_array_equal(np.concatenate(got), plain.attempt(scaled, SECONDS).switched)


def test_without_drift_nothing_changes_and_views_drift_with_their_array() -> None:
    expected = switches().attempt(pulses(40), SECONDS).switched
    np.testing.assert_array_equal(
        switches(drift=np.zeros(COUNT)).attempt(pulses(40), SECONDS).switched, expected
    )
    whole, array = switches(drift=RATES), switches(drift=RATES)
    asked = pulses(80)
    expected = whole.attempt(asked, SECONDS).switched[:, [3, 1]]
    view = array.select([3, 1])
    first = view.attempt(torch.from_numpy(asked[:30, [3, 1]].copy()), SECONDS).switched
    kept = array.state_dict()
    second = view.attempt(asked[30:, [3, 1]], SECONDS).switched
    np.testing.assert_array_equal(np.concatenate([first.numpy(), second]), expected)
    resumed = switches(drift=RATES)
    resumed.load_state_dict(kept)
    np.testing.assert_array_equal(
        resumed.select([3, 1]).attempt(asked[30:, [3, 1]], SECONDS).switched, second
    )


def test_limits_are_of_what_the_source_makes() -> None:
    array = switches(drift=np.full(COUNT, 0.5))
    flags = array.attempt(np.full((20, COUNT), 1.5), SECONDS).flags
    assert np.all(flags & Flag.CLIPPED)
    assert not np.any(array.attempt(np.full((5, COUNT), 1.4), SECONDS).flags & Flag.CLIPPED)
    for bad in ([0.1], [np.nan] * COUNT):
        with pytest.raises(UsageError, match="drift"):
            switches(drift=bad)
