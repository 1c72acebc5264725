"""A synapse array whose every call is noted in the record."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.recorded_views import RecordedArray
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray
from labtrain.session.sink import Sink


@final
class RecordedSynapseArray(RecordedArray, SynapseArray):
    """Wraps any synapse array and notes its writes, reads and products under the array's name."""

    def __init__(self, array: SynapseArray, sink: Sink, *, digests: bool = False) -> None:
        self.shape, self.max_volts = array.shape, array.max_volts
        rows, columns = array.shape
        properties = {"rows": rows, "columns": columns, "max_volts": self.max_volts}
        super().__init__(array, sink, properties, digests)

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Program and note it."""
        flags = self._array.program(delta_siemens, mask)
        self._recorder.note("program", {"delta_siemens": delta_siemens, "mask": mask}, {"flags": flags})
        return flags

    def conductance(self, mask: Any = None) -> Conductances:
        """Read cells and note it."""
        read: Conductances = self._array.conductance(mask)
        asked = {} if mask is None else {"mask": mask}
        self._recorder.note("conductance", asked, {"siemens": read.siemens, "flags": read.flags})
        return read

    def multiply(self, volts: Any) -> Currents:
        """Multiply and note it."""
        product: Currents = self._array.multiply(volts)
        answered = {"amperes": product.amperes, "flags": product.flags}
        self._recorder.note("multiply", {"volts": volts}, answered)
        return product
