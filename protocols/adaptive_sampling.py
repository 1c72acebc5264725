"""Which amplitude to try next: where the switching curve is least certain.

A posterior over the logistic curve's (v50, slope) is kept on a grid. The next amplitude is drawn among
those whose outcome is expected to say most about both, by mutual information (D. V. Lindley, Ann. Math.
Stat. 27, 986, 1956; N. Houlsby et al., arXiv:1112.5745). Once both are roughly known these are the two
amplitudes near P = 0.18 and 0.82 of a D-optimal design (R. L. Minkin, J. Am. Stat. Assoc. 82, 1098, 1987);
drawing one of them leaves no fixed order for drift to hide in.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

WIDTH_TIMES_SLOPE = 2 * np.log(9.0)
"""10-90 % width of a logistic curve times its slope."""

_V50S, _SLOPES, _CANDIDATES = 61, 25, 41
_REACH = 6.0
_FINE = 4.0
_SHARPNESS = 8.0
_SLOPE_KNOWN = 0.2


@final
class AmplitudeSampler:
    """Chooses amplitudes for one curve and knows how well its v50 is known.

    Parameters
    ----------
    low, high
        Amplitudes that may be tried, in V; v50 is believed to lie between them.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._span = high - low
        widest, narrowest = WIDTH_TIMES_SLOPE / self._span, 200 * WIDTH_TIMES_SLOPE / self._span
        self._slopes = (float(np.log(widest)), float(np.log(narrowest)))
        self._volts: list[float] = []
        self._switched: list[bool] = []
        self._lay_out((low, high), self._slopes)

    @property
    def attempts(self) -> int:
        """How many outcomes are known."""
        return len(self._volts)

    def known(self, precision: float) -> bool:
        """Whether the standard deviation of v50 is ``precision`` V or less, and the slope known to a fifth.

        Without the latter it would stop at the first lucky moment, with intervals that are too short.
        """
        _, uncertainty, _, spread = self._moments()
        return spread <= _SLOPE_KNOWN and uncertainty <= precision

    def next(self, uniform: float) -> float:
        """Return the next amplitude in V; ``uniform`` draws one among those that say most."""
        levels = self._candidates()
        weights = self._information(levels) ** _SHARPNESS
        cumulated = np.cumsum(weights)
        if not cumulated[-1] > 0:
            return float(levels[int(uniform * len(levels))])
        return float(levels[int(np.searchsorted(cumulated, uniform * cumulated[-1]))])

    def learn(self, volts: float, switched: bool) -> None:
        """Take one outcome in."""
        self._volts.append(volts)
        self._switched.append(switched)
        self._log_posterior += self._log_likelihood(np.array([volts]), np.array([switched]))
        v50, uncertainty, ln_slope, spread = self._moments()
        if uncertainty < _FINE * self._step[0] or spread < _FINE * self._step[1]:
            self._zoom(v50, uncertainty, ln_slope, spread)

    def _zoom(self, v50: float, uncertainty: float, ln_slope: float, spread: float) -> None:
        """Lay a finer grid around what is believed now, and take everything in again."""
        reach = max(_REACH * uncertainty, 1e-9)
        v50s = (max(v50 - reach, self._low), min(v50 + reach, self._high))
        reach = max(_REACH * spread, 1e-3)
        slopes = (max(ln_slope - reach, self._slopes[0]), min(ln_slope + reach, self._slopes[1]))
        if v50s[1] - v50s[0] > 0.7 * np.ptp(self._v50) and slopes[1] - slopes[0] > 0.7 * np.ptp(self._ln):
            return
        self._lay_out(v50s, slopes)
        self._log_posterior += self._log_likelihood(np.array(self._volts), np.array(self._switched))

    def _lay_out(self, v50s: tuple[float, float], slopes: tuple[float, float]) -> None:
        self._v50 = np.linspace(*v50s, _V50S)[:, None]
        self._ln = np.linspace(*slopes, _SLOPES)[None, :]
        self._step = (float(np.ptp(self._v50)) / (_V50S - 1), float(np.ptp(self._ln)) / (_SLOPES - 1))
        self._log_posterior: Floats = np.zeros((_V50S, _SLOPES))

    def _log_likelihood(self, volts: Floats, switched: NDArray[np.bool_]) -> Floats:
        """Sum of ln P(outcome) over ``[m]`` attempts, ``[v50, slope]``."""
        exponent = (volts[:, None, None] - self._v50) * np.exp(self._ln)
        signed = np.where(switched[:, None, None], exponent, -exponent)
        return np.asarray(-np.logaddexp(0.0, -signed).sum(axis=0), dtype=np.float64)

    def _posterior(self) -> Floats:
        weights = np.exp(self._log_posterior - self._log_posterior.max())
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def _moments(self) -> tuple[float, float, float, float]:
        """Mean and deviation of v50 and of the slope's logarithm."""
        weights = self._posterior()
        v50 = float((weights * self._v50).sum())
        ln_slope = float((weights * self._ln).sum())
        variance = float((weights * (self._v50 - v50) ** 2).sum())
        spread = float((weights * (self._ln - ln_slope) ** 2).sum())
        return v50, float(np.sqrt(variance)), ln_slope, float(np.sqrt(spread))

    def _candidates(self) -> Floats:
        """Amplitudes worth asking about: around the transition, as wide as it may still be."""
        v50, uncertainty, ln_slope, spread = self._moments()
        reach = 2 * uncertainty + WIDTH_TIMES_SLOPE / np.exp(ln_slope - spread)
        low, high = max(v50 - reach, self._low), min(v50 + reach, self._high)
        return np.linspace(low, high, _CANDIDATES)

    def _information(self, levels: Floats) -> Floats:
        """Mutual information of one outcome at each level and the curve's parameters, in nats."""
        weights = self._posterior()
        p = special.expit((levels[:, None, None] - self._v50) * np.exp(self._ln))
        return np.maximum(
            _entropy((weights * p).sum(axis=(1, 2))) - (weights * _entropy(p)).sum(axis=(1, 2)), 0.0
        )


def _entropy(p: Floats) -> Floats:
    """Of a coin, in nats."""
    q = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-q * np.log(q) - (1 - q) * np.log1p(-q))
