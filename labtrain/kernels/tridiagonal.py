"""Implicit Euler steps of a tridiagonal system, compiled: the inner loop of the switching table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

Floats = NDArray[np.float64]


def march(banded: Floats, density: Floats, intervals: Floats, steps: int, half: int) -> tuple[Floats, Floats]:
    """Return the sums below and above cell ``half`` after each interval of ``d rho/d tau = A rho``.

    Parameters
    ----------
    banded
        ``[3, n]``: A's upper, main and lower diagonals as LAPACK bands.
    density
        ``[n]`` at the start; not changed.
    intervals
        ``[m]`` durations, ``steps`` implicit Euler steps each.
    """
    below, above = np.empty(len(intervals)), np.empty(len(intervals))
    _march(banded, density.copy(), intervals, steps, half, below, above)
    return below, above


@compiled
def _march(
    banded: Any, density: Any, intervals: Any, steps: int, half: int, below: Any, above: Any
) -> None:  # pragma: no cover - compiled
    n = banded.shape[1]
    inverse, factor, upper = np.empty(n), np.zeros(n), np.empty(n)
    for m in range(len(intervals)):
        step = intervals[m] / steps
        # Thomas's factors, once for all steps of the interval; diagonally dominant, no pivoting.
        inverse[0] = 1.0 / (1.0 - step * banded[1, 0])
        for j in range(1, n):
            factor[j] = -step * banded[2, j - 1] * inverse[j - 1]
            upper[j] = -step * banded[0, j]
            inverse[j] = 1.0 / (1.0 - step * banded[1, j] - factor[j] * upper[j])
        for _ in range(steps):
            for j in range(1, n):
                density[j] -= factor[j] * density[j - 1]
            density[n - 1] *= inverse[n - 1]
            for j in range(n - 2, -1, -1):
                density[j] = (density[j] - upper[j + 1] * density[j + 1]) * inverse[j]
        below[m], above[m] = density[:half].sum(), density[half:].sum()
