r"""A macrospin under anisotropy, field, spin torque and heat: a reference, not for training.

.. math::

    \frac{1 + \alpha^2}{\gamma_0}\,\dot m = -m \times h - \alpha\, m \times (m \times h), \qquad
    h = H_k m_z \hat z + H + a_j\, m \times p + H_{th}

with the damping-like torque :math:`a_j` (A/m, positive drives m away from p) towards a polarisation p:
:math:`\hat z` for spin transfer in a perpendicular junction, :math:`\hat y` for a spin-orbit torque by a
current along x, which needs an in-plane field H_x to be deterministic: m then stands near y with
m_z = H_x/a_j, and rings over both wells after a sudden end of the pulse unless damping is large.
Its critical torque for spin transfer is :math:`a_j = \alpha H_k`, so i = a_j / (alpha H_k).

Heun's method, which converges to the Stratonovich solution that heat needs, with m renormalised after each
step; thermal field :math:`\sqrt{2\alpha kT/(\mu_0 \gamma_0 M_s V\, dt)}` (Brown, Phys. Rev. 130, 1677 (1963);
Garcia-Palacios and Lazaro, Phys. Rev. B 58, 14937 (1998)); steps of 1-2 ps or less. In terms of Delta,
:math:`kT/(\mu_0 M_s V) = H_k/(2\Delta)`.

Compiled: :mod:`labtrain.kernels.macrospin`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.physics.stt import GYROMAGNETIC

Floats = NDArray[np.float64]
Vector = tuple[float, float, float]

LONGEST_STEP = 2e-12


@dataclass(frozen=True, slots=True)
class Macrospin:
    """A free layer.

    Attributes
    ----------
    alpha
        Gilbert damping.
    anisotropy_field
        Effective H_k along z, in A/m.
    delta
        Stability E_b/kT, which sets the heat; ``inf``: none.
    field
        Applied, in A/m.
    polarisation
        Unit vector p.
    step
        In s, at most 2 ps.

    Raises
    ------
    UsageError
        For a step too long for the method, or a damping, field or stability that is not positive.
    """

    alpha: float = 0.02
    anisotropy_field: float = 1.57e5
    delta: float = 45.0
    field: Vector = (0.0, 0.0, 0.0)
    polarisation: Vector = (0.0, 0.0, 1.0)
    step: float = 1e-12

    def __post_init__(self) -> None:
        """Refuse what the method cannot follow."""
        fine = self.alpha > 0 and self.anisotropy_field > 0 and self.delta > 0 and self.step > 0
        if not (fine and self.step <= LONGEST_STEP):
            raise UsageError(
                f"a macrospin with alpha {self.alpha}, H_k {self.anisotropy_field} A/m, Delta {self.delta},"
                f" steps of {self.step} s cannot be followed",
                remedy="give positive numbers and a step of 2 ps or less",
            )

    @property
    def thermal_field(self) -> float:
        """Standard deviation in A/m of each component during one step."""
        heat = self.anisotropy_field / (2.0 * self.delta)
        return math.sqrt(2.0 * self.alpha * heat / (GYROMAGNETIC * self.step))


def final(spin: Macrospin, start: Floats, torques: Floats, seed: int, stream: int, first: int = 0) -> Floats:
    """Return the unit vectors ``[n, 3]`` after ``len(torques)`` steps.

    Parameters
    ----------
    start
        ``[n, 3]`` unit vectors, one a trajectory.
    torques
        ``[steps]``: damping-like torque in A/m at each step, the same for all.
    seed, stream, first
        Of the thermal field: component c of trajectory j in step k is event ``3 (first + k) + c`` of cell j.
    """
    m = np.array(start, dtype=np.float64)
    cells, components = np.arange(len(m))[:, None], np.arange(3)
    applied, p = np.array(spin.field), np.array(spin.polarisation)
    for k, torque in enumerate(torques.tolist()):
        events = 3 * (first + k) + components
        fixed = applied + spin.thermal_field * noise.normal(seed, stream, cells, events)
        slope = _slope(spin, m, fixed, torque, p)
        ahead = m + spin.step * slope
        m = m + 0.5 * spin.step * (slope + _slope(spin, ahead, fixed, torque, p))
        m /= np.linalg.norm(m, axis=1, keepdims=True)
    return m


def _slope(spin: Macrospin, m: Floats, fixed: Floats, torque: float, p: Floats) -> Any:
    h = fixed + torque * np.cross(m, p)
    h[:, 2] += spin.anisotropy_field * m[:, 2]
    turn = np.cross(m, h)
    return -GYROMAGNETIC / (1.0 + spin.alpha**2) * (turn + spin.alpha * np.cross(m, turn))
