"""Curves with readings that scatter about them equally (after weighing): Levenberg-Marquardt.

The scatter is estimated from the residuals, so that intervals use Student's t: the others fitted again, the
squares may grow by ``t^2`` times the residual variance (D. M. Bates and D. G. Watts, Nonlinear Regression
Analysis and Its Applications, Wiley 1988, ch. 6).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import final

import numpy as np
from scipy import optimize, stats

from labtrain.twins.fit import Floats
from labtrain.twins.profile import LARGEST, Parameter, Problem


@final
class LeastSquares(Problem):
    """``residuals(values) -> [m]``, each over its standard deviation up to one common factor."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        residuals: Callable[[Mapping[str, float]], Floats],
        readings: int,
    ) -> None:
        self.parameters, self._residuals = parameters, residuals
        self.freedom = max(readings - len(parameters), 1)
        self.threshold = float(stats.t.ppf(0.975, self.freedom)) ** 2

    def residuals(self, coordinates: Floats) -> Floats:
        """Return the weighed residuals; large ones where the model cannot be computed."""
        with np.errstate(all="ignore"):
            found = np.asarray(self._residuals(self.values(coordinates)), dtype=float)
        return np.where(np.abs(found) < LARGEST**0.4, found, LARGEST**0.4)

    def squares(self, coordinates: Floats) -> float:
        """Return the sum of squares."""
        left = self.residuals(coordinates)
        return float(left @ left)

    def variance(self, best: Floats) -> float:
        """Return the residual variance."""
        return max(self.squares(best) / self.freedom, 1e-300)

    def deviance(self, coordinates: Floats, best: Floats) -> float:
        """Return the growth of the squares over the residual variance."""
        return (self.squares(coordinates) - self.squares(best)) / self.variance(best)

    def minimise(self, start: Floats, held: int | None = None, calls: int = 60) -> Floats:
        """MINPACK's lmdif over the free coordinates, with some ``calls`` a coordinate."""
        free = np.array([i for i in range(len(start)) if i != held], dtype=int)
        if not len(free):
            return start

        def residuals(part: Floats) -> Floats:
            there = start.copy()
            there[free] = part
            return self.residuals(there)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MINPACK warns where it stops short; the verdict tells that
            found = optimize.leastsq(residuals, start[free], xtol=1e-7, ftol=1e-8, maxfev=calls * len(start))
        best = start.copy()
        best[free] = found[0]
        return best if self.squares(best) <= self.squares(start) else start

    def covariance(self, best: Floats) -> Floats:
        """Return the residual variance times the inverse of J'J."""
        jacobian = np.empty((len(self.residuals(best)), len(best)))
        for i in range(len(best)):
            shift = np.zeros(len(best))
            shift[i] = 1e-5
            jacobian[:, i] = (self.residuals(best + shift) - self.residuals(best - shift)) / 2e-5
        size = np.linalg.norm(jacobian, axis=0)
        if not np.all(size > 0) or not np.isfinite(jacobian).all():
            return np.full((len(best), len(best)), np.nan)
        information = (jacobian / size).T @ (jacobian / size)
        if np.linalg.cond(information) > 1e13:
            return np.full((len(best), len(best)), np.nan)
        return np.asarray(self.variance(best) * np.linalg.inv(information) / np.outer(size, size))
