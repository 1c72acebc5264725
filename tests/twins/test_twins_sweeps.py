"""The compiled sweeps that fits evaluate follow the laws of ``physics.memristor``."""

import numpy as np
import pytest
from twins_hidden import WINDOWS, YAKOPCIC

from labtrain.kernels.memristor_sweeps import SUBSTEPS, yakopcic_sweep
from labtrain.physics import memristor

OFF = {"off1": 2e-9, "off2": 5e-9, "b_off": 7.0, "b_off2": 4.0}
VOLTS = np.linspace(-1.5, 1.0, 101)


@pytest.mark.parametrize("more", [{}, OFF])
def test_a_state_that_stays_gives_the_current_law(more):
    parameters = YAKOPCIC | WINDOWS | more | {"r_series": 0.0, "x0": 0.4}
    currents = yakopcic_sweep(parameters, VOLTS, np.zeros(len(VOLTS)), np.zeros(len(VOLTS)))
    np.testing.assert_allclose(currents, memristor.yakopcic_current(parameters, 0.4, VOLTS), rtol=1e-9)


@pytest.mark.parametrize("more", [{}, OFF])
def test_the_state_moves_by_the_rate_of_each_voltage(more):
    parameters = YAKOPCIC | WINDOWS | more | {"r_series": 0.0}
    seconds = 1e-3 * np.arange(len(VOLTS))
    x, expected = parameters["x0"], []
    for volts in VOLTS:
        expected.append(float(memristor.yakopcic_current(parameters, x, volts)))
        for _ in range(100 * SUBSTEPS):
            rate = float(memristor.yakopcic_rate(parameters, x, volts))
            x = min(max(x + rate * 1e-5 / SUBSTEPS, 0.0), 1.0)
    currents = yakopcic_sweep(parameters, VOLTS, seconds, np.zeros(len(VOLTS)))
    np.testing.assert_allclose(currents, expected, rtol=1e-3, atol=1e-15)
