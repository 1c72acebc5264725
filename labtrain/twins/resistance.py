"""Resistance of a linear device from voltage and current, offset of the instrument included."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, TooFewData, Verdict
from labtrain.twins.lack_of_fit import lack_of_fit


def fit_resistance(amperes: Floats, volts: Floats) -> Fit:
    """Fit V = R I + V_offset by least squares.

    Parameters
    ----------
    amperes, volts
        ``[m]`` readings, at least three, at two currents or more.

    Returns
    -------
    Fit
        ``resistance`` in ohm and ``offset`` in V (thermal voltages and instrument offsets), with
        Student-t 95 % intervals.

    Raises
    ------
    TooFewData
        For fewer than three readings or one current only.
    """
    amperes, volts = np.asarray(amperes, dtype=float), np.asarray(volts, dtype=float)
    if len(amperes) < 3 or np.ptp(amperes) == 0:
        raise TooFewData(
            "a resistance needs at least three readings at two currents", remedy="measure both polarities"
        )
    centre = amperes - amperes.mean()
    slope = float(centre @ volts / (centre @ centre))
    offset = float(volts.mean() - slope * amperes.mean())
    residuals = volts - offset - slope * amperes
    freedom = len(volts) - 2
    scatter = math.sqrt(float(residuals @ residuals) / freedom)
    slope_error = scatter / math.sqrt(float(centre @ centre))
    offset_error = scatter * math.sqrt(1 / len(volts) + amperes.mean() ** 2 / float(centre @ centre))
    ratio, probability = lack_of_fit(amperes, residuals, parameters=2)
    verdict: Verdict = "insufficient" if math.isnan(probability) else "describes"
    if probability < SIGNIFICANCE:
        verdict = "does-not-describe"
    return Fit(
        model="resistance",
        parameters={
            "resistance": _estimate(slope, slope_error, "ohm", freedom),
            "offset": _estimate(offset, offset_error, "V", freedom),
        },
        chi2_reduced=ratio,
        probability=probability,
        verdict=verdict,
        reason=f"lack of fit against the scatter of repeats: probability {probability:.2g}",
        validity={"current": (float(amperes.min()), float(amperes.max()), "A")},
        points=Points(
            stimulus=amperes,
            observed=volts,
            sigma=np.full_like(volts, scatter),
            fitted=slope * amperes + offset,
            stimulus_unit="A",
            observed_unit="V",
            band=scatter * np.sqrt(1 / len(volts) + centre**2 / float(centre @ centre)),
        ),
    )


def _estimate(value: float, error: float, unit: str, freedom: int) -> Estimate:
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Estimate(value, error, unit, (value - reach, value + reach))
