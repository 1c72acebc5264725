"""Switching probability against voltage: which curve, with which parameters, and whether to believe it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labtrain.errors import DataError
from labtrain.twins.binomial import (
    Counts,
    ResponseCurve,
    covariance,
    log_likelihood,
    maximise,
    pooled_chi_square,
    profile_interval,
)
from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, TooFewData, Verdict
from labtrain.twins.response_curves import LogisticCurve, PlateauedLogisticCurve

_UNITS = {"v50": "V", "slope": "1/V", "low": "", "high": ""}
_CURVES: dict[str, ResponseCurve] = {c.name: c for c in (LogisticCurve(), PlateauedLogisticCurve())}


def curve_named(model: str) -> ResponseCurve:
    """Return the curve behind a model's name.

    Raises
    ------
    DataError
        For an unknown model.
    """
    if model not in _CURVES:
        raise DataError(f"{model!r} is no model of P_sw(V)", remedy=f"known: {', '.join(sorted(_CURVES))}")
    return _CURVES[model]


def counts_of(volts: Floats, switched: NDArray[np.bool_] | Floats, trials: Floats | None = None) -> Counts:
    """Gather attempts into counts a voltage.

    Parameters
    ----------
    volts
        ``[m]``.
    switched
        ``[m]``: 0 or 1 for each attempt, or the fraction that switched where ``trials`` is given.
    trials
        ``[m]`` repetitions behind each fraction.

    Raises
    ------
    DataError
        For fractions outside 0 to 1, trials below 1, or numbers that are not finite.
    """
    volts = np.asarray(volts, dtype=float)
    rates = np.asarray(switched, dtype=float)
    n = np.ones_like(rates) if trials is None else np.asarray(trials, dtype=float)
    if not (np.isfinite(volts).all() and ((rates >= 0) & (rates <= 1)).all() and (n >= 1).all()):
        raise DataError(
            "switching data must have finite voltages, fractions between 0 and 1 and at least one trial",
            remedy="leave out or mark the bad rows (where = {...} in the column map)",
        )
    levels, place = np.unique(np.round(volts, 12), return_inverse=True)
    return Counts(
        x=levels,
        successes=np.bincount(place, weights=np.round(rates * n)).astype(np.float64),
        trials=np.bincount(place, weights=n).astype(np.float64),
    )


def fit_switching(counts: Counts, model: str = "logistic") -> Fit:
    """Fit P_sw(V) by binomial maximum likelihood.

    Parameters
    ----------
    counts
        At least two distinct voltages.
    model
        ``"logistic"`` or ``"plateaued-logistic"``.

    Returns
    -------
    Fit
        ``v50`` in V, ``slope`` in 1/V (and ``low``, ``high``), 95 % profile-likelihood intervals,
        and a verdict: a goodness-of-fit test at 0.1 % decides, the other curve is named where
        it has the lower Akaike criterion.

    Raises
    ------
    DataError, TooFewData
        For an unknown model; for fewer than two voltages.
    """
    curve = curve_named(model)
    if len(counts.x) < 2:
        raise TooFewData("P_sw(V) needs at least two voltages", remedy="measure more amplitudes")
    if _separated(counts):
        return _separated_fit(curve, counts)
    theta = maximise(curve, counts, curve.start(counts))
    return _judged(curve, counts, theta)


def _separated(counts: Counts) -> bool:
    """Whether no finite slope has the greatest likelihood.

    A logistic curve's maximum exists exactly where outcomes overlap (A. Albert and J. A. Anderson,
    Biometrika 71, 1, 1984): some attempt switched at a lower voltage than one that did not, and the
    other way round. Equal rates everywhere leave v50 open.
    """
    switched, not_switched = counts.x[counts.successes > 0], counts.x[counts.successes < counts.trials]
    if not len(switched) or not len(not_switched) or np.ptp(counts.rates) == 0:
        return True
    return bool(switched.min() >= not_switched.max() or switched.max() <= not_switched.min())


def _separated_fit(curve: ResponseCurve, counts: Counts) -> Fit:
    """Say only that v50 lies between the last voltage that never switched and the first that always did."""
    never, always = counts.x[counts.successes == 0], counts.x[counts.successes == counts.trials]
    ends = (-math.inf, math.inf)
    if len(never) and len(always):
        rising = always.max() > never.max()
        ends = (never.max(), always.min()) if rising else (always.max(), never.min())
    v50 = Estimate(float(np.mean(ends)) if math.isfinite(ends[0]) else math.nan, math.nan, "V", ends)
    unknown = {name: Estimate(math.nan, math.nan, _UNITS[name]) for name in curve.parameter_names}
    reason = "outcomes do not overlap in voltage: measure amplitudes inside the transition, or more repeats"
    return Fit(curve.name, unknown | {"v50": v50}, math.nan, math.nan, "insufficient", reason)


def _judged(curve: ResponseCurve, counts: Counts, theta: Floats) -> Fit:
    cov = covariance(curve, counts, theta)
    deviations = np.sqrt(np.diag(cov))
    estimates = {
        name: _estimate(curve, counts, theta, i, float(deviations[i]))
        for i, name in enumerate(curve.parameter_names)
    }
    chi_square, bins = pooled_chi_square(curve, theta, counts)
    freedom = bins - len(theta)
    probability = float(stats.chi2.sf(chi_square, freedom)) if freedom > 0 else math.nan
    verdict, better, reason = _verdict(curve, counts, theta, probability, estimates)
    p = curve.probability(theta, counts.x)
    return Fit(
        model=curve.name,
        parameters=estimates,
        chi2_reduced=chi_square / freedom if freedom > 0 else math.nan,
        probability=probability,
        verdict=verdict,
        reason=reason,
        better_model=better,
        validity={"voltage": (float(counts.x[0]), float(counts.x[-1]), "V")},
        correlation=cov / np.outer(deviations, deviations),
        points=Points(counts.x, counts.rates, np.sqrt(p * (1 - p) / counts.trials), p, "V", ""),
    )


def _estimate(curve: ResponseCurve, counts: Counts, theta: Floats, index: int, deviation: float) -> Estimate:
    name = curve.parameter_names[index]
    scale = deviation if math.isfinite(deviation) and deviation > 0 else 0.05
    interval = profile_interval(curve, counts, theta, index, scale)
    return Estimate(float(theta[index]), deviation, _UNITS[name], interval)


def _verdict(
    curve: ResponseCurve, counts: Counts, theta: Floats, probability: float, estimates: dict[str, Estimate]
) -> tuple[Verdict, str | None, str]:
    if not all(math.isfinite(end) for name in ("v50", "slope") for end in estimates[name].interval):
        return "insufficient", None, "the data leave v50 or the slope open: measure more of the transition"
    better = _better(curve, counts, theta)
    if math.isnan(probability):
        return "insufficient", None, "fewer distinct amplitudes than the model needs to be tested"
    if probability < SIGNIFICANCE:
        return "does-not-describe", better, f"data this far from the curve have probability {probability:.1e}"
    return "describes", None, f"goodness of fit: probability {probability:.2g}"


def _better(curve: ResponseCurve, counts: Counts, theta: Floats) -> str | None:
    """Name the curve with the lowest Akaike criterion, if it is another one."""
    scores = {curve.name: 2 * len(theta) - 2 * log_likelihood(curve, theta, counts)}
    for other in _CURVES.values():
        if other.name != curve.name:
            found = maximise(other, counts, other.start(counts))
            scores[other.name] = 2 * len(found) - 2 * log_likelihood(other, found, counts)
    best = min(scores, key=lambda name: scores[name])
    return best if best != curve.name else None
