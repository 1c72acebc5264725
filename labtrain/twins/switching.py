"""Switching probability against voltage: which curve, with which parameters, and whether to believe it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labtrain.errors import DataError, UsageError
from labtrain.twins.binomial import (
    Counts,
    ResponseCurve,
    covariance,
    log_likelihood,
    maximise,
    pooled_chi_square,
    profile_interval,
)
from labtrain.twins.conclusion import span
from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, TooFewData, Verdict
from labtrain.twins.neel_brown import MACROSPIN_EXPONENT, NeelBrownCurve
from labtrain.twins.response_curves import LogisticCurve, PlateauedLogisticCurve

UNITS = {"v50": "V", "slope": "1/V", "low": "", "high": "", "delta": "", "v_c": "V", "exponent": ""}
MODELS = (LogisticCurve.name, PlateauedLogisticCurve.name, NeelBrownCurve.name)


def curve_named(model: str, *, exponent: float | None = None) -> ResponseCurve:
    """Return the curve behind a model's name.

    Parameters
    ----------
    exponent
        Held, for ``"neel-brown"``; None fits it.

    Raises
    ------
    DataError
        For an unknown model.
    """
    if model == NeelBrownCurve.name:
        return NeelBrownCurve(exponent)
    curves: dict[str, ResponseCurve] = {c.name: c for c in (LogisticCurve(), PlateauedLogisticCurve())}
    if model not in curves:
        raise DataError(f"{model!r} is no model of P_sw(V)", remedy=f"known: {', '.join(sorted(MODELS))}")
    return curves[model]


def _curve_for(model: str, counts: Counts) -> ResponseCurve:
    """Hold the exponent where the pulses are of one width: a curve P(V) does not tell it from Delta."""
    one_width = counts.seconds is None or np.ptp(np.log(counts.seconds)) < 0.1
    return curve_named(model, exponent=MACROSPIN_EXPONENT if one_width else None)


def counts_of(
    volts: Floats,
    switched: NDArray[np.bool_] | Floats,
    trials: Floats | None = None,
    seconds: Floats | None = None,
) -> Counts:
    """Gather attempts into counts a voltage (and pulse width).

    Parameters
    ----------
    volts
        ``[m]``.
    switched
        ``[m]``: 0 or 1 for each attempt, or the fraction that switched where ``trials`` is given.
    trials
        ``[m]`` repetitions behind each fraction.
    seconds
        ``[m]`` pulse widths.

    Raises
    ------
    DataError
        For fractions outside 0 to 1, trials below 1, widths not above 0, numbers that are not finite, or
        fractions that so many trials cannot give.
    """
    volts = np.asarray(volts, dtype=float)
    rates = np.asarray(switched, dtype=float)
    n = np.ones_like(rates) if trials is None else np.asarray(trials, dtype=float)
    if not (np.isfinite(volts).all() and ((rates >= 0) & (rates <= 1)).all() and (n >= 1).all()):
        raise DataError(
            "switching data must have finite voltages, fractions between 0 and 1 and at least one trial",
            remedy="leave out or mark the bad rows (where = {...} in the column map)",
        )
    n, note = _true_trials(rates, n) if trials is not None else (n, "")
    widths = np.zeros_like(volts) if seconds is None else np.asarray(seconds, dtype=float)
    if seconds is not None and not (np.isfinite(widths) & (widths > 0)).all():
        raise DataError("a pulse width is not above 0", remedy="check the column's unit")
    keys = np.stack([np.round(np.log(np.maximum(widths, 1e-15)), 6), np.round(volts, 12)], axis=1)
    levels, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    place = place.ravel()
    return Counts(
        x=levels[:, 1],
        successes=np.bincount(place, weights=np.round(rates * n)).astype(np.float64),
        trials=np.bincount(place, weights=n).astype(np.float64),
        seconds=None if seconds is None else widths[first],
        note=note,
    )


def _true_trials(rates: Floats, trials: Floats) -> tuple[Floats, str]:
    """Return the repetitions that the fractions' steps allow, and a note where fewer than stated.

    Fractions that are all multiples of d/n with d > 1 come from n/d repetitions: of n, so many counts
    would all be divisible by d about once in d^k.
    """
    _check_steps(rates, trials)
    successes = np.round(rates * trials)
    inside = (successes > 0) & (successes < trials)
    if not inside.any():
        return trials, ""
    step = int(np.gcd.reduce(np.concatenate([successes, trials]).astype(np.int64)))
    if step < 2 or step ** -float(inside.sum()) > SIGNIFICANCE:
        return trials, ""
    most = trials.max()
    text = (
        f"the fractions come in steps of 1/{most / step:g}: so many repetitions taken, not {most:g} as stated"
    )
    return trials / step, text


def _check_steps(rates: Floats, trials: Floats) -> None:
    found = impossible_fraction(rates, trials)
    if found is not None:
        raise DataError(found[1], remedy="check the columns of fractions and repetitions")


def impossible_fraction(rates: Floats, trials: Floats) -> tuple[int, str] | None:
    """Find the first fraction that the stated repetitions cannot give: its place, and words."""
    successes = rates * trials
    # fractions are often written with two or three decimals: half a unit of the last is allowed
    off = np.abs(successes - np.round(successes)) > np.maximum(1e-6, 0.0051 * trials)
    if not off.any():
        return None
    where = int(np.argmax(off))
    return where, f"{trials[where]:g} repetitions cannot give a fraction of {rates[where]:g}"


def fit_switching(counts: Counts, model: str = "logistic") -> Fit:
    """Fit P_sw(V) by binomial maximum likelihood.

    Parameters
    ----------
    counts
        At least two distinct voltages.
    model
        ``"logistic"``, ``"plateaued-logistic"`` or ``"neel-brown"``; the last needs pulse widths.

    Returns
    -------
    Fit
        ``v50`` in V, ``slope`` in 1/V (and ``low``, ``high``), or ``delta``, ``v_c`` in V and ``exponent``
        (held at 2 where all pulses are of one width), 95 % profile-likelihood intervals,
        and a verdict: a goodness-of-fit test at 0.1 % decides, another curve is named where
        it has the lowest Akaike criterion.

    Raises
    ------
    DataError, TooFewData
        For an unknown model; for fewer than two voltages.
    """
    curve = _curve_for(model, counts)
    if len(np.unique(counts.x)) < 2:
        raise TooFewData("P_sw(V) needs at least two voltages", remedy="measure more amplitudes")
    _check_suits(curve, counts)
    if _separated(counts):
        return _separated_fit(curve, counts)
    theta = maximise(curve, counts, curve.start(counts))
    return _judged(curve, counts, theta)


def _check_suits(curve: ResponseCurve, counts: Counts) -> None:
    if curve.name != NeelBrownCurve.name:
        return
    if counts.seconds is None:
        raise UsageError(
            "model 'neel-brown' needs the pulse width",
            remedy='name it in [columns], as width = {name = "t", unit = "ns"}',
        )
    if counts.x.min() * counts.x.max() < 0:
        raise UsageError(
            "model 'neel-brown' describes one direction, voltages of one sign",
            remedy="sort the directions with group_by, or choose one with where",
        )


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
    unknown = {name: Estimate(math.nan, math.nan, UNITS[name]) for name in curve.parameter_names}
    known = {"v50": v50} if "v50" in unknown else {}
    reason = "outcomes do not overlap in voltage: measure amplitudes inside the transition, or more repeats"
    return Fit(
        curve.name, unknown | known, math.nan, math.nan, "insufficient", reason, validity=_validity(counts)
    )


def _validity(counts: Counts) -> dict[str, tuple[float, float, str]]:
    """What the counts cover; a curve P(V) belongs to the pulse widths that it was measured at."""
    covered = {"voltage": span(counts.x, "V")}
    return covered if counts.seconds is None else covered | {"width": span(counts.seconds, "s")}


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
    reason += f"; {counts.note}" if counts.note else ""
    p = curve.probability(theta, counts.stimulus)
    if curve.name == NeelBrownCurve.name and "exponent" not in estimates:
        held = MACROSPIN_EXPONENT
        estimates["exponent"] = Estimate(held, 0.0, UNITS["exponent"], (held, held), fixed=True)
    return Fit(
        model=curve.name,
        parameters=estimates,
        chi2_reduced=chi_square / freedom if freedom > 0 else math.nan,
        probability=probability,
        verdict=verdict,
        reason=reason,
        better_model=better,
        validity=_validity(counts),
        correlation=cov / np.outer(deviations, deviations),
        points=Points(
            stimulus=counts.x,
            observed=counts.rates,
            sigma=np.sqrt(p * (1 - p) / counts.trials),
            fitted=p,
            stimulus_unit="V",
            observed_unit="",
            series=counts.seconds,
            series_unit="s",
            band=_band(curve.jacobian(theta, counts.stimulus), cov),
        ),
    )


def _band(jacobian: Floats, cov: Floats) -> Floats:
    return np.asarray(
        np.sqrt(np.maximum(np.einsum("mi,ij,mj->m", jacobian, np.nan_to_num(cov), jacobian), 0))
    )


def _estimate(curve: ResponseCurve, counts: Counts, theta: Floats, index: int, deviation: float) -> Estimate:
    name = curve.parameter_names[index]
    scale = deviation if math.isfinite(deviation) and deviation > 0 else 0.05
    interval = profile_interval(curve, counts, theta, index, scale)
    return Estimate(float(theta[index]), deviation, UNITS[name], interval)


def _verdict(
    curve: ResponseCurve, counts: Counts, theta: Floats, probability: float, estimates: dict[str, Estimate]
) -> tuple[Verdict, str | None, str]:
    open_ones = [
        name
        for name, e in estimates.items()
        if name not in ("low", "high") and not all(math.isfinite(end) for end in e.interval)
    ]
    if open_ones:
        what = " and ".join(open_ones)
        return "insufficient", None, f"the data leave {what} open: measure more of the transition"
    better = _better(curve, counts, theta)
    if math.isnan(probability):
        return "insufficient", None, "fewer distinct amplitudes than the model needs to be tested"
    if probability < SIGNIFICANCE:
        return "does-not-describe", better, f"data this far from the curve have probability {probability:.1e}"
    return "describes", None, f"goodness of fit: probability {probability:.2g}"


def _better(curve: ResponseCurve, counts: Counts, theta: Floats) -> str | None:
    """Name the curve with the lowest Akaike criterion, if it is another one."""
    scores = {curve.name: 2 * len(theta) - 2 * log_likelihood(curve, theta, counts)}
    for other in (_curve_for(name, counts) for name in _suitable(counts) if name != curve.name):
        found = maximise(other, counts, other.start(counts))
        scores[other.name] = 2 * len(found) - 2 * log_likelihood(other, found, counts)
    best = min(scores, key=lambda name: scores[name])
    return best if best != curve.name else None


def _suitable(counts: Counts) -> tuple[str, ...]:
    """Models that these data can be held against."""
    one_sign = counts.x.min() * counts.x.max() >= 0
    return MODELS if counts.seconds is not None and one_sign else MODELS[:2]
