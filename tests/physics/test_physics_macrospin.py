"""The macrospin: kernel and plain function, against the Fokker-Planck table and against cmtj."""

import math

import numpy as np
import pytest

from labtrain.errors import UsageError
from labtrain.kernels import macrospin as kernel
from labtrain.kernels import stt_table
from labtrain.physics import macrospin as plain
from labtrain.physics import stt

SPIN = plain.Macrospin()
CRITICAL = SPIN.alpha * SPIN.anisotropy_field
TAU_D = stt.relaxation_time(SPIN.alpha, SPIN.anisotropy_field)


def starts(count):
    angles = np.linspace(0.05, 3.0, count)
    return np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)


@pytest.mark.parametrize("polarisation", [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0)])
def test_kernel_and_plain_function_follow_the_same_path(polarisation):
    spin = plain.Macrospin(field=(2e4, -1e3, 5e3), polarisation=polarisation)
    torques = np.where(np.arange(600) < 400, 3 * CRITICAL, 0.0)
    ends = plain.final(spin, starts(5), torques, 3, 4), kernel.final(spin, starts(5), torques, 3, 4)
    np.testing.assert_allclose(*ends, atol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(ends[1], axis=1), 1.0, rtol=1e-14)


def test_a_path_may_be_followed_in_pieces():
    torques = np.full(1100, 2 * CRITICAL)
    whole = kernel.final(SPIN, starts(3), torques, 1, 2)
    half = kernel.final(SPIN, starts(3), torques[:700], 1, 2)
    np.testing.assert_allclose(kernel.final(SPIN, half, torques[700:], 1, 2, first=700), whole, atol=1e-12)


def test_without_heat_it_precesses_and_falls_into_the_well():
    """Frequency gamma0 H/(2 pi (1 + alpha^2)) at constant angle to a strong field; z relaxes as tanh."""
    field = 1e5
    spin = plain.Macrospin(alpha=0.01, anisotropy_field=1e-6, delta=math.inf, field=(0.0, 0.0, field))
    start, steps = np.array([[1.0, 0.0, 0.0]]), 2000
    end = kernel.final(spin, start, np.zeros(steps), 0, 0)[0]
    rate = stt.GYROMAGNETIC * field / (1 + spin.alpha**2)
    seconds = steps * spin.step
    assert end[2] == pytest.approx(math.tanh(spin.alpha * rate * seconds), rel=1e-3)
    turned = math.atan2(end[1], end[0]) - rate * seconds
    assert abs(math.remainder(turned, 2 * math.pi)) < 5e-3


@pytest.mark.parametrize(("i", "ns"), [(2.0, 4), (3.0, 2), (1.5, 8)])
def test_spin_transfer_switches_as_the_fokker_planck_table(i, ns):
    """Within 0.02 (steps, rest) and three standard errors of 600 trajectories."""
    p = float(stt_table.probability(SPIN.delta, i, ns * 1e-9 / TAU_D))
    got = kernel.switching_probability(SPIN, i * CRITICAL, ns * 1e-9, trajectories=600, seed=5)
    assert abs(got - p) < 0.02 + 3 * math.sqrt(p * (1 - p) / 600)
    assert kernel.switching_probability(SPIN, -i * CRITICAL, ns * 1e-9, trajectories=100) == 0.0


def test_a_spin_orbit_torque_needs_its_in_plane_field():
    """Under it m stands near y with m_z = H_x/a_j; after it, damping decides that it stays on that side."""
    chance = {}
    for sign_field in (-1, 0, 1):
        field = (sign_field * 2e4, 0.0, 0.0)
        spin = plain.Macrospin(alpha=0.3, polarisation=(0.0, 1.0, 0.0), delta=60.0, field=field)
        for sign in (-1, 1):
            torque = sign * 0.7 * spin.anisotropy_field
            tilt = kernel.final(spin, starts(100), np.full(1500, torque), 1, 2)[:, 2].mean()
            assert tilt == pytest.approx(field[0] / torque, abs=0.01)
            options = {"trajectories": 300, "seed": 1}
            chance[sign_field * sign] = kernel.switching_probability(spin, torque, 1.5e-9, **options)
    assert chance[1] > 0.97 and chance[-1] < 0.03
    assert abs(chance[0] - 0.5) < 4 * 0.5 / math.sqrt(300)


@pytest.mark.parametrize("bad", [{"step": 5e-12}, {"alpha": 0.0}, {"delta": -1.0}, {"step": math.nan}])
def test_what_the_method_cannot_follow_is_refused(bad):
    with pytest.raises(UsageError, match="macrospin"):
        plain.Macrospin(**bad)
