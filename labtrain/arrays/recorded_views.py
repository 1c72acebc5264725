"""What recorded arrays have in common, whatever their role: the array behind, and a place in a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.digests import DigestRecorder
from labtrain.arrays.recording import ExchangeRecorder
from labtrain.arrays.selection import SomeDevices
from labtrain.session.sink import Sink


class RecordedArray:
    """Wraps an array; its state is the array's own.

    Parameters
    ----------
    array
        The array that answers.
    sink
        Where exchanges go: a session, or a replay that compares them.
    properties
        What a replay must know of the array, noted at once.
    digests
        Of a directly simulated array: note digests of its calls only (:mod:`labtrain.arrays.digests`).
    """

    def __init__(
        self, array: Any, sink: Sink, properties: Mapping[str, float], digests: bool = False
    ) -> None:
        self.name = array.name
        self._array = array
        self._recorder: ExchangeRecorder | DigestRecorder = (
            DigestRecorder(sink, array, properties)
            if digests
            else ExchangeRecorder(sink, array.name, properties)
        )

    def state_dict(self) -> dict[str, Any]:
        """The wrapped array's state."""
        state: dict[str, Any] = self._array.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand the state to the wrapped array."""
        self._array.load_state_dict(state)


class RecordedView(SomeDevices, RecordedArray):
    """Some devices of a wrapped array; a call is noted with their indices in the whole.

    Parameters
    ----------
    limits
        Names of the array's own numbers that a replay must know.
    """

    def __init__(self, array: Any, sink: Sink, limits: Sequence[str], digests: bool = False) -> None:
        values = {name: getattr(array, name) for name in limits}
        super().__init__(array, sink, {"count": len(array), **values}, digests)
        for name, value in values.items():
            setattr(self, name, value)
        self._indices = np.arange(len(array))

    def _narrow(self, chosen: NDArray[np.intp]) -> None:
        super()._narrow(chosen)
        self._array = self._array.select(chosen.tolist())

    def _note(self, verb: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        self._recorder.note(verb, {**inputs, "indices": self._indices.astype(np.int64)}, outputs)
