"""A switch array whose every call is noted in the record."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from labtrain.arrays.recorded_views import RecordedView
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.session.sink import Sink


@final
class RecordedSwitchArray(RecordedView, SwitchArray):
    """Wraps any switch array and notes its attempts under the array's name."""

    def __init__(self, array: SwitchArray, sink: Sink, *, digests: bool = False) -> None:
        super().__init__(array, sink, ("max_volts", "resolution_volts"), digests)
        self.rows = array.rows

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Attempt and note it."""
        outcome: Outcome = self._array.attempt(volts, seconds)
        asked = {"volts": volts, "seconds": np.array([seconds])}
        self._note("attempt", asked, {"switched": outcome.switched, "flags": outcome.flags})
        return outcome
