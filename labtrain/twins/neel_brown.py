"""Thermally activated switching: P_sw(V, t) of a barrier that the voltage lowers, for binomial fits."""

from __future__ import annotations

from typing import final

import numpy as np

from labtrain.physics.stt import neel_brown
from labtrain.twins.binomial import Counts, ResponseCurve
from labtrain.twins.fit import Floats

ATTEMPT_SECONDS = 1e-9
"""tau0, as usual held at 1 ns: counts do not tell it from Delta."""

MACROSPIN_EXPONENT = 2.0
_NEAR = 1e-9


@final
class NeelBrownCurve(ResponseCurve):
    """P = 1 - exp[-(t/tau0) exp(-Delta (1 - |V|/V_c)^b)] (W. F. Brown, Phys. Rev. 130, 1677, 1963).

    The stimulus is (V, t), ``[m, 2]``, all voltages of one sign. Pulses of one width leave a ridge of
    Delta, V_c and b that describe the same curve; then ``exponent`` is to be held (2: the macrospin's).
    """

    name = "neel-brown"

    def __init__(self, exponent: float | None = None) -> None:
        self.exponent = exponent
        self.parameter_names = ("delta", "v_c") if exponent else ("delta", "v_c", "exponent")
        count = len(self.parameter_names)
        self.lower = np.array([1.0, 1e-4, 0.2])[:count]
        self.upper = np.array([1000.0, 100.0, 6.0])[:count]

    def _parts(self, theta: Floats, x: Floats) -> tuple[Floats, Floats, float]:
        exponent = self.exponent or float(theta[2])
        return np.abs(x[:, 0]) / theta[1], x[:, 1], exponent

    def probability(self, theta: Floats, x: Floats) -> Floats:
        """P(V, t)."""
        i, seconds, exponent = self._parts(theta, x)
        return np.asarray(neel_brown(theta[0], i, seconds, exponent=exponent, tau0=ATTEMPT_SECONDS))

    def jacobian(self, theta: Floats, x: Floats) -> Floats:
        """dP/d(delta, v_c, exponent)."""
        i, seconds, exponent = self._parts(theta, x)
        height = np.maximum(1.0 - i, 0.0)
        barrier = theta[0] * height**exponent
        rate = seconds / ATTEMPT_SECONDS * np.exp(-barrier)
        outer = -rate * np.exp(-rate)
        safe = np.maximum(height, _NEAR)
        slopes = [
            height**exponent,
            np.where(height > 0, theta[0] * exponent * safe ** (exponent - 1) * i / theta[1], 0.0),
            barrier * np.log(safe),
        ]
        return np.asarray(outer[:, None] * np.stack(slopes[: len(theta)], axis=1))

    def start(self, counts: Counts) -> Floats:
        """Scan Delta and V_c for the most likely pair at b = 1.5 (or the one held)."""
        highest = float(np.max(np.abs(counts.x)))
        p = (counts.successes + 0.5) / (counts.trials + 1)
        weights = counts.trials
        best, lowest = np.empty(0), np.inf
        for b in [self.exponent] if self.exponent else [1.0, 1.5, 2.0]:
            for delta in (10.0, 20.0, 30.0, 45.0, 60.0, 90.0):
                for v_c in highest * np.array([0.8, 1.0, 1.2, 1.5, 2.0, 3.0]):
                    theta = np.array([delta, v_c, b])[: len(self.parameter_names)]
                    q = np.clip(self.probability(theta, counts.stimulus), 1e-6, 1 - 1e-6)
                    cost = -float(np.sum(weights * (p * np.log(q) + (1 - p) * np.log1p(-q))))
                    if cost < lowest:
                        best, lowest = theta, cost
        return best
