"""Bias dependence of a magnetic tunnel junction's resistance."""

from __future__ import annotations

from typing import Any

from labtrain.physics.namespaces import Parameters


def magnetoresistance(parameters: Parameters, volts: Any) -> Any:
    """Return TMR(V) = TMR0 / (1 + (V/V_h)^2), as a ratio (1.2 = 120 %).

    Parameters
    ----------
    parameters
        ``tmr0`` (ratio) and ``v_h`` (V, the bias that halves it; 0.4-0.8 in MgO junctions).
    volts
        Voltage across the barrier.
    """
    x = volts / parameters["v_h"]
    return parameters["tmr0"] / (1.0 + x * x)


def barrier_resistance(parameters: Parameters, volts: Any, antiparallel: Any) -> Any:
    """Return R in ohm at ``volts`` across the barrier.

    Parameters
    ----------
    parameters
        ``r_p`` (ohm), ``tmr0``, ``v_h``.
    antiparallel
        0 or False for the parallel state, 1 or True for the antiparallel one.
    """
    return parameters["r_p"] * (1.0 + magnetoresistance(parameters, volts) * antiparallel)


def conductance_at_angle(parameters: Parameters, volts: Any, cosine: Any) -> Any:
    """Return G in siemens at the cosine of the angle between the two layers.

    ``G = (G_P + G_AP)/2 + (G_P - G_AP)/2 cos(theta)`` (Slonczewski, Phys. Rev. B 39, 6995 (1989)).
    """
    parallel = 1.0 / parameters["r_p"]
    antiparallel = 1.0 / barrier_resistance(parameters, volts, 1.0)
    return 0.5 * (parallel + antiparallel) + 0.5 * (parallel - antiparallel) * cosine
