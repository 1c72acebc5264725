"""Two resistance states from a device's own readings: where the threshold lies, and whether there are two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_LEAST_CHANGE = 0.01
"""Of resistance between two states: the largest gap of few noisy readings cuts them neatly as well."""
_CLEAR = 6.0
"""State means must be this many standard deviations apart: a misread state in less than 1 in 700."""


@dataclass(frozen=True, slots=True)
class TwoStates:
    """A histogram cut at its largest gap; ohm.

    Attributes
    ----------
    low, high
        Mean of each side.
    threshold
        Middle of the means.
    separation
        Distance of the means over the wider side's standard deviation.
    """

    low: float
    high: float
    threshold: float
    separation: float

    @property
    def clear(self) -> bool:
        """Whether the two sides are two states and not one scattered one."""
        return self.separation >= _CLEAR and self.high >= (1 + _LEAST_CHANGE) * self.low


def two_states(ohms: Any) -> TwoStates:
    """Split readings at their largest gap.

    Parameters
    ----------
    ohms
        ``[m]`` readings after pulses of both polarities, in ohm; not finite ones are left out.
    """
    values = np.sort(np.asarray(ohms, dtype=float))
    values = values[np.isfinite(values)]
    if len(values) < 4:
        return TwoStates(math.nan, math.nan, math.nan, 0.0)
    cut = int(np.argmax(np.diff(values))) + 1
    low, high = values[:cut], values[cut:]
    spread = max(float(low.std()), float(high.std()), 1e-12)
    fewest = min(len(low), len(high))
    separation = (high.mean() - low.mean()) / spread if fewest >= 2 else 0.0
    middle = (low.mean() + high.mean()) / 2
    return TwoStates(float(low.mean()), float(high.mean()), float(middle), float(separation))
