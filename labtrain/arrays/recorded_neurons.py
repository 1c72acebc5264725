"""A neuron array whose every call is noted in the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.recording import ExchangeRecorder
from labtrain.arrays.selection import checked_indices
from labtrain.session.sink import Sink


@final
class RecordedNeuronArray(NeuronPairArray):
    """Wraps any neuron-pair array and notes its exchanges under the array's name.

    Inputs are noted as they were asked for, with the indices of the neurons; outputs
    as they were answered, so that :class:`ReplayedNeuronArray` needs no device model.

    Parameters
    ----------
    array
        The array that answers.
    sink
        Where exchanges go: a session, or a replay that compares them.
    """

    def __init__(self, array: NeuronPairArray, sink: Sink) -> None:
        self.name = array.name
        self.max_amperes = array.max_amperes
        self.resolution_amperes = array.resolution_amperes
        self._array = array
        self._indices: NDArray[np.intp] = np.arange(len(array))
        properties = {
            "count": len(array),
            "max_amperes": self.max_amperes,
            "resolution_amperes": self.resolution_amperes,
        }
        self._recorder = ExchangeRecorder(sink, self.name, properties)

    def __len__(self) -> int:
        """The number of neurons."""
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        """A recorded view over some neurons."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
        view._array = self._array.select(indices)
        return view

    def respond(self, amperes: Any) -> Reading:
        """Read the forward devices and note it."""
        reading = self._array.respond(amperes)
        self._note("respond", {"amperes": amperes}, {"volts": reading.volts, "flags": reading.flags})
        return reading

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read both devices and note it as one exchange."""
        forward, partner = self._array.respond_pair(amperes, partner_amperes)
        self._note(
            "respond_pair",
            {"amperes": amperes, "partner_amperes": partner_amperes},
            {
                "volts": forward.volts,
                "flags": forward.flags,
                "partner_volts": partner.volts,
                "partner_flags": partner.flags,
            },
        )
        return forward, partner

    def state_dict(self) -> dict[str, Any]:
        """The wrapped array's state."""
        return self._array.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to the wrapped array."""
        self._array.load_state_dict(state)

    def _note(self, verb: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        self._recorder.note(verb, inputs | {"indices": self._indices.astype(np.int64)}, outputs)
