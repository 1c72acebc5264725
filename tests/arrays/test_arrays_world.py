"""Directly simulated arrays and the world's devices: one population, the same device events."""

import numpy as np
import pytest

from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.physics import neuron
from labtrain.populations import draw
from simulated_instruments.devices import Circumstances, Neurons, SotMtj

SECONDS = 2e-4


def _circumstances(population, index, array):
    return Circumstances(f"{array}[{index}]", population, index, lambda: 0.0)


@pytest.mark.parametrize("seed", [1, 2**40])
def test_neurons_give_the_same_readings(seed):
    population = draw("mtj-neuron-pair", seed, 4, {"mismatch": 0.05}, "neurons")
    array = SimulatedNeuronArray(population, Readout(seconds=SECONDS))
    devices = [Neurons(_circumstances(population, i, "neurons"), ("top", "top_pair")) for i in range(4)]
    for batch in (3, 1, 5):
        amperes = np.linspace(5e-6, 50e-6, batch * 4).reshape(batch, 4)
        pair = array.respond_pair(amperes, amperes[::-1])
        for i, device in enumerate(devices):
            for side, reading in enumerate(pair):
                driven = np.ascontiguousarray((amperes, amperes[::-1])[side][:, i])
                noise_volts = device.branches[side].noise(driven, SECONDS)
                expected = neuron.mean_voltage(population.cell(2 * i + side), driven) + noise_volts
                np.testing.assert_allclose(reading.volts[:, i], expected, rtol=1e-12)


def test_switches_do_the_same():
    population = draw("sot-mtj", 7, 3, {"mismatch": 0.03}, "sot")
    volts = 0.63 * np.where(np.arange(60) % 3 == 0, -1.04, 1.0)[:, None] * np.ones(3)
    outcome = SimulatedSwitchArray(population, reset_volts=1.0, reset_seconds=10e-9).attempt(volts, 3e-9)
    for i in range(3):
        device = SotMtj(_circumstances(population, i, "sot"), ("line", "top"))
        switched = []
        for pulse in volts[:, i]:
            device.pulsed(device.branches[0], -np.sign(pulse) * 1.0, 10e-9, 1)
            start = device.magnet.antiparallel
            assert start == (pulse < 0)  # the verifying read
            device.pulsed(device.branches[0], pulse, 3e-9, 1)
            switched.append(device.magnet.antiparallel != start)
        np.testing.assert_array_equal(outcome.switched[:, i], switched)
