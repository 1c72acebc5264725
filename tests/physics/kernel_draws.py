"""Prints digests of what simulated arrays answer: ``python kernel_draws.py plain fused``, in this order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from xxhash import xxh3_64_hexdigest

from labtrain.arrays.fused import Circuit, Difference, Tally
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.populations import draw

COUNT = 30


def neurons() -> SimulatedNeuronArray:
    spread = {"mismatch": 0.05, "read_noise": 1e-4}
    pairs = draw("mtj-neuron-pair", 1, COUNT, spread, "pairs")
    return SimulatedNeuronArray(pairs, Readout(seconds=2e-4), max_amperes=50e-6)


def plain() -> Sequence[Any]:
    amperes = np.linspace(0.0, 48e-6, 64 * COUNT).reshape(64, COUNT)
    return [one.volts for one in neurons().respond_pair(amperes, amperes + 1e-6)]


def fused() -> Sequence[Any]:
    maps = np.full(COUNT, 25e-6), 4e-6, np.full(COUNT, 0.2), np.full(COUNT, 0.1), 0.0, 49e-6
    layer = neurons().fuse(Circuit(*maps, difference=Difference(1e-6)))
    z = np.linspace(-3, 3, 64 * COUNT, dtype=np.float32).reshape(64, COUNT)
    return layer.read(z, True, Tally.of(COUNT))


def switched() -> Sequence[Any]:
    array = SimulatedSwitchArray(draw("sot-mtj", 1, COUNT, {"mismatch": 0.05}, "switches"))
    volts = np.linspace(0.2, 0.9, 64 * COUNT).reshape(64, COUNT)
    return [array.attempt(volts, 1e-9).switched]


WORKS = {"plain": plain, "fused": fused, "switched": switched}
found = {
    name: [xxh3_64_hexdigest(np.ascontiguousarray(one)) for one in WORKS[name]()] for name in sys.argv[1:]
}
print(sorted(found.items()))
