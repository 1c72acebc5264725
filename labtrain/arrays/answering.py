"""The bench's side of arrays that are far away: one call by its name, answered by the array that is here.

Names of calls, inputs and outputs are those of the recorded exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronArray
from labtrain.arrays.plain import as_numpy
from labtrain.arrays.switches import SwitchArray
from labtrain.arrays.synapses import SynapseArray

Arrays = Mapping[str, NDArray[Any]]


def properties(array: Any) -> dict[str, float]:
    """Return what whoever is far away must know of an array: its size and its limits."""
    if isinstance(array, SynapseArray):
        return {"rows": array.shape[0], "columns": array.shape[1], "max_volts": array.max_volts}
    limits = ("max_amperes", "resolution_amperes")
    if not isinstance(array, NeuronArray):
        limits = ("max_volts", "resolution_volts")
    return {"count": len(array), **{name: float(getattr(array, name)) for name in limits}}


def role(array: Any) -> str:
    """Name an array's role as device models do."""
    if isinstance(array, NeuronArray):
        return "neuron-pair"
    if isinstance(array, SwitchArray):
        return "switch"
    return "synapse" if isinstance(array, SynapseArray) else "bitstream"


def answer(array: Any, verb: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
    """Have an array answer a call; ``indices`` among the inputs choose some of its devices."""
    indices = inputs.get("indices")
    meant = array if indices is None else array.select(indices.tolist())
    return {name: as_numpy(value) for name, value in _VERBS[verb](meant, inputs).items()}


def _respond(array: Any, inputs: Arrays) -> dict[str, Any]:
    reading = array.respond(inputs["amperes"])
    return {"volts": reading.volts, "flags": reading.flags}


def _respond_pair(array: Any, inputs: Arrays) -> dict[str, Any]:
    forward, partner = array.respond_pair(inputs["amperes"], inputs["partner_amperes"])
    return {
        "volts": forward.volts,
        "flags": forward.flags,
        "partner_volts": partner.volts,
        "partner_flags": partner.flags,
    }


def _attempt(array: Any, inputs: Arrays) -> dict[str, Any]:
    outcome = array.attempt(inputs["volts"], float(inputs["seconds"][0]))
    return {"switched": outcome.switched, "flags": outcome.flags}


def _sample(array: Any, inputs: Arrays) -> dict[str, Any]:
    bits = array.sample(inputs["volts"], int(inputs["n_bits"][0]), float(inputs["interval"][0]))
    return {"packed": bits.packed, "flags": bits.flags}


def _program(array: Any, inputs: Arrays) -> dict[str, Any]:
    return {"flags": array.program(inputs["delta_siemens"], inputs["mask"])}


def _conductance(array: Any, inputs: Arrays) -> dict[str, Any]:
    read = array.conductance(inputs.get("mask"))
    return {"siemens": read.siemens, "flags": read.flags}


def _multiply(array: Any, inputs: Arrays) -> dict[str, Any]:
    product = array.multiply(inputs["volts"])
    return {"amperes": product.amperes, "flags": product.flags}


_VERBS: dict[str, Callable[[Any, Arrays], dict[str, Any]]] = {
    "respond": _respond,
    "respond_pair": _respond_pair,
    "attempt": _attempt,
    "sample": _sample,
    "program": _program,
    "conductance": _conductance,
    "multiply": _multiply,
}
