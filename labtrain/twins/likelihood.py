"""Any log-likelihood with a few parameters: damped Newton steps with derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labtrain.twins.fit import Floats
from labtrain.twins.profile import LARGEST, Parameter, Problem

Places = NDArray[np.intp]
CHI2_95 = float(stats.chi2.ppf(0.95, 1))
_STEP = 1e-4
_GAIN = 1e-5
"""A step that gains less log-likelihood is the last: intervals ask for 1.92."""
_FLAT = 1e-5
"""Curvature below which a coordinate has no say, such as the logarithm of a noise that is not there."""


@final
class Likelihood(Problem):
    """``log_likelihood(values) -> float`` of a few (up to six or so) parameters.

    Parameters
    ----------
    log_likelihood
        A smooth function; where it cannot be computed it returns -inf or NaN.
    """

    def __init__(
        self, parameters: Sequence[Parameter], log_likelihood: Callable[[Mapping[str, float]], float]
    ) -> None:
        self.parameters, self.threshold = parameters, CHI2_95
        self._log_likelihood = log_likelihood
        self._known: Floats | None = None

    def cost(self, coordinates: Floats) -> float:
        """Return minus the log-likelihood."""
        with np.errstate(all="ignore"):
            value = -self._log_likelihood(self.values(coordinates))
        return value if np.isfinite(value) else LARGEST

    def deviance(self, coordinates: Floats, best: Floats) -> float:
        """Return twice the log-likelihood lost."""
        return 2 * (self.cost(coordinates) - self.cost(best))

    def minimise(self, start: Floats, held: int | None = None) -> Floats:
        """Newton steps, damped until they gain.

        Second derivatives cost most of the work: those of the best point (once :meth:`covariance` took
        them) serve all profiles, and are taken anew only where a step gains less than they promised.
        """
        free = np.array([i for i in range(len(start)) if i != held], dtype=np.intp)
        here, cost, damping = np.array(start, dtype=float), self.cost(start), 1e-6
        hessian = None if self._known is None else self._known[np.ix_(free, free)]
        for _ in range(80 if len(free) else 0):
            fresh = hessian is None
            if hessian is None:
                hessian = self._curvature(here, free)
            gradient = self._gradient(here, free)
            here, gain, promised, damping = self._step(here, cost, free, gradient, hessian, damping)
            cost -= gain
            if max(gain, promised) < _GAIN or (fresh and gain < _GAIN):
                break
            if gain < 0.3 * promised:
                hessian = None
        return here

    def _step(
        self, here: Floats, cost: float, free: Places, gradient: Floats, hessian: Floats, damping: float
    ) -> tuple[Floats, float, float, float]:
        """Return where it went, what it gained (0: nowhere better) and was to gain, the next damping."""
        size, axes = np.linalg.eigh(hessian)
        floor = max(1e-10 * float(np.max(np.abs(size))), 1e-12)
        along = axes.T @ gradient
        promised = 0.5 * float(np.sum(along**2 / np.maximum(np.abs(size), floor)))
        for _ in range(25):
            curvature = np.maximum(np.abs(size), floor) * (1 + damping) + damping * floor
            move = -axes @ (along / curvature)
            move *= min(1.0, 2.0 / max(float(np.max(np.abs(move))), 1e-300))
            there = here.copy()
            there[free] += move
            gain = cost - self.cost(there)
            if gain > 0:
                return there, gain, promised, damping / 10
            damping = max(10 * damping, 1e-3)
        return here, 0.0, promised, damping

    def _gradient(self, here: Floats, free: Places) -> Floats:
        found = np.empty(len(free))
        for i, place in enumerate(free):
            shift = np.zeros(len(here))
            shift[place] = _STEP
            found[i] = (self.cost(here + shift) - self.cost(here - shift)) / (2 * _STEP)
        return found

    def _curvature(self, here: Floats, free: Places) -> Floats:
        n = len(free)
        shifts = np.zeros((n, len(here)))
        shifts[np.arange(n), free] = _STEP
        middle = self.cost(here)
        up = np.array([self.cost(here + s) for s in shifts])
        down = np.array([self.cost(here - s) for s in shifts])
        hessian = np.diag(up + down - 2 * middle)
        for i in range(n):
            for j in range(i):
                both = self.cost(here + shifts[i] + shifts[j]) + self.cost(here - shifts[i] - shifts[j])
                mixed = (both - up[i] - down[i] - up[j] - down[j] + 2 * middle) / 2
                hessian[i, j] = hessian[j, i] = mixed
        return np.asarray(hessian / _STEP**2)

    def covariance(self, best: Floats) -> Floats:
        """Return the inverse of the observed information."""
        hessian = self._known = self._curvature(best, np.arange(len(best)))
        found = np.full_like(hessian, np.nan)
        curved = np.diag(hessian) > _FLAT
        size, axes = np.linalg.eigh(hessian[np.ix_(curved, curved)])
        if len(size) and size[0] > 1e-9 * size[-1]:
            found[np.ix_(curved, curved)] = (axes / size) @ axes.T
        return found
