r"""Memristor cells: pulse model with soft bounds, VTEAM, Yakopcic; noise, relaxation, drift.

Cycle-to-cycle noise enters as a standard normal ``xi`` given by the caller (addressed, see
:mod:`labtrain.noise`); device-to-device spread is in the parameters. They are separate fields.
"""

from __future__ import annotations

from typing import Any

from labtrain.physics.namespaces import Parameters, namespace

WRITE_PARAMETERS = (
    *("g_min", "g_max", "stuck", "write_noise", "write_gain", "write_cycle"),
    *("asymmetry", "soft_bounds", "levels", "endurance"),
)
"""What :func:`written` looks at, and the writes that a cell lasts."""
READ_PARAMETERS = ("read_noise", "read_flicker")
RELAXATION_PARAMETERS = ("g_min", "g_max", "relax_mean", "relax_spread")


def soft_bounds_step(parameters: Parameters, siemens: Any, polarity: Any, xi: Any = 0.0) -> Any:
    """Return the conductance in S after one identical pulse.

    ``dG+ = a+ (g_max - G)/(g_max - g_min) (1 + s xi)``, ``dG- = -a- (G - g_min)/(g_max - g_min) (1 + s xi)``:
    potentiation slows towards ``g_max``, depression towards ``g_min``
    (Fusi and Abbott, Nat. Neurosci. 10, 485 (2007); Frascaroli et al., Sci. Rep. 8, 7178 (2018)).

    Parameters
    ----------
    parameters
        ``g_min``, ``g_max`` (S), ``step_up``, ``step_down`` (S, at the far bound), ``cycle_spread``.
    siemens
        Conductance before.
    polarity
        Positive: potentiation; negative: depression; 0: no pulse.
    xi
        Standard normal of this cell's write.
    """
    xp = namespace(siemens, polarity, xi, *parameters.values())
    window = parameters["g_max"] - parameters["g_min"]
    noisy = 1.0 + parameters["cycle_spread"] * xi
    up = parameters["step_up"] * (parameters["g_max"] - siemens) / window * noisy
    down = -parameters["step_down"] * (siemens - parameters["g_min"]) / window * noisy
    change = xp.where(polarity > 0, up, xp.where(polarity < 0, down, 0.0 * down))
    return _bounded(xp, parameters, siemens + change)


def pulsed(parameters: Parameters, siemens: Any, volts: Any, seconds: Any, xi: Any = 0.0) -> Any:
    """Return the conductance in S after a pulse of any height and width.

    The soft-bounds step of ``v_pulse`` and ``t_pulse``, carried to other pulses: a pulse counts as
    ``(t/t_pulse) f(|V|)/f(v_pulse)`` reference pulses, ``f(V) = e^((V - v_threshold)/v_scale) - 1``
    (field-driven hopping is exponential in V; nothing moves below the threshold) and follows the
    exponential that equal soft-bounds steps draw, ``g_max - G`` shrinking by ``e^(-n step/window)``. So two
    pulses of t are one of 2 t, and no pulse leaves the bounds. For small steps it is
    :func:`soft_bounds_step`.

    Parameters
    ----------
    parameters
        As :func:`soft_bounds_step`; ``v_threshold``, ``v_pulse``, ``v_scale`` (V), ``t_pulse`` (s) and
        ``stuck``.
    volts
        Positive: potentiation (SET); negative: depression (RESET).
    seconds
        Width.
    xi
        Standard normal of this pulse; its step is multiplied by ``1 + cycle_spread xi``, at least 0.
    """
    xp = namespace(siemens, volts, seconds, xi, *parameters.values())
    threshold, scale = parameters["v_threshold"], parameters["v_scale"]
    magnitude = xp.abs(volts + 0.0 * siemens)
    excess = xp.where(magnitude > threshold, magnitude - threshold, 0.0 * magnitude) / scale
    unit = xp.expm1((parameters["v_pulse"] - threshold) / scale + 0.0 * excess)
    noisy = 1.0 + parameters["cycle_spread"] * (xi + 0.0 * excess)
    noisy = xp.where(noisy > 0, noisy, 0.0 * noisy)
    # e^40 reference pulses are as good as any number more.
    count = seconds / parameters["t_pulse"] * xp.expm1(xp.where(excess < 40.0, excess, 40.0 + 0.0 * excess))
    window = parameters["g_max"] - parameters["g_min"]
    exponent = count / unit * noisy / window
    up = parameters["g_max"] - (parameters["g_max"] - siemens) * xp.exp(-parameters["step_up"] * exponent)
    down = parameters["g_min"] + (siemens - parameters["g_min"]) * xp.exp(-parameters["step_down"] * exponent)
    after = xp.where(volts > 0, up, xp.where(volts < 0, down, siemens + 0.0 * down))
    return xp.where(parameters["stuck"] + 0.0 * after > 0, siemens + 0.0 * after, after)


