"""What replayed arrays have in common, whatever their role: a place in a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.digests import DIGESTS
from labtrain.arrays.plain import as_numpy
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.arrays.selection import checked_indices
from labtrain.errors import DataError


class ReplayedArray:
    """Gives the recorded answers to the recorded questions, strictly in order; no device is simulated.

    Parameters
    ----------
    recording
        A :class:`labtrain.session.Recording` (anything with its ``exchanges``).
    name
        The array's name in the recording.
    tolerance
        How far a stimulus may be from the recorded one, in its own unit. 0 compares bit for bit.

    Raises
    ------
    DataError
        When the recording holds no exchanges of that array, or digests only.
    """

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        self.name = name
        self._tape = ExchangeTape(recording, name, tolerance)
        described = self._tape.next("describe", {})
        self._properties = {key: values[0].item() for key, values in described.items()}
        if DIGESTS in self._properties:
            raise DataError(
                f"of the calls of {name!r} the recording holds digests, which answer nothing",
                remedy="record with --set record=full; `labtrain replay` simulates the array again",
            )

    @property
    def largest_deviation(self) -> float:
        """The largest difference that the tolerance has admitted so far, in the stimulus' unit."""
        return self._tape.largest_deviation

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)

    def _next(self, verb: str, inputs: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return the recorded answer; ReplayMismatch where the record's next call is another one."""
        return self._tape.next(verb, {name: as_numpy(value) for name, value in inputs.items()})


class ReplayedView(ReplayedArray):
    """Some devices of a recorded array; all views answer from the same place in the recording.

    Parameters
    ----------
    limits
        Names of the array's own numbers in the record.
    """

    def __init__(
        self, recording: Recorded, name: str, limits: Sequence[str], *, tolerance: float = 0.0
    ) -> None:
        super().__init__(recording, name, tolerance=tolerance)
        for limit in limits:
            setattr(self, limit, float(self._properties[limit]))
        self._indices: NDArray[np.intp] = np.arange(int(self._properties["count"]))

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some devices; it answers from the same place in the recording."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
        return view

    def _next(self, verb: str, inputs: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        return super()._next(verb, {**inputs, "indices": self._indices.astype(np.int64)})
