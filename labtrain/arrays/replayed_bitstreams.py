"""A bit source that answers from a recording, strictly in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.arrays.selection import checked_indices


@final
class ReplayedBitstreamSource(BitstreamSource):
    """Gives the recorded streams to the recorded questions; see :class:`ReplayedNeuronArray`."""

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

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Return the recorded streams; ReplayMismatch where the record's next call is another one."""
        asked = {
            "volts": as_numpy(volts),
            "n_bits": np.array([n_bits]),
            "interval": np.array([interval]),
            "indices": self._indices.astype(np.int64),
        }
        outputs = self._tape.next("sample", asked)
        return Bits(like(outputs["packed"], volts), n_bits, like(outputs["flags"], volts))

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)
