"""From a fitted problem to a :class:`Fit`: estimates, intervals, correlations, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, Verdict
from labtrain.twins.profile import Problem, correlation, curve_deviation, estimates


def conclude(
    model: str,
    problem: Problem,
    best: Floats,
    *,
    ratio: float,
    probability: float,
    points: Points,
    validity: Mapping[str, tuple[float, float, str]],
    fixed: Mapping[str, Estimate] | None = None,
    open_allowed: tuple[str, ...] = (),
    better_model: str | None = None,
    note: str = "",
    curve: Callable[[Mapping[str, float]], Floats] | None = None,
) -> Fit:
    """Judge a fit and put it together.

    Parameters
    ----------
    ratio, probability
        Of a test of the model; NaN where the data do not allow one.
    fixed
        Parameters that were held, or follow from others.
    open_allowed
        Parameters whose interval may be open without the verdict "insufficient".
    better_model
        Named where the model does not describe the data.
    note
        Added to the reason.
    curve
        The fitted curve at the points by the parameters, for its band.
    """
    covariance = problem.covariance(best)
    found = estimates(problem, best, covariance)
    if curve is not None:
        points = replace(points, band=curve_deviation(problem, best, covariance, curve))
    verdict, reason = _verdict(found, probability, open_allowed)
    return Fit(
        model=model,
        parameters={**found, **(fixed or {})},
        chi2_reduced=ratio,
        probability=probability,
        verdict=verdict,
        reason=f"{reason}; {note}" if note else reason,
        better_model=better_model if verdict == "does-not-describe" else None,
        validity=dict(validity),
        correlation=correlation(covariance),
        points=points,
    )


def _verdict(
    found: Mapping[str, Estimate], probability: float, open_allowed: tuple[str, ...]
) -> tuple[Verdict, str]:
    if probability < SIGNIFICANCE:  # whatever is open: the law is another one
        return "does-not-describe", f"data this far from the model have probability {probability:.1e}"
    open_ones = [name for name, e in found.items() if name not in open_allowed and _is_open(e)]
    if open_ones:
        return "insufficient", f"the data leave {', '.join(open_ones)} open"
    if math.isnan(probability):
        return "insufficient", "too few readings to test the model"
    return "describes", f"goodness of fit: probability {probability:.2g}"


def _is_open(estimate: Estimate) -> bool:
    return not all(map(math.isfinite, (*estimate.interval, estimate.uncertainty)))


def held(value: float, unit: str) -> Estimate:
    """Return a parameter that was given and not fitted."""
    return Estimate(value, 0.0, unit, (value, value), fixed=True)


def span(values: Floats, unit: str) -> tuple[float, float, str]:
    """Return the range of values that data cover."""
    return float(values.min()), float(values.max()), unit
