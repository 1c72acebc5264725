"""A neuron array that answers from a recording, strictly in order."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.plain import like
from labtrain.arrays.replayed_views import ReplayedView
from labtrain.arrays.replaying import Recorded


@final
class ReplayedNeuronArray(ReplayedView, NeuronPairArray):
    """Gives the recorded readings to the recorded currents (``tolerance`` in A)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(recording, name, ("max_amperes", "resolution_amperes"), tolerance=tolerance)

    def respond(self, amperes: Any) -> Reading:
        """Return the recorded reading.

        Raises
        ------
        ReplayMismatch
            When the recording's next exchange is another one.
        """
        outputs = self._next("respond", {"amperes": amperes})
        return Reading(like(outputs["volts"], amperes), like(outputs["flags"], amperes))

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Return the recorded readings of both devices; raises as :meth:`respond`."""
        outputs = self._next("respond_pair", {"amperes": amperes, "partner_amperes": partner_amperes})
        forward = Reading(like(outputs["volts"], amperes), like(outputs["flags"], amperes))
        partner = Reading(like(outputs["partner_volts"], amperes), like(outputs["partner_flags"], amperes))
        return forward, partner
