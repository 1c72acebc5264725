r"""The MTJ nano-neuron: voltage across a superparamagnetic junction at a current.

The junction flips between its two states much faster than a reading lasts, so a
reading sees their average

.. math::

    V = V_j + I R_s, \quad V_j = I R_P [1 + TMR(V_j)\, p_{AP}(I)], \quad
    TMR(V) = \frac{TMR_0}{1 + (V/V_h)^2}, \quad
    p_{AP}(I) = \frac{1}{1 + \exp[-s (I - I_{50} - I_{field})/w]}

with polarity ``s``: +1 raises the resistance with current (monotonic V(I)), -1
lowers it (non-monotonic V(I) where the step outweighs the linear term).
``w = I_c0 / (2 Delta)`` for linear barriers. R_P is taken as independent of bias: in
MgO junctions almost all of the bias dependence is in R_AP.

Sources: bias dependence of the TMR, Zhang et al., Phys. Rev. Lett. 79, 3744 (1997)
and its Lorentzian form in MTJ compact models; two-state occupation under spin torque,
Rippard et al., Phys. Rev. B 84, 064439 (2011), Mizrahi et al., Nat. Commun. 9, 1533 (2018).

Parameters (mapping): ``r_p`` (ohm), ``tmr0`` (1.2 = 120 %), ``v_h`` (V), ``i50`` (A),
``w`` (A), ``r_series`` (ohm), ``tau_c`` (s); optional ``polarity`` (+1/-1, default +1),
``field_shift`` (A, default 0), ``read_noise`` (V rms of every reading, default 0),
``stuck`` (1: free layer pinned in P, default 0).
"""

from __future__ import annotations

from typing import Any

from labtrain.physics.namespaces import Parameters, namespace

_NEWTON_STEPS = 6


def antiparallel_share(parameters: Parameters, amperes: Any) -> Any:
    """Return the share of time p_AP in the antiparallel state, 0 to 1, shape of the broadcast."""
    xp = namespace(amperes, *parameters.values())
    centre = parameters["i50"] + parameters.get("field_shift", 0.0)
    argument = parameters.get("polarity", 1.0) * (amperes - centre) / parameters["w"]
    # tanh instead of exp: no overflow at any current.
    share = 0.5 * (1.0 + xp.tanh(0.5 * argument))
    return share * (1.0 - parameters.get("stuck", 0.0))


def mean_voltage(parameters: Parameters, amperes: Any) -> Any:
    """Return V(I) without noise, in V.

    Parameters
    ----------
    parameters
        See the module's description; floats or arrays.
    amperes
        Current through the device, any sign and shape, NumPy or any array-API namespace.

    Notes
    -----
    With ``x = V_j/V_h`` and ``a = I R_P/V_h`` the equation is the cubic
    ``x^3 - a x^2 + x - a (1 + TMR0 p) = 0``. It has one root with the sign of ``a``, and
    Newton's method from ``a (1 + TMR0 p)`` falls on it monotonically. Six steps reach
    1e-12 relative for ``|I R_P| <= 2 V_h`` and ``TMR0 <= 3``, far above any junction's life.
    """
    share = antiparallel_share(parameters, amperes)
    reduced = _reduced_voltage(parameters, amperes, share)
    return reduced * parameters["v_h"] + amperes * parameters["r_series"]


def slope(parameters: Parameters, amperes: Any) -> Any:
    """Return the exact derivative dV/dI in ohm (implicit differentiation of the cubic)."""
    share = antiparallel_share(parameters, amperes)
    x = _reduced_voltage(parameters, amperes, share)
    unit = parameters["r_p"] / parameters["v_h"]
    a = amperes * unit
    tmr = parameters["tmr0"]
    pinned = 1.0 - parameters.get("stuck", 0.0)
    share_slope = parameters.get("polarity", 1.0) * share * (pinned - share) / parameters["w"]
    top = (x * x + 1.0 + tmr * share) * unit + a * tmr * share_slope
    bottom = (3.0 * x - 2.0 * a) * x + 1.0
    return top / bottom * parameters["v_h"] + parameters["r_series"]


def window_noise(parameters: Parameters, amperes: Any, seconds: Any) -> Any:
    """Return the standard deviation in V of a reading averaged over ``seconds``.

    The telegraph signal between the two states, of height ``I R_P TMR(V)`` and correlation
    time ``tau_c``, averaged over the window T (Machlup, J. Appl. Phys. 25, 341 (1954)):
    ``var = dV^2 2 p (1-p) (tau_c/T) [1 - (tau_c/T)(1 - exp(-T/tau_c))]``, which is
    ``dV^2 2 p (1-p) tau_c/T`` for long windows and ``dV^2 p (1-p)`` for short ones. ``tau_c`` is
    taken as constant: away from I50 it is shorter, so this errs to the noisy side.
    ``read_noise`` is added in quadrature.
    """
    xp = namespace(amperes, seconds, *parameters.values())
    share = antiparallel_share(parameters, amperes)
    x = _reduced_voltage(parameters, amperes, share)
    step = amperes * parameters["r_p"] * parameters["tmr0"] / (1.0 + x * x)
    ratio = parameters["tau_c"] / (seconds + 0.0 * amperes)
    averaging = 2.0 * ratio * (1.0 + ratio * xp.expm1(-1.0 / ratio))
    pinned = 1.0 - parameters.get("stuck", 0.0)
    variance = step * step * share * (pinned - share) * averaging
    return xp.sqrt(variance + parameters.get("read_noise", 0.0) ** 2)


def _reduced_voltage(parameters: Parameters, amperes: Any, share: Any) -> Any:
    """Solve the cubic for V_j/V_h."""
    a = amperes * (parameters["r_p"] / parameters["v_h"])
    constant = a * (1.0 + parameters["tmr0"] * share)
    x = constant
    for _ in range(_NEWTON_STEPS):
        x = x - (((x - a) * x + 1.0) * x - constant) / ((3.0 * x - 2.0 * a) * x + 1.0)
    return x
