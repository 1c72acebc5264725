"""What a fit says about one device: values, uncertainties, quality, and whether to believe it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError

Verdict = Literal["describes", "does-not-describe", "insufficient"]
Floats = NDArray[np.float64]

SIGNIFICANCE = 1e-3
"""A model is rejected where data so far from it have a smaller probability than this."""


class TooFewData(DataError):
    """Sound data, but not enough of them for the model: a verdict "insufficient" where many are fitted."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One fitted parameter.

    Attributes
    ----------
    value
        In ``unit``.
    uncertainty
        One standard deviation, NaN where the data do not determine it.
    unit
        A unit that pint reads.
    interval
        The 95 % interval, infinite on a side that the data leave open.
    fixed
        Whether the value was given and not fitted.
    """

    value: float
    uncertainty: float
    unit: str
    interval: tuple[float, float] = (-math.inf, math.inf)
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    """What was fitted, one entry a stimulus, and the fitted curve at the same places.

    Attributes
    ----------
    stimulus, observed, sigma, fitted
        Each ``[m]``; ``sigma`` is the standard deviation of ``observed`` under the model.
    stimulus_unit, observed_unit
        Their units.
    band
        ``[m]`` standard deviation of ``fitted`` by the uncertainty of the parameters; None where not known.
        What a fresh reading differs from ``fitted`` has the deviation ``hypot(sigma, band)``.
    series, series_unit
        ``[m]`` what sorts the points into several curves, such as the pulse width; None for one curve.
    """

    stimulus: Floats
    observed: Floats
    sigma: Floats
    fitted: Floats
    stimulus_unit: str
    observed_unit: str
    series: Floats | None = None
    series_unit: str = ""
    band: Floats | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """One model fitted to one device.

    Attributes
    ----------
    chi2_reduced
        About 1 where the model describes the data; NaN without degrees of freedom.
    probability
        Of data at least this far from the model, if the model were true.
    verdict
        ``"describes"``, ``"does-not-describe"`` or ``"insufficient"``.
    better_model
        The model that does better, where another one does.
    reason
        Why the verdict is what it is, in words.
    validity
        Range of each stimulus that the data cover: {quantity: (low, high, unit)}.
    correlation
        Of the fitted parameters, in the order of those that are not fixed, ``[p, p]``.
    """

    model: str
    parameters: Mapping[str, Estimate]
    chi2_reduced: float
    probability: float
    verdict: Verdict
    reason: str
    better_model: str | None = None
    validity: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)
    correlation: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    points: Points | None = None

    def summary(self) -> dict[str, Any]:
        """Return the fit as strict JSON data (None where a number is not finite)."""
        return {
            "model": self.model,
            "parameters": {
                name: {
                    "value": _number(estimate.value),
                    "uncertainty": _number(estimate.uncertainty),
                    "unit": estimate.unit,
                    "interval95": [_number(end) for end in estimate.interval],
                    "fixed": estimate.fixed,
                }
                for name, estimate in self.parameters.items()
            },
            "chi2_reduced": _number(self.chi2_reduced),
            "probability": _number(self.probability),
            "verdict": self.verdict,
            "better_model": self.better_model,
            "reason": self.reason,
            "validity": {
                name: {"low": low, "high": high, "unit": unit}
                for name, (low, high, unit) in self.validity.items()
            },
        }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
