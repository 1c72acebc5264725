"""An array of the bench file as a device-role array: by what its devices are to training, and recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labtrain import entry_points
from labtrain.arrays.bitstreams import BitstreamSource
from labtrain.arrays.neurons import NeuronPairArray
from labtrain.arrays.recorded_bitstreams import RecordedBitstreamSource
from labtrain.arrays.recorded_neurons import RecordedNeuronArray
from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.recorded_synapses import RecordedSynapseArray
from labtrain.arrays.switches import SwitchArray
from labtrain.arrays.synapses import SynapseArray
from labtrain.bench.device_arrays import open_bitstreams, open_switches, open_synapses
from labtrain.bench.neuron_arrays import open_neurons
from labtrain.bench.planning import BenchSetup
from labtrain.bench.reach import Reach
from labtrain.errors import UsageError
from labtrain.session.sink import Sink

RoleArray = NeuronPairArray | SwitchArray | BitstreamSource | SynapseArray

_ROLES: dict[str, tuple[Callable[[BenchSetup, str, Reach], Any], Callable[[Any, Sink], RoleArray]]] = {
    "neuron-pair": (open_neurons, RecordedNeuronArray),
    "switch": (open_switches, RecordedSwitchArray),
    "bitstream": (open_bitstreams, RecordedBitstreamSource),
    "synapse": (open_synapses, RecordedSynapseArray),
}


def open_array(setup: BenchSetup, name: str, reach: Reach, sink: Sink) -> RoleArray:
    """Wire an array by the role that its device model names.

    Raises
    ------
    UsageError
        When its devices are nothing to training (resistors), or the bench file lacks what the role needs.
    """
    kinds = {
        other.name: entry_points.load(entry_points.DEVICE_MODELS, other.kind).role
        for other in setup.plan.arrays.values()
    }
    if kinds[name] not in _ROLES:
        usable = [other for other, role in kinds.items() if role in _ROLES]
        raise UsageError(
            f"{name!r} is an array of {setup.plan.arrays[name].kind}, which training has no use for",
            remedy=f"arrays that it can use here: {', '.join(usable) or 'none'}",
        )
    wire, record = _ROLES[kinds[name]]
    return record(wire(setup, name, reach), sink)
