r"""Spin-transfer switching of a perpendicular MTJ: closed forms and where they hold.

Reduced current ``i = I/I_c0`` (or V/V_c0), stability ``Delta = E_b/kT``, time in units of
``tau_D = (1 + alpha^2)/(alpha gamma0 H_k)``, ``gamma0 = 2.211e5 m/(A s)``. For axially symmetric
perpendicular devices; SOT with an in-plane field is not one (see :mod:`labtrain.physics.sot`).

Which form where: ``i <= 0.6`` the activated rate with Brown's prefactor, ``i >= 2.5`` the
precessional form, between them only the Fokker-Planck solution
(:mod:`labtrain.physics.fokker_planck`), which :func:`switching_probability` of
:mod:`labtrain.kernels.stt_table` tabulates.
"""

from __future__ import annotations

import math
from typing import Any

from labtrain.errors import UsageError
from labtrain.physics.namespaces import namespace

GYROMAGNETIC = 2.211e5
"""gamma0 in m/(A s)."""


def relaxation_time(alpha: float, anisotropy_field: float) -> float:
    """Return tau_D in s for a Gilbert damping and an effective field H_k in A/m."""
    return (1.0 + alpha * alpha) / (alpha * GYROMAGNETIC * anisotropy_field)


def brown_rate(delta: Any, i: Any) -> Any:
    """Return the activated switching rate times tau_D, for ``i <= 0.6`` and ``Delta (1-i)^2 >> 1``.

    ``sqrt(Delta/pi) (1 - i^2)(1 - i) exp[-Delta (1-i)^2]``: Brown, Phys. Rev. 130, 1677 (1963), with
    the spin torque as an effective field.

    Raises
    ------
    UsageError
        Above 0.6, where it is wrong.
    """
    xp = namespace(delta, i)
    _within(xp.all(i <= 0.6), i, "Brown's rate", "i <= 0.6")
    return xp.sqrt(delta / math.pi) * (1.0 - i * i) * (1.0 - i) * xp.exp(-delta * (1.0 - i) ** 2)


def activated(delta: Any, i: Any, tau: Any) -> Any:
    """Return P_sw = 1 - exp(-rate tau) of a pulse of ``tau = t/tau_D``; range as :func:`brown_rate`."""
    rate = brown_rate(delta, i)
    return -namespace(rate, tau).expm1(-rate * tau)


def neel_brown(delta: Any, i: Any, seconds: Any, *, exponent: float = 2.0, tau0: float = 1e-9) -> Any:
    """Return ``P = 1 - exp[-(t/tau0) exp(-Delta (1-i)^b)]``, the form that fits use.

    ``tau0`` fixed at 1 ns makes it wrong near i = 0.6-0.9 (it gives 0.7-1.0 where the reference has
    0.5 at Delta 45); ``b`` is 2 for a macrospin and 1-1.5 in many fits.
    """
    xp = namespace(delta, i, seconds)
    distance = xp.where(i < 1.0, 1.0 - i, 0.0 * i)
    return -xp.expm1(-(seconds / tau0) * xp.exp(-delta * distance**exponent))


def precessional(delta: Any, i: Any, tau: Any) -> Any:
    """Return P_sw of a pulse far above the critical current, ``i >= 2.5``.

    ``P = exp{-pi^2 (i-1) Delta / [4 (i exp[2 tau (i-1)] - 1)]}``: thermal initial angles amplified
    exponentially (Sun, Phys. Rev. B 62, 570 (2000); Liu et al., J. Magn. Magn. Mater. 358, 233 (2014)).

    Raises
    ------
    UsageError
        Below 2.5, where it is wrong.
    """
    xp = namespace(delta, i, tau)
    _within(xp.all(i >= 2.5), i, "the precessional form", "i >= 2.5")
    growth = -xp.expm1(-2.0 * tau * (i - 1.0)) + (i - 1.0)
    return xp.exp(-(math.pi**2) * (i - 1.0) * delta * xp.exp(-2.0 * tau * (i - 1.0)) / (4.0 * growth))


def precessional_time(delta: Any, i: Any) -> Any:
    """Return Sun's time over tau_D, ``ln(pi / 2 theta0)/(i - 1)`` with ``theta0^2 = 1/Delta``, for i > 1."""
    xp = namespace(delta, i)
    _within(xp.all(i > 1.0), i, "Sun's switching time", "i > 1")
    return xp.log(0.5 * math.pi * xp.sqrt(delta)) / (i - 1.0)


def perpendicular_sot_density(
    theta_sh: float, ms_tf: float, h_k_eff: float, h_x: float, *, mu0: float = 4e-7 * math.pi
) -> float:
    """Return the critical density J_c in A/m^2 of perpendicular SOT switching.

    ``(2e/hbar)(mu0 M_s t_F/theta_SH)(H_k,eff/2 - H_x/sqrt 2)`` (Lee et al., Appl. Phys. Lett. 102, 112410
    (2013)); ``ms_tf`` in A, fields in A/m.
    """
    e_over_hbar = 1.602176634e-19 / 1.054571817e-34
    return 2.0 * e_over_hbar * mu0 * ms_tf / theta_sh * (0.5 * h_k_eff - h_x / math.sqrt(2.0))


def _within(holds: Any, given: Any, what: str, allowed: str) -> None:
    if not bool(holds):
        raise UsageError(
            f"{what} does not hold at i = {given!r}; it needs {allowed}",
            remedy="use labtrain.kernels.stt_table, which covers the whole range",
        )
