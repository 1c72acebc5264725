"""V(I) of an MTJ nano-neuron: a twin with the parameters of :mod:`labtrain.physics.neuron`.

The series resistance cannot be told from the junction's own parallel resistance by a V(I)
curve, so it is given, not fitted. A voltage offset (instrument, thermal voltages) is fitted beside
the device. Readings scatter more inside the transition (telegraph
noise averaged over the aperture) than outside; a second pass weighs them accordingly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import lmfit
import numpy as np
from scipy import stats
from scipy.special import expit

from labtrain.errors import DataError
from labtrain.physics.neuron import mean_voltage
from labtrain.twins.fit import SIGNIFICANCE, Estimate, Fit, Floats, Points, TooFewData, Verdict
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.scatter import two_part_scatter

UNITS = {"r_p": "ohm", "tmr0": "", "v_h": "V", "i50": "A", "w": "A", "offset": "V"}
UNITS |= {"r_series": "ohm", "polarity": ""}
_SCALES = {"r_p": 1e3, "tmr0": 1.0, "v_h": 1.0, "i50": 1e-5, "w": 1e-6, "offset": 1e-3}
_BOUNDS = {"r_p": (1e-3, np.inf), "tmr0": (0.0, 10.0), "v_h": (0.05, 5.0), "w": (1e-3, np.inf)}
_FEWEST_CURRENTS = 8
_WORTH = 20.0
"""How much the neuron must lower chi-square below the straight line's (four more parameters)."""


def fit_nano_neuron(amperes: Floats, volts: Floats, *, r_series: float = 0.0) -> Fit:
    """Fit V(I) with the nano-neuron's equation.

    Parameters
    ----------
    amperes, volts
        ``[m]`` readings of one device, at eight currents or more; up, down and repeats mixed.
    r_series
        In ohm, known from elsewhere (contacts, leads); 0 puts all of it into ``r_p``.

    Returns
    -------
    Fit
        ``r_p``, ``tmr0``, ``v_h``, ``i50``, ``w``, ``offset`` with standard deviations and Student-t 95 %
        intervals, ``r_series`` and ``polarity`` as fixed, ``read_noise`` (V rms outside the transition).

    Raises
    ------
    TooFewData, DataError
        For too few currents; for numbers that are not finite.
    """
    amperes, volts = np.asarray(amperes, dtype=float), np.asarray(volts, dtype=float)
    if not (np.isfinite(amperes).all() and np.isfinite(volts).all()):
        raise DataError("V(I) has readings that are not finite", remedy="leave flagged readings out")
    if len(np.unique(np.round(amperes, 10))) < _FEWEST_CURRENTS:
        raise TooFewData(f"V(I) needs at least {_FEWEST_CURRENTS} currents", remedy="sweep more points")
    start = min((_start(amperes, volts, polarity) for polarity in (1.0, -1.0)), key=lambda found: found[0])[1]
    fixed = {"r_series": r_series, "polarity": start.pop("polarity")}
    return _fit(amperes, volts, start, fixed)


def _fit(amperes: Floats, volts: Floats, start: Mapping[str, float], fixed: dict[str, float]) -> Fit:
    first = _least_squares(amperes, volts, np.ones_like(volts), start, fixed)
    values = _values(first) | fixed
    sigma, read_noise = _scatter(amperes, volts - _voltage(values, amperes), values)
    found = _least_squares(amperes, volts, sigma, _values(first), fixed)
    fitted = _voltage(_values(found) | fixed, amperes)
    ratio, probability = lack_of_fit(amperes, (volts - fitted) / sigma, parameters=len(_SCALES))
    estimates = _estimates(found, fixed, read_noise, len(volts))
    gain = _straight_line(amperes, volts, sigma) - float(np.sum(((volts - fitted) / sigma) ** 2))
    verdict, better, reason = _verdict(estimates, amperes, probability, gain)
    return Fit(
        model="nano-neuron",
        parameters=estimates,
        chi2_reduced=ratio,
        probability=probability,
        verdict=verdict,
        reason=reason,
        better_model=better,
        validity={"current": (float(amperes.min()), float(amperes.max()), "A")},
        correlation=_correlation(found),
        points=Points(amperes, volts, sigma, fitted, "A", "V", band=_band(found, fixed, amperes)),
    )


def _voltage(values: Mapping[str, float], amperes: Floats) -> Floats:
    return np.asarray(mean_voltage(values, amperes) + values["offset"])


