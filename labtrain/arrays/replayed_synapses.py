"""A synapse array that answers from a recording, strictly in order."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray


@final
class ReplayedSynapseArray(SynapseArray):
    """Gives the recorded answers to the recorded calls; see :class:`ReplayedNeuronArray`.

    ``tolerance`` holds for conductance changes (S) and read voltages (V) alike.
    """

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        self._tape = ExchangeTape(recording, name, tolerance)
        properties = self._tape.next("describe", {})
        self.name = name
        self.shape = (int(properties["rows"][0]), int(properties["columns"][0]))
        self.max_volts = float(properties["max_volts"][0])

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Return the recorded flags; ReplayMismatch where the record's next call is another one."""
        asked = {"delta_siemens": as_numpy(delta_siemens), "mask": as_numpy(mask)}
        return like(self._tape.next("program", asked)["flags"], delta_siemens)

    def conductance(self) -> Conductances:
        """Return the recorded reading; raises as :meth:`program`."""
        outputs = self._tape.next("conductance", {})
        return Conductances(outputs["siemens"], outputs["flags"])

    def multiply(self, volts: Any) -> Currents:
        """Return the recorded currents; raises as :meth:`program`."""
        outputs = self._tape.next("multiply", {"volts": as_numpy(volts)})
        return Currents(like(outputs["amperes"], volts), like(outputs["flags"], volts))

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)
