"""A bit source whose every call is noted in the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.recording import ExchangeRecorder
from labtrain.arrays.selection import checked_indices
from labtrain.session.sink import Sink


@final
class RecordedBitstreamSource(BitstreamSource):
    """Wraps any bit source and notes its streams, packed, under the source's name."""

    def __init__(self, source: BitstreamSource, sink: Sink) -> None:
        self.name = source.name
        self.max_volts = source.max_volts
        self.resolution_volts = source.resolution_volts
        self._source = source
        self._indices: NDArray[np.intp] = np.arange(len(source))
        properties = {
            "count": len(source),
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
        view._source = self._source.select(indices)
        return view

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Sample and note it."""
        bits = self._source.sample(volts, n_bits, interval)
        asked = {
            "volts": volts,
            "n_bits": np.array([n_bits]),
            "interval": np.array([interval]),
            "indices": self._indices.astype(np.int64),
        }
        self._recorder.note("sample", asked, {"packed": bits.packed, "flags": bits.flags})
        return bits

    def state_dict(self) -> dict[str, Any]:
        """The wrapped source's state."""
        return self._source.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to the wrapped source."""
        self._source.load_state_dict(state)
