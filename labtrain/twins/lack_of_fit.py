"""Does a curve miss the data by more than their own scatter? Two tests, for repeats and without."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from labtrain.twins.fit import Floats

_FEWEST_REPEATS = 5
_FEWEST_READINGS = 12


def lack_of_fit(stimulus: Floats, residuals: Floats, parameters: int) -> tuple[float, float]:
    """Compare what the curve misses with what repeated readings scatter.

    Parameters
    ----------
    stimulus, residuals
        ``[m]``; residuals over their standard deviation (up to one common factor).
    parameters
        How many the curve has.

    Returns
    -------
    ratio
        Lack-of-fit over pure-error mean square where stimuli repeat (the classical F test: N. R. Draper
        and H. Smith, Applied Regression Analysis, ch. 2); without repeats, the variance of residuals over
        that of their successive differences. About 1 where the curve describes the data. NaN with too few.
    probability
        Of a ratio at least as large if the curve is right.
    """
    levels, place, counts = np.unique(
        np.round(stimulus / np.max(np.abs(stimulus), initial=1e-300), 9),
        return_inverse=True,
        return_counts=True,
    )
    pure_freedom = len(residuals) - len(levels)
    if pure_freedom >= _FEWEST_REPEATS and len(levels) > parameters:
        means = np.bincount(place, weights=residuals) / counts
        pure = float(np.sum((residuals - means[place]) ** 2)) / pure_freedom
        lack_freedom = len(levels) - parameters
        ratio = float(counts @ means**2) / lack_freedom / max(pure, 1e-300)
        return ratio, float(stats.f.sf(ratio, lack_freedom, pure_freedom))
    if len(residuals) >= max(_FEWEST_READINGS, parameters + 6):
        return _von_neumann(residuals[np.argsort(stimulus, kind="stable")])
    return math.nan, math.nan


def _von_neumann(ordered: Floats) -> tuple[float, float]:
    """J. von Neumann's ratio of successive differences (Ann. Math. Stat. 12, 367, 1941)."""
    n = len(ordered)
    total = max(float(ordered @ ordered), 1e-300)
    eta = float(np.sum(np.diff(ordered) ** 2)) / total * n / (n - 1)
    deviation = math.sqrt(4 * (n - 2) / (n * n - 1))
    return 2 / max(eta, 1e-12), float(stats.norm.cdf((eta - 2) / deviation))
