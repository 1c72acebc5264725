"""How readings scatter about a curve: a constant part, and one that grows with a known shape."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize

from labtrain.twins.fit import Floats

_PASSES = 5
_QUIETEST = 0.02
"""Least constant part of the mean square: a few quiet readings must not weigh infinitely."""


def two_part_scatter(residuals: Floats, shape: Floats) -> tuple[Floats, float]:
    """Split the residuals' variance into a constant and a multiple of ``shape``, both >= 0.

    Parameters
    ----------
    residuals, shape
        ``[m]``; ``shape`` >= 0 is proportional to a variance.

    Returns
    -------
    sigma
        Standard deviation of each reading, ``[m]``.
    constant
        That of the constant part.
    """
    scale = max(float(shape.max()), 1e-300)
    basis = np.stack([np.ones_like(shape), shape / scale], axis=1)
    floor = (1e-7 * float(np.max(np.abs(residuals), initial=0)) + 1e-14) ** 2
    size = max(float(np.mean(residuals**2)), floor)
    squares, weight = residuals**2 / size, np.ones_like(residuals)
    for _ in range(_PASSES):
        # squares scatter by their own size: weighed by it, this climbs to the most likely variances
        (constant, growing), _ = optimize.nnls(basis * weight[:, None], squares * weight)
        constant = max(constant, _QUIETEST)
        weight = 1 / (constant + growing * shape / scale)
    return np.sqrt(size / weight), math.sqrt(size * constant)
