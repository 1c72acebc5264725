"""A neuron array whose every call is noted in the record."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.recorded_views import RecordedView
from labtrain.session.sink import Sink


@final
class RecordedNeuronArray(RecordedView, NeuronPairArray):
    """Wraps any neuron-pair array and notes its exchanges under the array's name.

    Inputs are noted as they were asked for, with the indices of the neurons; outputs
    as they were answered, so that :class:`ReplayedNeuronArray` needs no device model.
    """

    def __init__(self, array: NeuronPairArray, sink: Sink) -> None:
        super().__init__(array, sink, ("max_amperes", "resolution_amperes"))

    def respond(self, amperes: Any) -> Reading:
        """Read the forward devices and note it."""
        reading: Reading = self._array.respond(amperes)
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
