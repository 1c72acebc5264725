"""Write noise: what repeated writes leave, with a target or at one level.

With targets (open-loop writes) ``G = offset + gain G_target + write_noise xi``. Without, every write aims at
the same state and what it leaves is log-normal: ``ln R`` scatters by ``cycle_spread`` about ``ln resistance``
(both states of filamentary RRAM are nearly so; A. Grossi et al., IEDM 2016, 4.7.1).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from labtrain.errors import DataError
from labtrain.twins.conclusion import span
from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, TooFewData, Verdict
from labtrain.twins.lack_of_fit import lack_of_fit

MODEL = "write-noise"
_FEWEST = 8


def fit_write_noise(target: Floats, siemens: Floats) -> Fit:
    """Fit open-loop writes to targets.

    Parameters
    ----------
    target, siemens
        ``[m]`` in S: aimed at, and read back.

    Returns
    -------
    Fit
        ``offset`` and ``write_noise`` in S, ``gain``; exact 95 % intervals (Student's t, chi-square). The
        reading's own noise is part of ``write_noise``.

    Raises
    ------
    TooFewData, DataError
        For fewer than eight writes or one target only; for numbers that are not finite.
    """
    target, siemens = _sound(target, siemens)
    if np.ptp(target) == 0:
        raise TooFewData("write noise with targets needs several of them", remedy="leave the target out")
    centre = target - target.mean()
    spread = float(centre @ centre)
    gain = float(centre @ siemens) / spread
    offset = float(siemens.mean() - gain * target.mean())
    fitted = offset + gain * target
    freedom = len(target) - 2
    noise = math.sqrt(float(np.sum((siemens - fitted) ** 2)) / freedom)
    gain_error = noise / math.sqrt(spread)
    offset_error = noise * math.sqrt(1 / len(target) + target.mean() ** 2 / spread)
    estimates = {
        "gain": _mean(gain, gain_error, "", freedom),
        "offset": _mean(offset, offset_error, "S", freedom),
        "write_noise": _deviation(noise, "S", freedom),
    }
    z = (siemens - fitted) / noise
    ratio, curve = lack_of_fit(target, z, parameters=2)
    band = noise * np.sqrt(1 / len(target) + centre**2 / spread)
    points = Points(target, siemens, np.full_like(target, noise), fitted, "S", "S", band=band)
    return _judged(estimates, z, ratio, curve, points, {"target": span(target, "S")})


def fit_repeated_writes(ohms: Floats) -> Fit:
    """Fit what writes to one state left.

    Parameters
    ----------
    ohms
        ``[m]`` resistances after each write.

    Returns
    -------
    Fit
        ``resistance`` (geometric mean) in ohm and ``cycle_spread``, the standard deviation of ln R.

    Raises
    ------
    TooFewData, DataError
        For fewer than eight writes; for resistances that are not positive.
    """
    ohms, _ = _sound(ohms, ohms)
    if (ohms <= 0).any():
        raise DataError("a resistance is not above 0", remedy="leave the row out by where = {...}")
    log = np.log(ohms)
    freedom = len(log) - 1
    middle, spread = float(log.mean()), float(log.std(ddof=1))
    if spread <= 1e-12:
        raise TooFewData("every write left the same resistance", remedy="check the column")
    error = spread / math.sqrt(len(log))
    centre = _mean(middle, error, "", freedom)
    value = math.exp(middle)
    ends = (math.exp(centre.interval[0]), math.exp(centre.interval[1]))
    estimates = {
        "resistance": Estimate(value, value * error, "ohm", ends),
        "cycle_spread": _deviation(spread, "", freedom),
    }
    order = np.arange(1.0, len(log) + 1)
    z = (log - middle) / spread
    ratio, drift = lack_of_fit(order, z, parameters=1)
    middle_line = np.full_like(ohms, value)
    points = Points(order, ohms, spread * middle_line, middle_line, "", "ohm", band=error * middle_line)
    return _judged(estimates, z, ratio, drift, points, {"resistance": span(ohms, "ohm")})


def _sound(*columns: Floats) -> tuple[Floats, Floats]:
    first, second = (np.asarray(column, dtype=float) for column in columns)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DataError("writes have readings that are not finite", remedy="leave flagged readings out")
    if len(first) < _FEWEST:
        raise TooFewData(f"write noise needs at least {_FEWEST} writes", remedy="write more often")
    return first, second


def _mean(value: float, error: float, unit: str, freedom: int) -> Estimate:
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Estimate(value, error, unit, (value - reach, value + reach))


def _deviation(value: float, unit: str, freedom: int) -> Estimate:
    """A standard deviation with its chi-square interval."""
    low, high = (value * math.sqrt(freedom / stats.chi2.ppf(q, freedom)) for q in (0.975, 0.025))
    return Estimate(value, value / math.sqrt(2 * freedom), unit, (float(low), float(high)))


def _judged(
    estimates: dict[str, Estimate],
    z: Floats,
    ratio: float,
    curve: float,
    points: Points,
    validity: dict[str, tuple[float, float, str]],
) -> Fit:
    """Test the curve (or the drift from write to write) and that what is left is normal."""
    normal = float(stats.shapiro(z[:5000]).pvalue)
    tests = {"the level": curve, "a normal distribution": normal}
    known = {name: p for name, p in tests.items() if math.isfinite(p)}
    weakest = min(known, key=lambda name: known[name])
    probability = min(1.0, len(known) * known[weakest])
    verdict: Verdict = "describes" if probability >= SIGNIFICANCE else "does-not-describe"
    reason = f"goodness of fit: probability {probability:.2g}"
    if verdict != "describes":
        reason = f"data this far from {weakest} have probability {probability:.1e}; the values are moments"
    return Fit(
        model=MODEL,
        parameters=estimates,
        chi2_reduced=ratio,
        probability=probability,
        verdict=verdict,
        reason=reason,
        validity=validity,
        correlation=np.eye(len(estimates)),
        points=points,
    )
