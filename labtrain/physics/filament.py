r"""The Stanford-PKU model of filamentary RRAM: a tunnelling gap that a pulse opens and closes.

.. math::

    I = I_0\, e^{-g/g_0} \sinh(V/V_0), \quad
    \frac{dg}{dt} = -v_0\, e^{-E_a/kT} \sinh\!\frac{\gamma a_0 q V}{t_{ox} k T}, \quad
    \gamma = \gamma_0 - \beta (g/g_1)^3

Sources: Guan, Yu and Wong, IEEE Electron Device Lett. 33, 1405 (2012); Jiang et al., SISPAD 2014, 41;
:math:`\gamma` of the gap as there. Heating is left out: ``kelvin`` is the filament's temperature.

Parameters (mapping): ``i0`` (A), ``g0`` (m), ``v0`` (V), ``velocity`` (m/s), ``activation`` (eV), ``gamma0``,
``beta``, ``g1`` (m), ``spacing`` (a0, m), ``thickness`` (t_ox, m), ``kelvin`` (K), ``g_min``, ``g_max`` (m).
Valid inside the gap's bounds, for pulses whose step moves the gap by less than ``g0``.
"""

from __future__ import annotations

from typing import Any, Final

from labtrain.physics.diode import BOLTZMANN_VOLTS
from labtrain.physics.namespaces import Parameters, namespace

HFOX: Final[Parameters] = {
    "i0": 1e-3,
    "g0": 0.25e-9,
    "v0": 0.25,
    "velocity": 10.0,
    "activation": 0.6,
    "gamma0": 16.0,
    "beta": 0.8,
    "g1": 1e-9,
    "spacing": 0.25e-9,
    "thickness": 12e-9,
    "kelvin": 298.0,
    "g_min": 0.2e-9,
    "g_max": 1.7e-9,
}
"""The published HfO_x set (Jiang et al. 2014), as a start for fits."""


def current(parameters: Parameters, gap: Any, volts: Any) -> Any:
    """Return I in A through a filament whose gap is ``gap`` (m)."""
    xp = namespace(gap, volts, *parameters.values())
    return parameters["i0"] * xp.exp(-gap / parameters["g0"]) * xp.sinh(volts / parameters["v0"])


def gap_rate(parameters: Parameters, gap: Any, volts: Any) -> Any:
    """Return dg/dt in m/s: positive volts close the gap (SET), negative open it."""
    xp = namespace(gap, volts, *parameters.values())
    thermal = BOLTZMANN_VOLTS * parameters["kelvin"]
    gamma = parameters["gamma0"] - parameters["beta"] * (gap / parameters["g1"]) ** 3
    field = gamma * parameters["spacing"] / parameters["thickness"] * volts / thermal
    return -parameters["velocity"] * xp.exp(-parameters["activation"] / thermal + 0.0 * gap) * xp.sinh(field)


def gap_after(parameters: Parameters, gap: Any, volts: Any, seconds: Any, steps: int = 200) -> Any:
    """Return the gap after ``seconds`` at constant ``volts``, inside its bounds (midpoint rule)."""
    xp = namespace(gap, volts, seconds, *parameters.values())
    step = seconds / steps
    g = gap + 0.0 * volts
    for _ in range(steps):
        middle = _bounded(xp, parameters, g + 0.5 * step * gap_rate(parameters, g, volts))
        g = _bounded(xp, parameters, g + step * gap_rate(parameters, middle, volts))
    return g


def _bounded(xp: Any, parameters: Parameters, gap: Any) -> Any:
    low, high = parameters["g_min"] + 0.0 * gap, parameters["g_max"] + 0.0 * gap
    return xp.where(gap < low, low, xp.where(gap > high, high, gap))
