"""The answers of a recording, for replayed arrays of every role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from numpy.typing import NDArray

from labtrain.arrays.answered_views import Answers
from labtrain.arrays.digests import DIGESTS
from labtrain.arrays.replaying import ExchangeTape, Recorded
from labtrain.errors import DataError


@final
class RecordedAnswers(Answers):
    """Gives the recorded answers to the recorded questions, strictly in order.

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

    def __init__(self, recording: Recorded, name: str, tolerance: float = 0.0) -> None:
        self._tape = ExchangeTape(recording, name, tolerance)
        described = self._tape.next("describe", {})
        self._properties = {key: float(values[0].item()) for key, values in described.items()}
        if DIGESTS in self._properties:
            raise DataError(
                f"of the calls of {name!r} the recording holds digests, which answer nothing",
                remedy="record with --set record=full; `labtrain replay` simulates the array again",
            )

    @property
    def largest_deviation(self) -> float:
        """The largest difference that the tolerance has admitted so far, in the stimulus' unit."""
        return self._tape.largest_deviation

    def properties(self) -> Mapping[str, float]:
        """What the recording says of the array."""
        return self._properties

    def next(self, verb: str, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Return the recorded answer; ReplayMismatch where the record's next call is another one."""
        return self._tape.next(verb, inputs)

    def state_dict(self) -> dict[str, Any]:
        """The place in the recording."""
        return {"position": self._tape.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a place in the recording; a state of a device's counters is accepted and ignored."""
        self._tape.position = state.get("position", self._tape.position)
