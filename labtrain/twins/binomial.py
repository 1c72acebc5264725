"""Counts out of trials against a curve P(x): maximum likelihood and profile-likelihood intervals.

Binomial counts are no least-squares data: at P near 0 or 1 their variance
vanishes and their distribution is skew. Estimates here maximise the binomial
likelihood by Fisher scoring inside a box; intervals are profile-likelihood
intervals (the values that a likelihood-ratio test at 95 % does not reject; S. S. Wilks,
Ann. Math. Stat. 9, 60, 1938).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import stats

from labtrain.twins.fit import Floats
from labtrain.twins.profile import crossing

_TINY = 1e-12
_CHI2_95 = float(stats.chi2.ppf(0.95, 1))


@dataclass(frozen=True, slots=True)
class Counts:
    """``successes[m]`` out of ``trials[m]`` at each distinct stimulus.

    Attributes
    ----------
    x
        Voltages ``[m]``, ascending; where pulses differ in width, ascending at each width in turn.
    seconds
        Pulse widths ``[m]``; None where they are not known.
    note
        What was found odd in the data; goes into the fit's reason.
    """

    x: Floats
    successes: Floats
    trials: Floats
    seconds: Floats | None = None
    note: str = ""

    @property
    def stimulus(self) -> Floats:
        """What curves take: ``[m]`` voltages, or ``[m, 2]`` voltages and widths."""
        return self.x if self.seconds is None else np.stack([self.x, self.seconds], axis=1)

    @property
    def rates(self) -> Floats:
        """Observed fractions ``[m]``."""
        return self.successes / self.trials


class ResponseCurve(ABC):
    """A model of P(x) with a box of allowed parameters; ``x`` is :attr:`Counts.stimulus`."""

    name: str
    parameter_names: tuple[str, ...]
    lower: Floats
    upper: Floats

    @abstractmethod
    def probability(self, theta: Floats, x: Floats) -> Floats:
        """P(x), ``[m]``."""

    @abstractmethod
    def jacobian(self, theta: Floats, x: Floats) -> Floats:
        """dP/dtheta, ``[m, p]``."""

    @abstractmethod
    def start(self, counts: Counts) -> Floats:
        """Where to begin, ``[p]``."""


def log_likelihood(curve: ResponseCurve, theta: Floats, counts: Counts) -> float:
    """Binomial log-likelihood without its constant."""
    p = np.clip(curve.probability(theta, counts.stimulus), _TINY, 1 - _TINY)
    return float(np.sum(counts.successes * np.log(p) + (counts.trials - counts.successes) * np.log1p(-p)))


def maximise(curve: ResponseCurve, counts: Counts, theta: Floats, held: int | None = None) -> Floats:
    """Climb to the likelihood's maximum by Fisher scoring with step halving; ``held`` stays as it is."""
    theta = np.clip(theta, curve.lower, curve.upper)
    best = log_likelihood(curve, theta, counts)
    for _ in range(60):
        step = _scoring_step(curve, counts, theta, held)
        for halving in range(12):
            trial = np.clip(theta + step * 0.5**halving, curve.lower, curve.upper)
            value = log_likelihood(curve, trial, counts)
            if value > best:
                break
        else:
            return theta
        gain, best, theta = value - best, value, trial
        if gain < 1e-9:
            return theta
    return theta


def _scoring_step(curve: ResponseCurve, counts: Counts, theta: Floats, held: int | None) -> Floats:
    p = np.clip(curve.probability(theta, counts.stimulus), _TINY, 1 - _TINY)
    jacobian = curve.jacobian(theta, counts.stimulus)
    variance = p * (1 - p)
    gradient = jacobian.T @ ((counts.successes - counts.trials * p) / variance)
    blocked = ((theta <= curve.lower) & (gradient < 0)) | ((theta >= curve.upper) & (gradient > 0))
    free = ~blocked
    if held is not None:
        free[held] = False
    step = np.zeros_like(theta)
    if free.any():
        part = jacobian[:, free]
        information = part.T @ (part * (counts.trials / variance)[:, None])
        step[free] = np.linalg.lstsq(information, gradient[free], rcond=1e-12)[0]
    return step


def covariance(curve: ResponseCurve, counts: Counts, theta: Floats) -> Floats:
    """Inverse Fisher information ``[p, p]``; rows at a bound of the box are NaN."""
    p = np.clip(curve.probability(theta, counts.stimulus), _TINY, 1 - _TINY)
    free = (theta > curve.lower) & (theta < curve.upper)
    part = curve.jacobian(theta, counts.stimulus)[:, free]
    information = part.T @ (part * (counts.trials / (p * (1 - p)))[:, None])
    full = np.full((len(theta), len(theta)), np.nan)
    if np.linalg.matrix_rank(information) == len(information):
        full[np.ix_(free, free)] = np.linalg.inv(information)
    return full


def profile_interval(
    curve: ResponseCurve, counts: Counts, theta: Floats, index: int, scale: float
) -> tuple[float, float]:
    """Return the 95 % profile-likelihood interval of parameter ``index``.

    Parameters
    ----------
    scale
        A length of the right size for the first step, such as one standard deviation.
    """
    top = log_likelihood(curve, theta, counts)

    def end(direction: float, bound: float) -> float:
        warm = theta

        def excess(steps: float) -> float:
            nonlocal warm
            start = warm.copy()
            start[index] = theta[index] + direction * steps * scale
            warm = maximise(curve, counts, start, held=index)
            return 2 * (top - log_likelihood(curve, warm, counts)) - _CHI2_95

        room = direction * (bound - float(theta[index])) / scale
        if room <= 0:
            return bound
        steps = crossing(excess, min(2.0, room), farthest=room)
        return bound if steps >= room else float(theta[index]) + direction * steps * scale

    return end(-1.0, float(curve.lower[index])), end(1.0, float(curve.upper[index]))


def pooled_chi_square(curve: ResponseCurve, theta: Floats, counts: Counts) -> tuple[float, int]:
    """Pearson's chi-square over neighbouring stimuli pooled until each bin expects enough counts.

    Bins expect at least one success and one failure and five of the more frequent
    (a mild form of Cochran's rule, Biometrics 10, 417, 1954).

    Returns
    -------
    chi_square, bins
    """
    p = curve.probability(theta, counts.stimulus)
    groups: list[list[float]] = []
    open_bin = [0.0, 0.0, 0.0, 0.0]
    for k, n, q in zip(counts.successes, counts.trials, p, strict=True):
        open_bin = [a + b for a, b in zip(open_bin, (k, n, n * q, n * q * (1 - q)), strict=True)]
        if min(open_bin[2], open_bin[1] - open_bin[2]) >= 1 and open_bin[1] >= 5:
            groups.append(open_bin)
            open_bin = [0.0, 0.0, 0.0, 0.0]
    if groups:
        groups[-1] = [a + b for a, b in zip(groups[-1], open_bin, strict=True)]
    else:
        groups = [open_bin]
    chi_square = sum((k - e) ** 2 / max(v, _TINY) for k, _, e, v in groups)
    return float(chi_square), len(groups)
