"""Arrays of every role that answer from a recording, strictly in order; no device is simulated.

Each takes a recording (anything with the ``exchanges`` of :class:`labtrain.session.Recording`), the
array's name in it, and ``tolerance``: how far a stimulus may be from the recorded one, in its own unit; 0
compares bit for bit. A call that is not the recorded one raises :class:`labtrain.errors.ReplayMismatch`; a
recording without exchanges of that array, or with digests only, :class:`labtrain.errors.DataError`.
"""

from __future__ import annotations

from typing import final

from labtrain.arrays.answered_roles import (
    AnsweredBitstreams,
    AnsweredNeurons,
    AnsweredSwitches,
    AnsweredSynapses,
)
from labtrain.arrays.recorded_answers import RecordedAnswers
from labtrain.arrays.replaying import Recorded


@final
class ReplayedNeuronArray(AnsweredNeurons):
    """Gives the recorded readings to the recorded currents (``tolerance`` in A)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        self._tape = RecordedAnswers(recording, name, tolerance)
        super().__init__(name, self._tape)

    @property
    def largest_deviation(self) -> float:
        """The largest difference that the tolerance has admitted so far, in A."""
        return self._tape.largest_deviation


@final
class ReplayedSwitchArray(AnsweredSwitches):
    """Gives the recorded outcomes of the recorded attempts (``tolerance`` in V)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(name, RecordedAnswers(recording, name, tolerance))


@final
class ReplayedBitstreamSource(AnsweredBitstreams):
    """Gives the recorded streams to the recorded questions (``tolerance`` in V)."""

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(name, RecordedAnswers(recording, name, tolerance))


@final
class ReplayedSynapseArray(AnsweredSynapses):
    """Gives the recorded answers to the recorded calls.

    ``tolerance`` holds for conductance changes (S) and read voltages (V) alike.
    """

    def __init__(self, recording: Recorded, name: str, *, tolerance: float = 0.0) -> None:
        super().__init__(name, RecordedAnswers(recording, name, tolerance))
