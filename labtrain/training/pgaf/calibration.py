"""Each device's own V50, from attempts over a ladder of voltages: what spread costs, taken off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.switches import SwitchArray
from labtrain.errors import UsageError

REACH = 0.25
"""The ladder spans this share of the believed V50 to both sides."""


def calibrate(array: SwitchArray, v50: float, seconds: float, attempts: int) -> NDArray[np.float64]:
    """Return the V50 of every device, in V, from ``attempts`` attempts on each.

    The Spearman-Kaerber estimate of a curve's mean: top of the ladder less step times attempts that switched.
    It assumes no shape. Its variance is ``step^2 sum P (1 - P)``, for a logistic curve step / slope: an error
    of 10 mV for 100 attempts on 43 /V around 0.9 V (Spearman 1908; Miller, Biometrika 60, 535, 1973).

    Raises
    ------
    UsageError
        For fewer than 10 attempts, or an array whose limit does not reach above V50.
    """
    top = min(v50 * (1 + REACH), array.max_volts)
    if attempts < 10 or top <= v50:
        raise UsageError(
            f"{attempts} attempts up to {top:g} V cannot place a V50 near {v50:g} V",
            remedy="give calibration=10 or more, and a limit above V50",
            key="calibration",
        )
    levels, step = np.linspace(v50 * (1 - REACH), top, attempts, retstep=True)
    pulses = np.repeat(levels[:, None], len(array), axis=1)
    switched = np.asarray(array.attempt(pulses, seconds).switched)
    found: NDArray[np.float64] = top + step / 2 - step * switched.sum(axis=0)
    return found