def _start(amperes: Floats, volts: Floats, polarity: float) -> tuple[float, dict[str, float]]:
    """Scan centres and widths; with TMR constant the rest is linear: V = R_P I + R_P TMR I p(I).

    Returns
    -------
    squares
        What is left over, in V^2.
    start
        Where to begin, ``polarity`` among it.
    """
    low, high, span = amperes.min(), amperes.max(), np.ptp(amperes)
    centres, widths = np.meshgrid(np.linspace(low, high, 25), span * np.array([0.01, 0.025, 0.06, 0.15]))
    i50, w = centres.ravel(), widths.ravel()
    scaled = amperes / np.max(np.abs(amperes))
    share = expit(polarity * (amperes - i50[:, None]) / w[:, None])
    plain = np.broadcast_to(scaled, share.shape)
    basis = np.stack([plain, scaled * share, np.ones_like(share)], axis=2)  # [candidates, m, 3]
    normal = np.einsum("kmi,kmj->kij", basis, basis) + 1e-9 * np.eye(3)
    solution = np.linalg.solve(normal, np.einsum("kmi,m->ki", basis, volts)[:, :, None])[:, :, 0]
    squares = np.sum((volts - np.einsum("kmi,ki->km", basis, solution)) ** 2, axis=1)
    # a falling step is a rising one of the other polarity
    squares[(solution[:, 0] <= 0) | (solution[:, 1] <= 0)] = math.inf
    best = int(np.argmin(squares))
    r_p, step, offset = (float(value) for value in solution[best])
    if not (r_p > 0 and step > 0):
        r_p, step = max(abs(r_p), 1e-6), 0.1 * max(abs(r_p), 1e-6)  # nothing rises: begin anywhere
    start = {"r_p": r_p / float(np.max(np.abs(amperes))), "tmr0": step / r_p, "v_h": 0.5}
    start |= {"i50": float(i50[best]), "w": float(w[best]), "offset": offset, "polarity": polarity}
    return float(squares[best]), start


def _least_squares(
    amperes: Floats, volts: Floats, sigma: Floats, start: Mapping[str, float], fixed: Mapping[str, float]
) -> Any:
    parameters = lmfit.Parameters()
    for name, scale in _SCALES.items():
        low, high = _BOUNDS.get(name, (-np.inf, np.inf))
        inside = np.clip(start[name] / scale, low + 1e-6, high - 1e-6)
        parameters.add(name, value=float(inside), min=low, max=high)

    def residual(trial: Any) -> Floats:
        values = {name: trial[name].value * scale for name, scale in _SCALES.items()} | dict(fixed)
        return np.asarray((volts - _voltage(values, amperes)) / sigma)

    return lmfit.minimize(residual, parameters, method="leastsq")


def _values(found: Any) -> dict[str, float]:
    return {name: found.params[name].value * scale for name, scale in _SCALES.items()}


def _scatter(amperes: Floats, residuals: Floats, values: Mapping[str, float]) -> tuple[Floats, float]:
    """Split the residuals' variance into a constant and the telegraph noise's shape."""
    share = expit(values["polarity"] * (amperes - values["i50"]) / values["w"])
    return two_part_scatter(residuals, (amperes * values["r_p"] * values["tmr0"]) ** 2 * share * (1 - share))


def _straight_line(amperes: Floats, volts: Floats, sigma: Floats) -> float:
    basis = np.stack([amperes, np.ones_like(amperes)], axis=1) / sigma[:, None]
    solution, *_ = np.linalg.lstsq(basis, volts / sigma, rcond=None)
    return float(np.sum((volts / sigma - basis @ solution) ** 2))


def _estimates(
    found: Any, fixed: Mapping[str, float], read_noise: float, readings: int
) -> dict[str, Estimate]:
    freedom = max(readings - len(_SCALES), 1)
    reach = float(stats.t.ppf(0.975, freedom))
    estimates = {}
    for name, scale in _SCALES.items():
        error = found.params[name].stderr
        value = found.params[name].value * scale
        error = math.nan if error is None else error * scale
        ends = (
            (value - reach * error, value + reach * error) if math.isfinite(error) else (-math.inf, math.inf)
        )
        estimates[name] = Estimate(value, error, UNITS[name], ends)
    for name, value in fixed.items():
        estimates[name] = Estimate(value, 0.0, UNITS[name], (value, value), fixed=True)
    estimates["read_noise"] = Estimate(read_noise, read_noise / math.sqrt(2 * freedom), "V")
    return estimates


def _band(found: Any, fixed: Mapping[str, float], amperes: Floats) -> Floats:
    """Standard deviation of the curve by that of its parameters."""
    if found.covar is None:
        return np.full_like(amperes, np.nan)
    values, slopes = _values(found), []
    for name, scale in _SCALES.items():
        step = 1e-4 * max(abs(values[name]), 1e-3 * scale)
        up, down = (_voltage({**values, **fixed, name: values[name] + s * step}, amperes) for s in (1, -1))
        slopes.append((up - down) / (2 * step) * scale)
    return np.asarray(np.sqrt(np.maximum(np.einsum("im,ij,jm->m", slopes, found.covar, slopes), 0.0)))


def _correlation(found: Any) -> Floats:
    if found.covar is None:
        return np.full((len(_SCALES), len(_SCALES)), np.nan)
    deviations = np.sqrt(np.diag(found.covar))
    return np.asarray(found.covar / np.outer(deviations, deviations))


def _verdict(
    estimates: Mapping[str, Estimate], amperes: Floats, probability: float, gain: float
) -> tuple[Verdict, str | None, str]:
    if not gain > _WORTH:
        return "does-not-describe", "resistance", "no step in V(I): a straight line does as well"
    i50, w = estimates["i50"], estimates["w"]
    if not (amperes.min() < i50.value < amperes.max()):
        return "insufficient", None, "the transition lies outside the currents measured"
    if not (i50.uncertainty < np.ptp(amperes) and w.uncertainty < w.value):
        return "insufficient", None, "the readings do not determine the transition: more currents or repeats"
    if math.isnan(probability):
        return "insufficient", None, "too few readings to test the curve"
    if probability < SIGNIFICANCE:
        return (
            "does-not-describe",
            None,
            f"readings this far from the curve have probability {probability:.1e}",
        )
    return "describes", None, f"lack of fit against the readings' scatter: probability {probability:.2g}"
