"""A neuron array whose every call is noted in the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from labtrain.arrays.fused import Circuit, FusableArray, FusedLayer, Singles, Tally
from labtrain.arrays.neurons import DifferentiableNeuronArray, NeuronPairArray, Reading
from labtrain.arrays.recorded_views import RecordedView
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.session.sink import Sink

_LIMITS = ("max_amperes", "resolution_amperes")


class _NotedPairs(RecordedView, NeuronPairArray):
    """Notes what pairs are asked and answer."""

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


@final
class RecordedNeuronArray(_NotedPairs):
    """Wraps any neuron-pair array and notes its exchanges under the array's name.

    Inputs are noted as they were asked for, with the indices of the neurons; outputs
    as they were answered, so that :class:`ReplayedNeuronArray` needs no device model.
    """

    def __init__(self, array: NeuronPairArray, sink: Sink) -> None:
        super().__init__(array, sink, _LIMITS)
        self.rows = array.rows


@final
class DigestedNeuronArray(_NotedPairs, FusableArray, DifferentiableNeuronArray):
    """Wraps directly simulated pairs and notes the digests of their calls, of a layer's fused passes too."""

    def __init__(self, array: SimulatedNeuronArray, sink: Sink) -> None:
        super().__init__(array, sink, _LIMITS, digests=True)
        self.rows = array.rows

    def derivative(self, amperes: Any) -> Any:
        """Return the exact derivative and note it."""
        ohms = self._array.derivative(amperes)
        self._note("derivative", {"amperes": amperes}, {"ohms": ohms})
        return ohms

    def fuse(self, circuit: Circuit) -> FusedLayer | None:
        """Prepare a layer whose passes are noted."""
        layer = self._array.fuse(circuit)
        return None if layer is None else _NotedLayer(layer, self._note)


@final
class _NotedLayer(FusedLayer):
    def __init__(self, layer: FusedLayer, note: Callable[..., None]) -> None:
        self._layer, self._note = layer, note

    def read(self, z: Singles, slopes: bool, tally: Tally) -> tuple[Singles, Singles | None] | None:
        """Read the layer and note it; a pass that was refused drove nothing."""
        reading = self._layer.read(z, slopes, tally)
        if reading is None:
            return None
        answered = dict(zip(("activations", "derivatives"), reading[: 1 + slopes], strict=False))
        self._note("layer_with_slopes" if slopes else "layer", {"z": z}, answered)
        return reading
