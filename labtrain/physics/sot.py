r"""A three-terminal SOT-MTJ: pulses on its heavy-metal line switch it, its barrier is read.

Switching is a measured curve, not a formula of spin-transfer torque: with an
in-plane field the switching is not axially symmetric, and the STT expressions
(Neel-Brown, Fokker-Planck) do not hold.

A line voltage V of width t switches the state that its sign acts on with

.. math::

    P = (1-f)\,\sigma[k (|V| - V_{50})] + f\,\sigma[k (|V| - V_{50} - V_{gap})]

Positive V drives P to AP, negative V drives AP to P; the opposite state is left alone.

Defaults come from a measured device (P_sw at 0.75 ns, 200 Oe in plane, 776 ohm line):
P to AP V50 0.896 V, k 43 /V; AP to P V50 0.934 V, k 31 /V. The measured AP to P curve has a plateau
near 0.72; ``plateau`` (f above) models it and is 0 unless asked for.

Width: generators on a bench make 1.5-3 ns at least, so the curve is scaled.
``V50(t) = V50(t_ref) h(t)/h(t_ref)``, ``h(t) = (1 + t_b/t) (1 - ln(1 + t/t_a)/Delta)``. The first factor is
the ballistic law I_c = I_c0 + q/t of SOT switching below some nanoseconds (Garello et al.,
Appl. Phys. Lett. 105, 212402 (2014)); the second is thermal activation, which lowers V50
logarithmically above ``t_a``. ``k V50`` is kept constant: the relative width of the curve
is a property of the thermal spread. ``t_b``, ``t_a`` and ``Delta`` are assumptions of the right
size, not measured on that device; valid 0.2 ns to 1 ms.
"""

from __future__ import annotations

from typing import Any

from labtrain.errors import UsageError
from labtrain.physics import tunnelling
from labtrain.physics.namespaces import Parameters, namespace

SHORTEST_SECONDS = 0.2e-9
LONGEST_SECONDS = 1e-3


def width_factor(parameters: Parameters, seconds: Any) -> Any:
    """Return V50(seconds) / V50(t_ref); falls with ``seconds``.

    Raises
    ------
    UsageError
        Outside 0.2 ns to 1 ms, where nothing is known of the device.
    """
    xp = namespace(seconds)
    if not bool(xp.all((seconds >= SHORTEST_SECONDS) & (seconds <= LONGEST_SECONDS))):
        raise UsageError(
            f"pulse width {seconds!r} s is outside the SOT model's range, 0.2 ns to 1 ms",
            remedy="choose a width inside it",
        )
    return _shape(parameters, seconds) / _shape(parameters, parameters["t_ref"])


def switching_probability(parameters: Parameters, volts: Any, seconds: Any) -> Any:
    """Return the probability that a pulse switches the state that its sign acts on.

    Parameters
    ----------
    parameters
        ``v50_p_ap``, ``v50_ap_p`` (V at ``t_ref``), ``slope_p_ap``, ``slope_ap_p`` (1/V at ``t_ref``),
        ``t_ref``, ``t_ballistic``, ``t_activated`` (s), ``delta``, ``plateau`` (share f of AP to P),
        ``plateau_gap`` (V at ``t_ref``).
    volts
        At the line, signed: positive P to AP, negative AP to P; zero switches nothing.
    seconds
        Pulse width at half height, 0.2 ns to 1 ms.

    Raises
    ------
    UsageError
        For a width outside the range.
    """
    xp = namespace(volts, seconds, *parameters.values())
    scaled = volts / width_factor(parameters, seconds)
    up = _sigmoid(xp, parameters["slope_p_ap"] * (scaled - parameters["v50_p_ap"]))
    excess = -scaled - parameters["v50_ap_p"]
    share = parameters["plateau"]
    first = _sigmoid(xp, parameters["slope_ap_p"] * excess)
    second = _sigmoid(xp, parameters["slope_ap_p"] * (excess - parameters["plateau_gap"]))
    down = (1.0 - share) * first + share * second
    return xp.where(scaled > 0, up, xp.where(scaled < 0, down, 0.0 * down))


def line_resistance(parameters: Parameters) -> Any:
    """Return the resistance of the heavy-metal line in ohm (``r_line``)."""
    return parameters["r_line"]


def barrier_resistance(parameters: Parameters, volts: Any, antiparallel: Any) -> Any:
    """Return the barrier's resistance in ohm; see :func:`labtrain.physics.tunnelling.barrier_resistance`."""
    return tunnelling.barrier_resistance(parameters, volts, antiparallel)


def _shape(parameters: Parameters, seconds: Any) -> Any:
    xp = namespace(seconds, parameters["t_activated"])
    activated = 1.0 - xp.log1p(seconds / parameters["t_activated"]) / parameters["delta"]
    return (1.0 + parameters["t_ballistic"] / seconds) * activated


def _sigmoid(xp: Any, argument: Any) -> Any:
    return 0.5 * (1.0 + xp.tanh(0.5 * argument))