def written(parameters: Parameters, siemens: Any, delta_siemens: Any, xi: Any, xi_cycle: Any = 0.0) -> Any:
    r"""Return the conductance after an open-loop write of ``delta_siemens``, inside the bounds.

    ``G + change + write_noise xi``, rounded to the cell's levels; ``stuck`` cells (1) keep theirs. A cell
    without the parameters below changes by what was asked, ``change = delta_siemens``; else by
    :math:`\delta\,(1 + c\,\xi_c)\,(1 \pm a)\,(1 - b + 2 b\,h)`.

    Parameters
    ----------
    parameters
        ``g_min``, ``g_max``, ``write_noise`` (S), ``stuck``, and where the cells have them
        ``write_gain`` (:math:`\delta` over the change asked for; 1),
        ``write_cycle`` (c, relative noise of each change; 0),
        ``asymmetry`` (a, in (-1, 1): a change up is ``1 + a`` and one down ``1 - a`` of what was asked for;
        Gokmen and Vlasov, Front. Neurosci. 10, 333 (2016); 0),
        ``soft_bounds`` (b, 0 to 1: how far a change shrinks with the headroom ``h`` that is left of the
        window in its direction, none at mid-window; Fusi and Abbott, Nat. Neurosci. 10, 485 (2007); 0),
        ``levels`` (how many equally spaced conductances it can hold, both bounds among them; 0: any).
    xi, xi_cycle
        Standard normals of this write: of the error added, and of the relative one.
    """
    xp = namespace(siemens, delta_siemens, xi, xi_cycle, *parameters.values())
    change = _change_of(xp, parameters, siemens, delta_siemens, xi_cycle)
    target = _bounded(xp, parameters, siemens + change + parameters["write_noise"] * xi)
    target = _on_levels(xp, parameters, target)
    return xp.where(parameters["stuck"] + 0.0 * target > 0, siemens + 0.0 * target, target)


def _change_of(xp: Any, parameters: Parameters, siemens: Any, delta: Any, xi_cycle: Any) -> Any:
    """What a cell makes of the change asked for, noise and bounds apart."""
    soft = parameters.get("soft_bounds", 0.0)
    window = parameters["g_max"] - parameters["g_min"]
    headroom = xp.where(delta > 0, parameters["g_max"] - siemens, siemens - parameters["g_min"]) / window
    lean = parameters.get("asymmetry", 0.0) * xp.where(delta > 0, 1.0 + 0.0 * delta, -1.0 + 0.0 * delta)
    noisy = 1.0 + parameters.get("write_cycle", 0.0) * xi_cycle
    shape = 1.0 - soft + 2.0 * soft * headroom
    return delta * parameters.get("write_gain", 1.0) * noisy * (1.0 + lean) * shape


def _on_levels(xp: Any, parameters: Parameters, siemens: Any) -> Any:
    """Round to the nearest of a cell's levels; a cell of fewer than two holds any conductance."""
    levels = parameters.get("levels", 0.0) + 0.0 * siemens
    steps = xp.where(levels >= 2.0, levels - 1.0, 1.0 + 0.0 * levels)
    window = parameters["g_max"] - parameters["g_min"]
    rounded = (
        parameters["g_min"] + xp.round((siemens - parameters["g_min"]) / window * steps) / steps * window
    )
    return xp.where(levels >= 2.0, rounded, siemens)


def read(parameters: Parameters, siemens: Any, xi: Any, flicker: Any = 0.0) -> Any:
    """Return a reading of the conductance, log-normal and so always positive.

    ``G exp(read_noise xi + read_flicker f)``: ``xi`` a standard normal, ``f`` 1/f noise of unit variance a
    decade (:func:`labtrain.physics.flicker.flicker`). Compiled: :mod:`labtrain.kernels.flicker`.
    """
    xp = namespace(siemens, xi, flicker)
    return siemens * xp.exp(parameters["read_noise"] * xi + parameters["read_flicker"] * flicker)


def relaxed(parameters: Parameters, siemens: Any, seconds: Any, xi: Any) -> Any:
    """Return the conductance ``seconds`` after it was programmed.

    Largest in mid-range and growing with log time: mean ``-relax_mean``, spread ``relax_spread``
    (S per decade at ``g_max/3``, where it is largest) times
    ``27/4 G (g_max - G)^2/g_max^3 log10(1 + t/1 s)``, after retention data of filamentary RRAM at 80 C:
    -21 +- 21 uS in 30 min at 50-100 uS, -4 +- 6 uS at 150-200 uS, -2 +- 3 uS near g_max.
    """
    xp = namespace(siemens, seconds, xi, *parameters.values())
    course = relaxation_course(parameters["g_max"], siemens, seconds)
    change = course * (parameters["relax_spread"] * xi - parameters["relax_mean"])
    return _bounded(xp, parameters, siemens + change)


def relaxation_course(g_max: Any, siemens: Any, seconds: Any) -> Any:
    """Return ``27/4 G (g_max - G)^2/g_max^3 log10(1 + t/1 s)``: how far a cell is, at most 1 a decade."""
    xp = namespace(g_max, siemens, seconds)
    decades = xp.log1p(seconds + 0.0 * siemens) / 2.302585092994046
    return 6.75 * siemens * (g_max - siemens) ** 2 / g_max**3 * decades


