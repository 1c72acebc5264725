"""A bit source that answers from a recording, strictly in order."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.plain import like
from labtrain.arrays.replayed_views import ReplayedView
from labtrain.arrays.replaying import Recorded


@final
class ReplayedBitstreamSource(ReplayedView, BitstreamSource):
    """Gives the recorded streams to the recorded questions (``tolerance`` in V)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(recording, name, ("max_volts", "resolution_volts"), tolerance=tolerance)

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Return the recorded streams; ReplayMismatch where the record's next call is another one."""
        asked = {"volts": volts, "n_bits": np.array([n_bits]), "interval": np.array([interval])}
        outputs = self._next("sample", asked)
        return Bits(like(outputs["packed"], volts), n_bits, like(outputs["flags"], volts))
