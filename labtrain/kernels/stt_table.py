"""Spin-transfer switching probability over the whole range, from a table of Fokker-Planck solutions.

The table holds ``ln(-ln(1 - P))``, the logarithm of the integrated switching rate, on a regular
grid of (Delta, i, ln tau) and is interpolated by cubic splines. It is computed when
it is first needed (seconds) and kept for the process. Works in NumPy on the CPU.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from labtrain.errors import UsageError
from labtrain.kernels.tridiagonal import march
from labtrain.physics.fokker_planck import well_and_generator
from labtrain.physics.namespaces import Parameters

Floats = NDArray[np.float64]

DELTAS = np.arange(20.0, 101.0, 10.0)
CURRENTS = np.arange(-0.2, 6.01, 0.1)
LOG_TAUS = np.linspace(np.log(0.1), np.log(1e7), 75)
_GONE = 1e-6
_CELLS, _STEPS = 400, 6


def probability(delta: Any, i: Any, tau: Any) -> Floats:
    """Return P_sw of a rectangular pulse, broadcast over its arguments.

    Parameters
    ----------
    delta
        Thermal stability, 20 to 100.
    i
        Reduced current; below -0.2 as at -0.2 (nothing switches), above 6 as at 6.
    tau
        Pulse width over tau_D; 0.1 to 1e7.

    Raises
    ------
    UsageError
        Outside the ranges of ``delta`` and ``tau``.
    """
    delta, i, tau = np.broadcast_arrays(
        np.asarray(delta, np.float64), np.asarray(i, np.float64), np.asarray(tau, np.float64)
    )
    inside = (delta >= DELTAS[0]) & (delta <= DELTAS[-1]) & (tau >= 0.1) & (tau <= 1e7)
    if not np.all(inside):
        raise UsageError(
            "the switching table covers Delta 20 to 100 and pulses of 0.1 to 1e7 tau_D",
            remedy="choose a device and a pulse width inside it",
        )
    shape = delta.shape
    places = [
        (delta - DELTAS[0]) / (DELTAS[1] - DELTAS[0]),
        np.clip((i - CURRENTS[0]) / (CURRENTS[1] - CURRENTS[0]), 0.0, len(CURRENTS) - 1.0),
        (np.log(tau) - LOG_TAUS[0]) / (LOG_TAUS[1] - LOG_TAUS[0]),
    ]
    points = [np.atleast_1d(place) for place in places]
    rate = map_coordinates(_coefficients(), points, order=3, prefilter=False, mode="nearest")
    result: Floats = -np.expm1(-np.exp(rate)).reshape(shape)
    return result


def switching_probability(parameters: Parameters, volts: Any, seconds: Any) -> Floats:
    """Return P_sw of pulses across the barrier, signed volts: positive P to AP.

    Parameters
    ----------
    parameters
        ``delta``, ``v_c0_p_ap``, ``v_c0_ap_p`` (V), ``tau_d`` (s).
    volts, seconds
        Amplitude and width; ``seconds / tau_d`` between 0.1 and 1e7.
    """
    volts = np.asarray(volts, dtype=np.float64)
    critical = np.where(volts > 0, parameters["v_c0_p_ap"], parameters["v_c0_ap_p"])
    return probability(parameters["delta"], np.abs(volts) / critical, seconds / parameters["tau_d"])


@lru_cache(maxsize=1)
def _coefficients() -> Floats:
    table = np.empty((len(DELTAS), len(CURRENTS), len(LOG_TAUS)))
    for d, delta in enumerate(DELTAS):
        for c, current in enumerate(CURRENTS):
            table[d, c] = _log_rate(float(delta), float(current))
    coefficients: Floats = spline_filter(table, order=3, mode="nearest")
    return coefficients


def _log_rate(delta: float, current: float) -> Floats:
    """``ln(-ln(1 - P))`` at every time of the grid."""
    intervals = np.diff(np.exp(LOG_TAUS), prepend=0.0)
    well, generator, half = well_and_generator(delta, current, _CELLS)
    below, above = march(generator, well, intervals, _STEPS, half)
    # Whichever side is small carries the accuracy.
    high = below < 0.5
    rate = np.where(
        high, -np.log(np.maximum(below, _GONE)), -np.log1p(-np.where(high, 0.5, np.maximum(above, 0.0)))
    )
    logarithm = np.log(np.maximum(rate, 1e-300))
    # Where hardly anything is left the slowest mode alone decays, in proportion to time.
    steady = int(np.argmax(below < _GONE)) - 1
    if steady >= 0:
        logarithm[steady:] = logarithm[steady] + LOG_TAUS[steady:] - LOG_TAUS[steady]
    return logarithm
