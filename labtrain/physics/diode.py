"""A junction diode with series and shunt resistance: the commonest rectifying thing under a probe."""

from __future__ import annotations

from typing import Any

from labtrain.physics.namespaces import Parameters, namespace

BOLTZMANN_VOLTS = 8.617333262e-5
"""k/e in V/K."""

_STEPS = 30


def junction_voltage(parameters: Parameters, amperes: Any) -> Any:
    """Return the voltage across the junction itself, without the series resistance.

    Shockley's equation (Bell Syst. Tech. J. 28, 435 (1949)) beside a shunt:
    ``I = I_s [exp(v / n V_T) - 1] + v / R_shunt``. The equation is convex and rising; Newton's method starts
    at or above the root and falls on it monotonically.

    Parameters
    ----------
    parameters
        ``saturation_current`` (A), ``ideality``, ``kelvin`` (K), ``r_shunt`` (ohm).
    amperes
        Through the device, any sign.
    """
    xp = namespace(amperes, *parameters.values())
    thermal = parameters["ideality"] * BOLTZMANN_VOLTS * parameters["kelvin"]
    saturation, shunt = parameters["saturation_current"], 1.0 / parameters["r_shunt"]
    forward = xp.where(amperes > 0, amperes, 0.0 * amperes)
    v = thermal * xp.log1p(forward / saturation)
    for _ in range(_STEPS):
        error = saturation * xp.expm1(v / thermal) + v * shunt - amperes
        v = v - error / (saturation / thermal * xp.exp(v / thermal) + shunt)
    return v


def voltage(parameters: Parameters, amperes: Any) -> Any:
    """Return V(I) in V, ``r_series`` (ohm) included; see :func:`junction_voltage`."""
    return junction_voltage(parameters, amperes) + amperes * parameters["r_series"]


def slope(parameters: Parameters, amperes: Any) -> Any:
    """Return dV/dI in ohm."""
    xp = namespace(amperes, *parameters.values())
    thermal = parameters["ideality"] * BOLTZMANN_VOLTS * parameters["kelvin"]
    v = junction_voltage(parameters, amperes)
    conductance = parameters["saturation_current"] / thermal * xp.exp(v / thermal)
    return 1.0 / (conductance + 1.0 / parameters["r_shunt"]) + parameters["r_series"]
