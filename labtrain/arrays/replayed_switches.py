"""A switch array that answers from a recording, strictly in order."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from labtrain.arrays.plain import like
from labtrain.arrays.replayed_views import ReplayedView
from labtrain.arrays.replaying import Recorded
from labtrain.arrays.switches import Outcome, SwitchArray


@final
class ReplayedSwitchArray(ReplayedView, SwitchArray):
    """Gives the recorded outcomes of the recorded attempts (``tolerance`` in V)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(recording, name, ("max_volts", "resolution_volts"), tolerance=tolerance)

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Return the recorded outcome; ReplayMismatch where the record's next attempt is another one."""
        outputs = self._next("attempt", {"volts": volts, "seconds": np.array([seconds])})
        return Outcome(like(outputs["switched"], volts), like(outputs["flags"], volts))
