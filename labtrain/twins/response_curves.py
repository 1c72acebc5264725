"""Two shapes of P_sw(V): logistic, and logistic between plateaus."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.special import expit, logit

from labtrain.twins.binomial import Counts, ResponseCurve
from labtrain.twins.fit import Floats


def _line_through_logits(counts: Counts, low: float = 0.0, high: float = 1.0) -> tuple[float, float]:
    """Return a first (v50, slope) from a weighted line through the empirical logits."""
    rates = (counts.successes + 0.5) / (counts.trials + 1)
    inside = np.clip((rates - low) / (high - low), 0.02, 0.98)
    weight = counts.trials * inside * (1 - inside)
    centre = np.average(counts.x, weights=weight)
    z = logit(inside)
    spread = np.average((counts.x - centre) ** 2, weights=weight)
    slope = np.average((counts.x - centre) * (z - np.average(z, weights=weight)), weights=weight) / spread
    slope = slope if abs(slope) > 0 else 1.0 / np.ptp(counts.x)
    return float(centre - np.average(z, weights=weight) / slope), float(slope)


def _volts(x: Floats) -> Floats:
    """Voltages of a stimulus; these curves know no pulse width."""
    return x if x.ndim == 1 else x[:, 0]


@final
class LogisticCurve(ResponseCurve):
    """P(V) = 1 / (1 + exp(-slope (V - v50))); a negative slope for a falling curve."""

    name = "logistic"
    parameter_names = ("v50", "slope")
    lower = np.array([-np.inf, -np.inf])
    upper = np.array([np.inf, np.inf])

    def probability(self, theta: Floats, x: Floats) -> Floats:
        """P(V)."""
        return np.asarray(expit(theta[1] * (_volts(x) - theta[0])))

    def jacobian(self, theta: Floats, x: Floats) -> Floats:
        """dP/d(v50, slope)."""
        p = self.probability(theta, x)
        return np.stack([-theta[1] * p * (1 - p), (_volts(x) - theta[0]) * p * (1 - p)], axis=1)

    def start(self, counts: Counts) -> Floats:
        """Begin at the line through the empirical logits."""
        return np.array(_line_through_logits(counts))


@final
class PlateauedLogisticCurve(ResponseCurve):
    """P(V) = low + (high - low) / (1 + exp(-slope (V - v50))), plateaus within 0 to 1.

    Incoherent reversal leaves such plateaus in spin-orbit-torque switching at short pulses.
    """

    name = "plateaued-logistic"
    parameter_names = ("v50", "slope", "low", "high")
    lower = np.array([-np.inf, -np.inf, 0.0, 0.0])
    upper = np.array([np.inf, np.inf, 1.0, 1.0])

    def probability(self, theta: Floats, x: Floats) -> Floats:
        """P(V)."""
        return np.asarray(theta[2] + (theta[3] - theta[2]) * expit(theta[1] * (_volts(x) - theta[0])))

    def jacobian(self, theta: Floats, x: Floats) -> Floats:
        """dP/d(v50, slope, low, high)."""
        s = expit(theta[1] * (_volts(x) - theta[0]))
        rise = (theta[3] - theta[2]) * s * (1 - s)
        return np.stack([-theta[1] * rise, (_volts(x) - theta[0]) * rise, 1 - s, s], axis=1)

    def start(self, counts: Counts) -> Floats:
        """Begin with plateaus a little inside the observed extremes."""
        rates = (counts.successes + 0.5) / (counts.trials + 1)
        rising = np.corrcoef(counts.x, rates)[0, 1] >= 0
        ends = (rates[:2].mean(), rates[-2:].mean())
        low, high = (ends if rising else ends[::-1]) if abs(ends[0] - ends[1]) > 0.1 else (0.01, 0.99)
        low, high = float(np.clip(low, 0.005, 0.45)), float(np.clip(high, 0.55, 0.995))
        return np.array([*_line_through_logits(counts, low, high), low, high])
