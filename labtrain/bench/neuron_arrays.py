"""Neuron pairs of a bench file, wired to the source meter."""

from __future__ import annotations

from labtrain.arrays.wired_neurons import WiredNeuronArray
from labtrain.arrays.wired_pairs import WiredPairs
from labtrain.arrays.wired_pairs_two_channel import TwoChannelPairArray
from labtrain.bench.circuit import Channel, Circuit
from labtrain.bench.planning import BenchSetup
from labtrain.bench.reach import Reach
from labtrain.errors import UsageError
from labtrain.limits import tightest
from labtrain.wiring import TerminalPlan

_PAIR = ("top", "top_pair")


def open_neurons(setup: BenchSetup, name: str, reach: Reach) -> WiredPairs:
    """Wire an array of neuron pairs; a pair on two channels is read at once.

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
    kind = TwoChannelPairArray if _on_two_channels(setup, name) else WiredNeuronArray
    return kind(
        name,
        tuple((device.name, *_PAIR) for device in array.devices),
        reach.route,
        max_amperes=amperes,
        nplc=reading.nplc,
        compliance=compliance,
        measure_range=compliance,
    )


def _on_two_channels(setup: BenchSetup, name: str) -> bool:
    """Whether, for every pair, one source meter channel reaches the one device and another the other."""
    circuit = Circuit(setup.plan, setup.specs)

    def meter(terminal: TerminalPlan) -> Channel | None:
        channels = (channel for channel, _ in circuit.sources_at(terminal))
        return next((one for one in channels if setup.specs[one.alias].role == "source-meter"), None)

    ends = ([meter(device.terminals[one]) for one in _PAIR] for device in setup.plan.arrays[name].devices)
    return all(None not in both and both[0] != both[1] for both in ends)
