"""Neuron pairs of a bench file, wired to the source meter."""

from __future__ import annotations

from labtrain.arrays.wired_neurons import WiredNeuronArray
from labtrain.bench.planning import BenchSetup
from labtrain.bench.reach import Reach
from labtrain.errors import UsageError
from labtrain.limits import tightest

_PAIR = ("top", "top_pair")


def open_neurons(setup: BenchSetup, name: str, reach: Reach) -> WiredNeuronArray:
    """Wire an array of neuron pairs.

    The source meter's compliance is the terminals' voltage limit, and lower where current and
    compliance together could exceed the power limit.

    Raises
    ------
    UsageError
        When the array's devices are no neuron pairs.
    """
    array, reading = setup.plan.arrays[name], setup.readings[name]
    if not all(set(_PAIR) <= set(device.terminals) for device in array.devices):
        pairs = [
            other.name
            for other in setup.plan.arrays.values()
            if set(_PAIR) <= set(other.devices[0].terminals)
        ]
        raise UsageError(
            f"{name!r} is an array of {array.kind}, not of neuron pairs",
            remedy=f"arrays of pairs here: {', '.join(pairs) or 'none'}",
        )
    limits = tightest(device.terminals[one].limits for device in array.devices for one in _PAIR)
    amperes = limits.current if reading.max_current is None else min(limits.current, reading.max_current)
    compliance = min(limits.voltage, limits.power / amperes)
    return WiredNeuronArray(
        name,
        tuple((device.name, *_PAIR) for device in array.devices),
        reach.route,
        max_amperes=amperes,
        nplc=reading.nplc,
        compliance=compliance,
        measure_range=compliance,
    )
