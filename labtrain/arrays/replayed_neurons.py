"""A neuron array that answers from a recording, strictly in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.arrays.selection import checked_indices


@final
class ReplayedNeuronArray(NeuronPairArray):
    """Gives the recorded answers to the recorded questions; no device is simulated.

    Parameters
    ----------
    recording
        A :class:`labtrain.session.Recording` (anything with its ``exchanges``).
    name
        The array's name in the recording.
    tolerance_amperes
        How far a current may be from the recorded one. 0 compares bit for bit.

    Raises
    ------
    DataError
        When the recording holds no exchanges of that array.
    """

    def __init__(self, recording: Recorded, name: str, *, tolerance_amperes: float = 0.0) -> None:
        self._tape = ExchangeTape(recording, name, tolerance_amperes)
        properties = self._tape.next("describe", {})
        self.name = name
        self.max_amperes = float(properties["max_amperes"][0])
        self.resolution_amperes = float(properties["resolution_amperes"][0])
        self._indices: NDArray[np.intp] = np.arange(int(properties["count"][0]))

    def __len__(self) -> int:
        """The number of neurons."""
        return len(self._indices)

    @property
    def largest_deviation_amperes(self) -> float:
        """The largest difference that the tolerance has admitted so far."""
        return self._tape.largest_deviation

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some neurons; it answers from the same place in the recording."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
        return view

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

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)

    def _next(self, verb: str, inputs: dict[str, Any]) -> dict[str, NDArray[Any]]:
        asked = {name: as_numpy(value) for name, value in inputs.items()}
        return self._tape.next(verb, asked | {"indices": self._indices.astype(np.int64)})
