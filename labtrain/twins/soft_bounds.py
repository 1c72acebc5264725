"""Potentiation and depression with soft bounds: noisy steps seen through noisy readings.

A reading's noise enters two steps with opposite signs, so steps read one after the other are
no independent data. The conductance is treated as a hidden state: it takes
a noisy step a pulse (:func:`labtrain.physics.memristor.pulsed`) and is read with relative noise; a Kalman
filter gives the likelihood of the whole series (R. E. Kalman, J. Basic Eng. 82, 35, 1960; likelihood by
innovations: F. C. Schweppe, IEEE Trans. Inf. Theory 11, 61, 1965). Noises depend on the state and are taken
at the filter's mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labtrain.errors import DataError
from labtrain.kernels.compiling import compiled
from labtrain.twins.conclusion import conclude, span
from labtrain.twins.fit import Fit, Floats, Points, TooFewData
from labtrain.twins.lack_of_fit import lack_of_fit
from labtrain.twins.likelihood import Likelihood
from labtrain.twins.profile import Parameter

MODEL = "soft-bounds"
_FEWEST = 10
_SAME_READING = 1e-9

_PARAMETERS = (
    Parameter("g_min", "S", positive=True),
    Parameter("g_max", "S", positive=True),
    Parameter("step_up", "S", positive=True),
    Parameter("step_down", "S", positive=True),
    Parameter("cycle_spread", "", positive=True),
    Parameter("read_noise", "", positive=True),
)
_NAMES = tuple(p.name for p in _PARAMETERS)


def fit_soft_bounds(before: Floats, after: Floats, polarity: Floats) -> Fit:
    """Fit the steps of identical pulses.

    Parameters
    ----------
    before, after
        ``[m]`` conductances in S read before and after each pulse, in order. Where a pulse's ``before`` is
        the ``after`` of the pulse before it, it is the same reading.
    polarity
        ``[m]``: positive potentiates, negative depresses; rows of 0, without a pulse, are left out.

    Returns
    -------
    Fit
        ``g_min``, ``g_max``, ``step_up`` (at ``g_min``), ``step_down`` (at ``g_max``) in S,
        ``cycle_spread`` (relative noise of a step) and ``read_noise`` (relative), with 95 % profile
        intervals. Data that show no cycle-to-cycle noise beside the readings', or the other way round,
        leave the lower end of that one open at 0.

    Raises
    ------
    TooFewData, DataError
        For fewer than ten pulses of a polarity; for conductances that are not positive.
    """
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    sign = np.sign(np.asarray(polarity, dtype=float))
    before, after, sign = before[sign != 0], after[sign != 0], sign[sign != 0]
    _check(before, after, sign)
    problem = Likelihood(_PARAMETERS, lambda values: _filtered(values, before, after, sign)[0])
    tries = [problem.minimise(problem.coordinates(s)) for s in _starts(before, after, sign)]
    best = min(tries, key=problem.cost)
    _, innovation, predicted, deviation = _filtered(problem.values(best), before, after, sign)
    place = predicted + 2 * np.ptp(predicted) * (sign > 0)
    ratio, probability = lack_of_fit(place, innovation / deviation, parameters=len(_PARAMETERS))
    return conclude(
        MODEL,
        problem,
        best,
        ratio=ratio,
        probability=probability,
        points=Points(np.arange(1.0, len(after) + 1), after, deviation, predicted, "", "S", sign),
        validity={"conductance": span(np.concatenate([before, after]), "S")},
        curve=lambda values: _filtered(values, before, after, sign)[2],
    )


def _check(before: Floats, after: Floats, sign: Floats) -> None:
    both = np.concatenate([before, after])
    if not (np.isfinite(both).all() and (both > 0).all()):
        raise DataError("a conductance is not above 0", remedy="leave flagged readings out")
    if min(np.sum(sign > 0), np.sum(sign < 0)) < _FEWEST:
        raise TooFewData("soft bounds need at least ten pulses of each polarity", remedy="pulse up and down")


def _starts(before: Floats, after: Floats, sign: Floats) -> list[dict[str, float]]:
    """Begin at straight lines through the steps: dG = a (g_max - G) up, -b (G - g_min) down."""
    middle = (before + after) / 2  # half of a reading's noise on each side: no slope from noise alone
    low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    width = high - low
    bounds = {}
    for s, name, end, far in ((1.0, "g_max", high, low), (-1.0, "g_min", low, high)):
        own = sign == s
        slope, height = np.polyfit(middle[own], (after - before)[own], 1)
        root = -height / slope if slope < 0 else np.inf * s
        sane = 0 < s * (root - (end - s * 0.2 * width)) < 3 * width and root > 0
        bounds[name] = float(root) if sane else max(end + s * 0.2 * width, 0.3 * end)
        bounds[name + "_step"] = max(abs(slope * (far - bounds[name])), 1e-3 * width) if sane else width / 10
    step = np.abs(after - before)
    starts = []
    for spread, noise in ((0.3, 0.003), (0.05, 0.01), (0.5, 0.001)):
        starts.append(
            {
                "g_min": bounds["g_min"],
                "g_max": bounds["g_max"],
                "step_up": bounds["g_max_step"],
                "step_down": bounds["g_min_step"],
                "cycle_spread": spread,
                "read_noise": max(noise, 1e-3 * float(np.median(step)) / high),
            }
        )
    return starts


def _filtered(
    values: Mapping[str, float], before: Floats, after: Floats, sign: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """Return the log-likelihood; innovations, predictions and their deviations ``[m]``."""
    theta = np.array([values[name] for name in _NAMES])
    innovation, predicted, variance = (np.empty(len(after)) for _ in range(3))
    total = _filter(theta, before, after, sign, innovation, predicted, variance)
    return total, innovation, predicted, np.sqrt(variance)


@compiled
def _filter(
    theta: Any, before: Any, after: Any, sign: Any, innovation: Any, predicted: Any, variance: Any
) -> float:  # pragma: no cover - compiled
    g_min, g_max, up, down, spread, noise = theta
    window = g_max - g_min
    if window <= 0:
        return -np.inf
    total, mean, uncertain = 0.0, before[0], (noise * before[0]) ** 2
    for k in range(len(after)):
        if k > 0 and abs(before[k] - after[k - 1]) > _SAME_READING * after[k - 1]:
            # read again: one more look at the same conductance, or, far away, another one
            gap = before[k] - mean
            seen = uncertain + (noise * before[k]) ** 2
            if gap * gap > 25.0 * seen:
                mean, uncertain = before[k], (noise * before[k]) ** 2
            else:
                total -= 0.5 * (np.log(seen) + gap * gap / seen)
                mean += uncertain / seen * gap
                uncertain *= 1.0 - uncertain / seen
        bound, step = (g_max, up / window) if sign[k] > 0 else (g_min, down / window)
        if sign[k] != 0:
            keep = np.exp(-step)
            moved = (bound - mean) * keep * step * spread
            mean = bound - (bound - mean) * keep
            uncertain = uncertain * keep * keep + moved * moved
        error = after[k] - mean
        seen = uncertain + (noise * mean) ** 2
        if not seen > 0:
            return -np.inf
        innovation[k], predicted[k], variance[k] = error, mean, seen
        total -= 0.5 * (np.log(seen) + error * error / seen)
        mean += uncertain / seen * error
        uncertain *= 1.0 - uncertain / seen
    return total
