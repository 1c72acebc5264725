"""An outside witness of the switching reference: stochastic LLG by the package cmtj (Heun, 1 ps)."""

import math

import numpy as np
import pytest

from labtrain.kernels import stt_table
from labtrain.physics import stt
from labtrain.physics.fokker_planck import switching_curve

cmtj = pytest.importorskip("cmtj", reason="cmtj is not installed (pip install cmtj): no outside LLG")

ALPHA, DELTA, ANISOTROPY_FIELD, MS_TESLA, KELVIN = 0.02, 45.0, 1.57e5, 1.0, 300.0
WAIT = 3e-9  # two tau_D, in which the start becomes thermal


def _final_z(i, seconds, seed):
    """One pulse of a perpendicular macrospin with a damping-like torque of i critical currents."""
    energy = 0.5 * ANISOTROPY_FIELD * MS_TESLA
    thickness, volume = 1e-9, DELTA * 1.380649e-23 * KELVIN / energy
    vector, constant = cmtj.CVector, cmtj.ScalarDriver.getConstantDriver
    start = vector(0.05, 0.02, -0.9985)
    no_demagnetisation = [vector(0, 0, 0)] * 3
    layer = cmtj.Layer(
        "free", start, vector(0, 0, 1), MS_TESLA, thickness, volume / thickness, no_demagnetisation, ALPHA
    )
    layer.setReferenceLayer(vector(0, 0, 1))
    junction = cmtj.Junction([layer], 100, 200)
    junction.setLayerAnisotropyDriver("free", constant(energy))
    junction.setLayerTemperatureDriver("free", constant(KELVIN))
    junction.setLayerSeed("free", seed)
    torque = cmtj.ScalarDriver.getStepDriver(0.0, i * ALPHA * ANISOTROPY_FIELD, WAIT, 1.0)
    junction.setLayerDampingLikeTorqueDriver("free", torque)
    total, step = WAIT + seconds, 1e-12
    # Its default for thermal runs is first order: at 1 ps that undoes nearly all of the damping.
    junction.runSimulation(total, step, total - step, False, False, cmtj.SolverMode.Heun)
    return junction.getLayerMagnetisation("free").z


@pytest.mark.parametrize(
    ("i", "ns", "runs"),
    [(2.0, 4, 200), (3.0, 2, 200), pytest.param(1.5, 8, 2000, marks=pytest.mark.slow)],
)
def test_llg_switches_as_the_fokker_planck_solution(i, ns, runs):
    """Within 0.05 and three standard errors, and the table as well."""
    tau = ns * 1e-9 / stt.relaxation_time(ALPHA, ANISOTROPY_FIELD)
    switched = np.mean([_final_z(i, ns * 1e-9, seed + 1) > 0 for seed in range(runs)])
    for p in (switching_curve(DELTA, i, tau)[0], float(stt_table.probability(DELTA, i, tau))):
        assert abs(switched - p) < 0.05 + 3 * math.sqrt(p * (1 - p) / runs)
