"""Time steps of a tridiagonal system, compiled: the inner loop of the switching table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled, inlined
from labtrain.physics.fokker_planck import SDIRK_FIRST, SDIRK_GAMMA, SDIRK_SECOND

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
        ``[m]`` durations, ``steps`` SDIRK steps each (:mod:`labtrain.physics.fokker_planck`).
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
    first, second = np.empty(n), np.empty(n)
    for m in range(len(intervals)):
        step = SDIRK_GAMMA * intervals[m] / steps
        # Thomas's factors, once for all steps of the interval; diagonally dominant, no pivoting.
        inverse[0] = 1.0 / (1.0 - step * banded[1, 0])
        for j in range(1, n):
            factor[j] = -step * banded[2, j - 1] * inverse[j - 1]
            upper[j] = -step * banded[0, j]
            inverse[j] = 1.0 / (1.0 - step * banded[1, j] - factor[j] * upper[j])
        for _ in range(steps):
            _solve(inverse, factor, upper, density, first)
            _solve(inverse, factor, upper, first, second)
            for j in range(n):
                density[j] = SDIRK_SECOND * second[j] - SDIRK_FIRST * first[j]
        below[m], above[m] = density[:half].sum(), density[half:].sum()


@inlined
def _solve(
    inverse: Any, factor: Any, upper: Any, right: Any, out: Any
) -> None:  # pragma: no cover - compiled
    n = len(right)
    out[0] = right[0]
    for j in range(1, n):
        out[j] = right[j] - factor[j] * out[j - 1]
    out[n - 1] *= inverse[n - 1]
    for j in range(n - 2, -1, -1):
        out[j] = (out[j] - upper[j + 1] * out[j + 1]) * inverse[j]
