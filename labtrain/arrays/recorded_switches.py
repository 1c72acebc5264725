"""A switch array whose every call is noted in the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.recording import ExchangeRecorder
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.session.sink import Sink


@final
class RecordedSwitchArray(SwitchArray):
    """Wraps any switch array and notes its attempts under the array's name."""

    def __init__(self, array: SwitchArray, sink: Sink) -> None:
        self.name = array.name
        self.max_volts = array.max_volts
        self.resolution_volts = array.resolution_volts
        self._array = array
        self._indices: NDArray[np.intp] = np.arange(len(array))
        properties = {
            "count": len(array),
            "max_volts": self.max_volts,
            "resolution_volts": self.resolution_volts,
        }
        self._recorder = ExchangeRecorder(sink, self.name, properties)

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        """A recorded view over some devices."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
        view._array = self._array.select(indices)
        return view

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Attempt and note it."""
        outcome = self._array.attempt(volts, seconds)
        asked = {"volts": volts, "seconds": np.array([seconds]), "indices": self._indices.astype(np.int64)}
        self._recorder.note("attempt", asked, {"switched": outcome.switched, "flags": outcome.flags})
        return outcome

    def state_dict(self) -> dict[str, Any]:
        """The wrapped array's state."""
        return self._array.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to the wrapped array."""
        self._array.load_state_dict(state)
