"""A synapse array whose every call is noted in the record."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.recording import ExchangeRecorder
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray
from labtrain.session.sink import Sink


@final
class RecordedSynapseArray(SynapseArray):
    """Wraps any synapse array and notes its writes, reads and products under the array's name."""

    def __init__(self, array: SynapseArray, sink: Sink) -> None:
        self.name = array.name
        self.shape = array.shape
        self.max_volts = array.max_volts
        self._array = array
        properties = {"rows": self.shape[0], "columns": self.shape[1], "max_volts": self.max_volts}
        self._recorder = ExchangeRecorder(sink, self.name, properties)

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Program and note it."""
        flags = self._array.program(delta_siemens, mask)
        self._recorder.note("program", {"delta_siemens": delta_siemens, "mask": mask}, {"flags": flags})
        return flags

    def conductance(self) -> Conductances:
        """Read every cell and note it."""
        read = self._array.conductance()
        self._recorder.note("conductance", {}, {"siemens": read.siemens, "flags": read.flags})
        return read

    def multiply(self, volts: Any) -> Currents:
        """Multiply and note it."""
        product = self._array.multiply(volts)
        self._recorder.note(
            "multiply", {"volts": volts}, {"amperes": product.amperes, "flags": product.flags}
        )
        return product

    def state_dict(self) -> dict[str, Any]:
        """The wrapped array's state."""
        return self._array.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to the wrapped array."""
        self._array.load_state_dict(state)