def drifted(siemens: Any, seconds: Any, exponent: Any, reference_seconds: float = 20.0) -> Any:
    """Return ``G (t/t0)^-nu``: phase-change drift (Joshi et al., Nat. Commun. 11, 2473 (2020))."""
    return siemens * (seconds / reference_seconds) ** (-exponent)


def vteam_rate(parameters: Parameters, volts: Any) -> Any:
    """Return dx/dt in 1/s of the VTEAM model (Kvatinsky et al., IEEE TCAS-II 62, 786 (2015)).

    ``k_off (V/v_off - 1)^a_off`` above ``v_off > 0``, ``k_on (V/v_on - 1)^a_on`` below ``v_on < 0``
    (``k_on < 0``), 0 between. x = 0 is the low-resistance bound.
    """
    xp = namespace(volts, *parameters.values())
    above = volts / parameters["v_off"] - 1.0
    below = volts / parameters["v_on"] - 1.0
    off = parameters["k_off"] * xp.where(above > 0, above, 0.0 * above) ** parameters["a_off"]
    on = parameters["k_on"] * xp.where(below > 0, below, 0.0 * below) ** parameters["a_on"]
    return xp.where(above > 0, off, 0.0 * off) + xp.where(below > 0, on, 0.0 * on)


def vteam_state(parameters: Parameters, x: Any, volts: Any, seconds: Any) -> Any:
    """Return the state in [0, 1] after ``seconds`` at constant ``volts``; exact, the rate is constant."""
    moved = x + vteam_rate(parameters, volts) * seconds
    return namespace(moved).clip(moved, 0.0, 1.0)


def vteam_current(parameters: Parameters, x: Any, volts: Any) -> Any:
    """Return I in A: resistance linear in the state from ``r_on`` (x = 0) to ``r_off`` (x = 1)."""
    return volts / (parameters["r_on"] + (parameters["r_off"] - parameters["r_on"]) * x)


def yakopcic_current(parameters: Parameters, x: Any, volts: Any) -> Any:
    """Return I = a x sinh(b V) in A, ``a1`` and ``b`` for V >= 0, ``a2`` and ``b2`` (default ``b``) below.

    Yakopcic et al., IEEE Electron Device Lett. 32, 1436 (2011); the second exponent as in their later model
    (IEEE Trans. CAD 39, 1084 (2020)): a Schottky contact is not symmetric. From there also what passes the
    part that has not switched, ``off (1 - x) sinh(b_off V)`` with ``off1``, ``b_off`` for V >= 0 and
    ``off2``, ``b_off2`` below; none where they are left out.
    """
    xp = namespace(x, volts, *parameters.values())
    forward = volts >= 0
    amplitude = xp.where(forward, parameters["a1"] + 0.0 * volts, parameters["a2"] + 0.0 * volts)
    exponent = parameters["b"] + 0.0 * volts
    exponent = xp.where(forward, exponent, parameters.get("b2", parameters["b"]) + 0.0 * volts)
    on = amplitude * x * xp.sinh(exponent * volts)
    off, b_off = (
        xp.where(forward, parameters.get(up, 0.0) + 0.0 * volts, parameters.get(down, 0.0) + 0.0 * volts)
        for up, down in (("off1", "off2"), ("b_off", "b_off2"))
    )
    return on + off * (1.0 - x) * xp.sinh(b_off * volts)


def yakopcic_rate(parameters: Parameters, x: Any, volts: Any) -> Any:
    """Return dx/dt = eta g(V) f(x) in 1/s.

    ``g``: ``a_p (e^V - e^v_p)`` above ``v_p``, ``-a_n (e^-V - e^v_n)`` below ``-v_n``, 0 between; ``f`` falls
    exponentially beyond ``x_p`` (up) and below ``1 - x_n`` (down) and is 0 at the bounds.
    """
    xp = namespace(x, volts, *parameters.values())
    up = parameters["a_p"] * (xp.exp(volts) - xp.exp(parameters["v_p"] + 0.0 * volts))
    down = -parameters["a_n"] * (xp.exp(-volts) - xp.exp(parameters["v_n"] + 0.0 * volts))
    g = xp.where(volts > parameters["v_p"], up, xp.where(volts < -parameters["v_n"], down, 0.0 * up))
    x_p, x_n = parameters["x_p"], parameters["x_n"]
    slow_up = xp.exp(-parameters["alpha_p"] * (x - x_p)) * ((x_p - x) / (1.0 - x_p) + 1.0)
    slow_down = xp.exp(parameters["alpha_n"] * (x + x_n - 1.0)) * x / (1.0 - x_n)
    rising = xp.where(x >= x_p, slow_up, 1.0 + 0.0 * x)
    falling = xp.where(x <= 1.0 - x_n, slow_down, 1.0 + 0.0 * x)
    return parameters["eta"] * g * xp.where(parameters["eta"] * volts >= 0, rising, falling)


def _bounded(xp: Any, parameters: Parameters, siemens: Any) -> Any:
    low, high = parameters["g_min"] + 0.0 * siemens, parameters["g_max"] + 0.0 * siemens
    return xp.where(siemens < low, low, xp.where(siemens > high, high, siemens))
