"""Maximum likelihood in well-scaled coordinates, and profile-likelihood intervals of every parameter.

A parameter that is positive by nature is fitted by its logarithm: no bounds to run into, relative
steps, and profile intervals do not care about the change of variable. ``deviance`` is twice the
log-likelihood lost against the best point; a parameter's 95 % interval holds the values at which
the others, fitted again, lose less than ``threshold`` (S. S. Wilks, Ann. Math. Stat. 9, 60, 1938).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labtrain.twins.fit import Estimate, Floats

LARGEST = 1e30
"""A cost for places where the model cannot be computed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One fitted parameter.

    Attributes
    ----------
    name, unit
        As in the twin file.
    scale
        A change of this size matters; of a parameter of known sign the sign, 1 or -1.
    positive
        Whether it has its scale's sign by nature: then the logarithm of its size is fitted.
    """

    name: str
    unit: str
    scale: float = 1.0
    positive: bool = False

    def value(self, coordinate: float) -> float:
        """Return the parameter at a coordinate."""
        return self.scale * (math.exp(min(coordinate, 700.0)) if self.positive else coordinate)

    def coordinate(self, value: float) -> float:
        """Return the coordinate of a value."""
        return math.log(max(value / self.scale, 1e-300)) if self.positive else value / self.scale

    def slope(self, coordinate: float) -> float:
        """Return d value / d coordinate."""
        return abs(self.value(coordinate) if self.positive else self.scale)


class Problem(ABC):
    """A model with its data: what can be minimised.

    Attributes
    ----------
    parameters
        In the order of the coordinates.
    threshold
        How much deviance a 95 % interval's end may lose.
    """

    parameters: Sequence[Parameter]
    threshold: float

    @abstractmethod
    def minimise(self, start: Floats, held: int | None = None) -> Floats:
        """Return the best coordinates from ``start``; coordinate ``held`` stays."""

    @abstractmethod
    def deviance(self, coordinates: Floats, best: Floats) -> float:
        """Return what ``coordinates`` lose against ``best``."""

    @abstractmethod
    def covariance(self, best: Floats) -> Floats:
        """Return the covariance of the coordinates ``[p, p]``; NaN where the data leave them open."""

    def values(self, coordinates: Floats) -> dict[str, float]:
        """Return the parameters by name."""
        return {p.name: p.value(float(u)) for p, u in zip(self.parameters, coordinates, strict=True)}

    def coordinates(self, values: Mapping[str, float]) -> Floats:
        """Return the coordinates of parameters by name."""
        return np.array([p.coordinate(values[p.name]) for p in self.parameters])


def estimates(problem: Problem, best: Floats, covariance: Floats) -> dict[str, Estimate]:
    """Return every parameter with its standard deviation and 95 % profile interval."""
    found = {}
    for index, parameter in enumerate(problem.parameters):
        deviation = math.sqrt(covariance[index, index]) if covariance[index, index] > 0 else math.nan
        low, high = _ends(problem, best, covariance, index)
        value = parameter.value(float(best[index]))
        interval = (_end(parameter, low), _end(parameter, high))
        interval = interval if interval[0] <= interval[1] else interval[::-1]
        sd = deviation * parameter.slope(float(best[index]))
        if parameter.positive and math.isnan(sd) and 0 in interval:
            sd = max(map(abs, interval)) / 2  # an upper limit
        found[parameter.name] = Estimate(value, sd, parameter.unit, interval)
    return found


def curve_deviation(
    problem: Problem, best: Floats, covariance: Floats, predict: Callable[[Mapping[str, float]], Floats]
) -> Floats:
    """Return the standard deviation of a curve by that of its parameters, linearised.

    Parameters
    ----------
    predict
        The curve ``[m]`` of parameters by name.
    """
    slopes = []
    for i in range(len(best)):
        shift = np.zeros(len(best))
        shift[i] = 1e-4
        up, down = (predict(problem.values(best + sign * shift)) for sign in (1, -1))
        slopes.append((up - down) / 2e-4)
    known = np.nan_to_num(covariance)
    return np.asarray(np.sqrt(np.maximum(np.einsum("im,ij,jm->m", slopes, known, slopes), 0.0)))


def _end(parameter: Parameter, coordinate: float) -> float:
    if math.isinf(coordinate):
        return parameter.scale * (0.0 if parameter.positive and coordinate < 0 else coordinate)
    return parameter.value(coordinate)


def correlation(covariance: Floats) -> Floats:
    """Return correlations of a covariance, NaN where it is."""
    deviations = np.sqrt(np.where(np.diag(covariance) > 0, np.diag(covariance), np.nan))
    return np.asarray(covariance / np.outer(deviations, deviations))


def _ends(problem: Problem, best: Floats, covariance: Floats, index: int) -> tuple[float, float]:
    variance = covariance[index, index]
    positive = problem.parameters[index].positive
    if not variance > 0 and not positive:
        return -math.inf, math.inf
    # a logarithm that the data hardly know is followed in steps of a factor of e, not of its deviation
    deviation = min(math.sqrt(variance) if variance > 0 else 1.0, 1.0 if positive else math.inf)
    # along the ridge of the likelihood the others move with this one: a start that saves most of the climb
    with np.errstate(invalid="ignore"):
        direction = np.nan_to_num(covariance[:, index] / variance) * deviation
    direction[index] = deviation
    reach = math.sqrt(problem.threshold)

    def end(sign: float) -> float:
        warm = best

        def excess(steps: float) -> float:
            nonlocal warm
            start = warm + (best[index] + sign * steps * deviation - warm[index]) * direction / deviation
            warm = problem.minimise(start, held=index)
            return problem.deviance(warm, best) - problem.threshold

        steps = crossing(excess, reach)
        return float(best[index]) + sign * steps * deviation

    return end(-1.0), end(1.0)


def crossing(excess: Callable[[float], float], first: float, farthest: float = 40.0) -> float:
    """Return where ``excess`` (negative at 0) becomes positive; infinite where not up to ``farthest``.

    Deviance is nearly a parabola: steps scaled by its root get there in two or three evaluations.
    """
    inner, low = 0.0, excess(0.0)
    if low >= 0:
        return 0.0
    threshold, outer, high = -low, first, excess(first)
    for _ in range(16):
        if high > 0 or outer >= farthest:
            break
        inner, low = outer, high
        grow = math.sqrt(threshold / max(high + threshold, 1e-2 * threshold))
        outer = min(outer * min(max(1.02 * grow, 1.05), 4.0), farthest)
        high = excess(outer)
    if not high > 0:
        return math.inf
    return _root(excess, (inner, low), (outer, high), tolerance=2e-3 * first)


def _root(
    excess: Callable[[float], float], inner: tuple[float, float], outer: tuple[float, float], tolerance: float
) -> float:
    """Close in on the crossing between two known points by the Illinois rule (false position)."""
    (a, low), (b, high) = inner, outer
    side = 0
    for _ in range(40):
        if b - a <= tolerance:
            break
        x = min(max(b - high * (b - a) / (high - low), a + 0.01 * (b - a)), b - 0.01 * (b - a))
        value = excess(x)
        if abs(value) < 1e-4:
            return x
        if value > 0:
            b, high, low, side = x, value, low / 2 if side > 0 else low, 1
        else:
            a, low, high, side = x, value, high / 2 if side < 0 else high, -1
    return (a + b) / 2
