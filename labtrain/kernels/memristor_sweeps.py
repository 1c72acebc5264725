"""Currents of a memristor along a staircase of voltages, compiled: what fits of sweeps evaluate.

Equal to stepping :mod:`labtrain.physics.memristor` point by point: a reading at each voltage, which then
holds until the next one. VTEAM's state is exact (its rate is constant at a voltage); Yakopcic's takes
midpoint steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled, inlined

Floats = NDArray[np.float64]

SUBSTEPS = 4
"""Midpoint steps of Yakopcic's state between two readings."""

VTEAM = ("r_on", "r_off", "v_on", "v_off", "k_on", "k_off", "a_on", "a_off", "x0")
YAKOPCIC = (
    *("a1", "a2", "b", "b2", "a_p", "a_n", "v_p", "v_n", "r_series", "x0"),
    *("x_p", "x_n", "alpha_p", "alpha_n", "eta"),
)
YAKOPCIC_OFF = ("off1", "off2", "b_off", "b_off2")
"""Amplitudes and exponents of the current past the switched part; 0 where they are left out."""


def vteam_sweep(parameters: Mapping[str, float], volts: Floats, seconds: Floats, begins: Floats) -> Floats:
    """Return currents in A.

    Parameters
    ----------
    parameters
        :data:`VTEAM`: those of :func:`labtrain.physics.memristor.vteam_rate`, and the state ``x0`` at the
        start.
    volts, seconds
        ``[m]`` voltage and time of each reading.
    begins
        ``[m]``: 1 where a new sweep begins at ``x0``.
    """
    out: Floats = np.empty(len(volts))
    _vteam(np.array([parameters[name] for name in VTEAM]), volts, seconds, begins, out)
    return out


def yakopcic_sweep(parameters: Mapping[str, float], volts: Floats, seconds: Floats, begins: Floats) -> Floats:
    """Return currents in A, the device behind ``r_series``; arguments as :func:`vteam_sweep`.

    The threshold sees the whole voltage, the current law what the series resistance leaves of it.
    """
    out: Floats = np.empty(len(volts))
    theta = [parameters[name] for name in YAKOPCIC] + [parameters.get(name, 0.0) for name in YAKOPCIC_OFF]
    _yakopcic(np.array(theta), volts, seconds, begins, out)
    return out


@compiled
def _vteam(
    theta: Any, volts: Any, seconds: Any, begins: Any, out: Any
) -> None:  # pragma: no cover - compiled
    r_on, r_off, v_on, v_off, k_on, k_off, a_on, a_off, x0 = theta
    x = min(max(x0, 0.0), 1.0)
    for k in range(len(volts)):
        if begins[k] > 0:
            x = min(max(x0, 0.0), 1.0)
        v = volts[k]
        out[k] = v / (r_on + (r_off - r_on) * x)
        if k + 1 < len(volts):
            rate = 0.0
            if v > v_off:
                rate = k_off * (v / v_off - 1.0) ** a_off
            elif v < v_on:
                rate = k_on * (v / v_on - 1.0) ** a_on
            x = min(max(x + rate * (seconds[k + 1] - seconds[k]), 0.0), 1.0)


@inlined
def _window(x: Any, up: Any, x_p: Any, x_n: Any, alpha_p: Any, alpha_n: Any) -> Any:  # pragma: no cover
    if up:
        return np.exp(-alpha_p * (x - x_p)) * ((x_p - x) / (1.0 - x_p) + 1.0) if x >= x_p else 1.0
    return np.exp(alpha_n * (x + x_n - 1.0)) * x / (1.0 - x_n) if x <= 1.0 - x_n else 1.0


@inlined
def _junction(
    v: Any, scale: Any, b: Any, off: Any, b_off: Any, r_series: Any
) -> Any:  # pragma: no cover - compiled
    """Current of two such sinh behind a resistor: Newton from ``j = |v|``, monotone because convex."""
    size = abs(v)
    j = size
    for _ in range(80):
        grown = scale * np.sinh(min(b * j, 700.0))
        slope = scale * b * np.cosh(min(b * j, 700.0))
        if off > 0:
            grown += off * np.sinh(min(b_off * j, 700.0))
            slope += off * b_off * np.cosh(min(b_off * j, 700.0))
        move = (j + r_series * grown - size) / (1.0 + r_series * slope)
        j -= move
        if abs(move) < 1e-11:
            break
    grown = scale * np.sinh(min(b * j, 700.0))
    if off > 0:
        grown += off * np.sinh(min(b_off * j, 700.0))
    return np.copysign(grown, v)


@compiled
def _yakopcic(
    theta: Any, volts: Any, seconds: Any, begins: Any, out: Any
) -> None:  # pragma: no cover - compiled
    a1, a2, b, b2, a_p, a_n, v_p, v_n, r_series, x0, x_p, x_n, alpha_p, alpha_n, eta = theta[:15]
    off1, off2, b_off, b_off2 = theta[15:]
    x = min(max(x0, 0.0), 1.0)
    for k in range(len(volts)):
        if begins[k] > 0:
            x = min(max(x0, 0.0), 1.0)
        v = volts[k]
        if v >= 0:
            out[k] = _junction(v, a1 * x, b, off1 * (1.0 - x), b_off, r_series)
        else:
            out[k] = _junction(v, a2 * x, b2, off2 * (1.0 - x), b_off2, r_series)
        if k + 1 < len(volts):
            step = (seconds[k + 1] - seconds[k]) / SUBSTEPS
            g = 0.0
            if v > v_p:
                g = eta * a_p * (np.exp(v) - np.exp(v_p))
            elif v < -v_n:
                g = -eta * a_n * (np.exp(-v) - np.exp(v_n))
            if g != 0.0 and step > 0:
                up = eta * v >= 0
                for _ in range(SUBSTEPS):
                    half = x + 0.5 * step * g * _window(x, up, x_p, x_n, alpha_p, alpha_n)
                    half = min(max(half, 0.0), 1.0)
                    x += step * g * _window(half, up, x_p, x_n, alpha_p, alpha_n)
                    x = min(max(x, 0.0), 1.0)
