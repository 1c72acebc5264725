"""A bit source whose every call is noted in the record."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.recorded_views import RecordedView
from labtrain.session.sink import Sink


@final
class RecordedBitstreamSource(RecordedView, BitstreamSource):
    """Wraps any bit source and notes its streams, packed, under the source's name."""

    def __init__(self, source: BitstreamSource, sink: Sink, *, digests: bool = False) -> None:
        super().__init__(source, sink, ("max_volts", "resolution_volts"), digests)

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Sample and note it."""
        bits: Bits = self._array.sample(volts, n_bits, interval)
        asked = {"volts": volts, "n_bits": np.array([n_bits]), "interval": np.array([interval])}
        self._note("sample", asked, {"packed": bits.packed, "flags": bits.flags})
        return bits
