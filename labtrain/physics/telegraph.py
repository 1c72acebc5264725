r"""The superparamagnetic MTJ: random telegraph switching with a voltage-tuned duty cycle.

.. math::

    \tau_P = \tau_0 e^{\Delta (1 - v)}, \quad \tau_{AP} = \tau_0 e^{\Delta (1 + v)}, \quad
    v = (V - V_{50})/V_c

Barriers linear in V (b = 1): a spin torque acts on the effective temperature of a macrospin
linearly near equilibrium (Li and Zhang, Phys. Rev. B 69, 134416 (2004)), and measured dwell times of
small junctions are log-linear in V (Mizrahi et al., Nat. Commun. 9, 1533 (2018)). Quadratic
barriers would double the slope to ``sigmoid(4 Delta V/V_c)``.

Parameters: ``delta``, ``v50`` (V), ``v_c`` (V), ``tau0`` (s); optional ``v50_drift_per_hour`` (V).
Valid for ``|v| < 1``, where a barrier is left on both sides.
"""

from __future__ import annotations

import math
from typing import Any

from labtrain.noise import normal_quantile
from labtrain.physics.namespaces import Parameters, namespace


def reduced_bias(parameters: Parameters, volts: Any, seconds: Any = 0.0) -> Any:
    """Return ``v = (V - V50)/V_c`` after ``seconds`` of drift of V50."""
    drift = parameters.get("v50_drift_per_hour", 0.0) * (seconds / 3600.0)
    return (volts - parameters["v50"] - drift) / parameters["v_c"]


def antiparallel_probability(parameters: Parameters, volts: Any, seconds: Any = 0.0) -> Any:
    """Return p_AP = 1 / (1 + exp[-2 Delta v]), the share of time in the antiparallel state."""
    argument = parameters["delta"] * reduced_bias(parameters, volts, seconds)
    return 0.5 * (1.0 + namespace(argument).tanh(argument))


def dwell_times(parameters: Parameters, volts: Any, seconds: Any = 0.0) -> tuple[Any, Any]:
    """Return the mean dwell times (tau_P, tau_AP) in s."""
    v = reduced_bias(parameters, volts, seconds)
    xp = namespace(v, *parameters.values())
    barrier = parameters["delta"] * (1.0 + 0.0 * v)
    tilt = parameters["delta"] * v
    return parameters["tau0"] * xp.exp(barrier - tilt), parameters["tau0"] * xp.exp(barrier + tilt)


def correlation_time(parameters: Parameters, volts: Any, seconds: Any = 0.0) -> Any:
    """Return tau_c = (1/tau_P + 1/tau_AP)^-1 in s; the autocorrelation is exp(-|t|/tau_c)."""
    parallel, antiparallel = dwell_times(parameters, volts, seconds)
    return 1.0 / (1.0 / parallel + 1.0 / antiparallel)


def thresholds(parameters: Parameters, volts: Any, interval: Any, seconds: Any = 0.0) -> tuple[Any, Any]:
    """Return (low, high): at the next sample a uniform below ``low`` gives AP, from ``high`` on P.

    Between them the device keeps its state. This is the exact two-state Markov chain of the
    telegraph process sampled every ``interval`` s: memory ``rho = exp(-interval/tau_c)``,
    ``low = p (1 - rho)``, ``high = low + rho``.
    """
    p = antiparallel_probability(parameters, volts, seconds)
    ratio = interval / correlation_time(parameters, volts, seconds)
    xp = namespace(ratio)
    low = -p * xp.expm1(-ratio)
    return low, low + xp.exp(-ratio)


def window_share(
    parameters: Parameters,
    volts: float,
    antiparallel: bool,
    aperture: float,
    uniforms: Any,
    seconds: float = 0.0,
) -> float:
    """Return the share of an aperture that one device spends in AP, starting from a given state.

    Dwell times are drawn one after the other; where an aperture holds more of them than there are
    uniforms for, the share is normal about p_AP with the variance of averaged telegraph noise
    (Machlup, J. Appl. Phys. 25, 341 (1954)), as in :func:`labtrain.physics.neuron.window_noise`.

    Parameters
    ----------
    aperture
        In s.
    uniforms
        ``[m]`` in (0, 1); 64 suffice.
    """
    parallel, anti = dwell_times(parameters, volts, seconds)
    ratio = 1.0 / (aperture / parallel + aperture / anti)
    if 1.0 / ratio > 0.4 * len(uniforms):
        p = float(antiparallel_probability(parameters, volts, seconds))
        variance = 2.0 * p * (1.0 - p) * ratio * (1.0 - ratio)
        share = p + math.sqrt(variance) * float(normal_quantile(uniforms[0]))
        return min(max(share, 0.0), 1.0)
    here, left, share = bool(antiparallel), aperture, 0.0
    for uniform in uniforms:
        dwell = min(-(anti if here else parallel) * math.log(uniform), left)
        share += dwell if here else 0.0
        left -= dwell
        here = not here
        if left <= 0.0:
            break
    return share / aperture


def dwell_sample(mean_seconds: Any, uniform: Any) -> Any:
    """Return exponentially distributed dwell times from uniforms in (0, 1)."""
    return -mean_seconds * namespace(uniform).log(uniform)
