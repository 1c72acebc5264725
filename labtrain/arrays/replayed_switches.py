"""A switch array that answers from a recording, strictly in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.switches import Outcome, SwitchArray


@final
class ReplayedSwitchArray(SwitchArray):
    """Gives the recorded outcomes of the recorded attempts; see :class:`ReplayedNeuronArray`."""

    def __init__(self, recording: Recorded, name: str, *, tolerance_volts: float = 0.0) -> None:
        self._tape = ExchangeTape(recording, name, tolerance_volts)
        properties = self._tape.next("describe", {})
        self.name = name
        self.max_volts = float(properties["max_volts"][0])
        self.resolution_volts = float(properties["resolution_volts"][0])
        self._indices: NDArray[np.intp] = np.arange(int(properties["count"][0]))

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some devices; it answers from the same place in the recording."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
        return view

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Return the recorded outcome; ReplayMismatch where the record's next attempt is another one."""
        asked = {
            "volts": as_numpy(volts),
            "seconds": np.array([seconds]),
            "indices": self._indices.astype(np.int64),
        }
        outputs = self._tape.next("attempt", asked)
        return Outcome(like(outputs["switched"], volts), like(outputs["flags"], volts))

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)
