"""A synapse array that answers from a recording, strictly in order."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.plain import like
from labtrain.arrays.replayed_views import ReplayedArray
from labtrain.arrays.replaying import Recorded
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray


@final
class ReplayedSynapseArray(ReplayedArray, SynapseArray):
    """Gives the recorded answers to the recorded calls; see :class:`ReplayedArray`.

    ``tolerance`` holds for conductance changes (S) and read voltages (V) alike.
    """

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(recording, name, tolerance=tolerance)
        self.shape = (int(self._properties["rows"]), int(self._properties["columns"]))
        self.max_volts = float(self._properties["max_volts"])

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Return the recorded flags; ReplayMismatch where the record's next call is another one."""
        outputs = self._next("program", {"delta_siemens": delta_siemens, "mask": mask})
        return like(outputs["flags"], delta_siemens)

    def conductance(self) -> Conductances:
        """Return the recorded reading; raises as :meth:`program`."""
        outputs = self._next("conductance", {})
        return Conductances(outputs["siemens"], outputs["flags"])

    def multiply(self, volts: Any) -> Currents:
        """Return the recorded currents; raises as :meth:`program`."""
        outputs = self._next("multiply", {"volts": volts})
        return Currents(like(outputs["amperes"], volts), like(outputs["flags"], volts))
