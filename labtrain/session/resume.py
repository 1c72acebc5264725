"""A run taken up again: compared with the record as far as that goes, then on its own; noted anew in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from labtrain.errors import ReplayMismatch
from labtrain.session.ahead import Ahead, newest_ahead, play_up_to
from labtrain.session.record_end import RecordEnds
from labtrain.session.recording import Recording
from labtrain.session.replay import Replay
from labtrain.session.sink import Column, RowStream, Sink


@final
class Resume:
    """One interrupted run carried on by doing its steps again.

    The steps run from their beginning against instruments and devices that start as they did then
    (a simulated bench in process, directly simulated arrays). What they note is compared with the
    record until that ends, bit for bit, so that the world is known to stand where it stood; from there
    the run goes on. Everything is noted in the new session.

    Parameters
    ----------
    recording
        Of the interrupted run; kept open until the run is over.
    session
        What the resumed run writes to.
    from_checkpoints
        Whether parts of the run may go on from their newest checkpoint instead of being done again: where a
        checkpoint holds all the state there is, as with directly simulated arrays. What the record holds
        behind the checkpoint is compared as ever.

    Attributes
    ----------
    replay
        Answers and compares.
    sink
        For the bench and the steps. Raises :class:`~labtrain.errors.ReplayMismatch` before anything is
        sent or noted that the record contradicts.
    """

    def __init__(self, recording: Recording, session: Sink, *, from_checkpoints: bool = False) -> None:
        self.replay = Replay(recording)
        self.recording = recording
        self.from_checkpoints = from_checkpoints
        self._prefix = True
        self._taken_up = False
        self.sink: Sink = _ResumeSink(session, self.replay.sink, self)

    @property
    def is_live(self) -> bool:
        """Whether the run has come beyond the record."""
        return not self._prefix

    def take_up(self) -> None:
        """Compare nothing from here on: what the record holds behind it is measured again."""
        self._prefix, self._taken_up = False, True

    def compare(self, note: Callable[[], Any]) -> Any:
        """Let the replay compare what is about to be noted; None once the record has ended."""
        if not self._prefix:
            return None
        try:
            return note()
        except RecordEnds:
            self._prefix = False
            return None

    def finish(self) -> None:
        """Accept a run that has come beyond its record, or exactly to its end.

        Raises
        ------
        ReplayMismatch
            When something recorded did not come again.
        """
        left = self.replay.unplayed()
        if left and not self._taken_up:
            raise ReplayMismatch(
                f"the resumed run ended before its record did: {left} did not come",
                first={"what": "ending", "unplayed": str(left)},
                remedy="the code or the data changed since: start the run afresh",
            )


@final
class _ResumeSink(Sink):
    """Compares first: what contradicts the record is neither noted nor sent."""

    def __init__(self, session: Sink, record: Sink, resume: Resume) -> None:
        self._session = session
        self._record = record
        self._resume = resume
        self._compare = resume.compare
        self._recorded_seqs: dict[int, int] = {}
        self._rows: dict[str, RowStream] = {}
        self._opened_ahead: set[str] = set()

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        """Compare and note a message."""
        recorded = self._compare(lambda: self._record.command(port, payload, t_ns))
        seq = self._session.command(port, payload, t_ns)
        if recorded is not None:
            self._recorded_seqs[seq] = recorded
        return seq

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        """Compare and note an answer; one that the record does not hold any more is only noted."""
        recorded = self._recorded_seqs.pop(seq, None)
        if recorded is not None:
            self._compare(lambda: self._record.reply(port, recorded, payload, status, t_ns))
        self._session.reply(port, seq, payload, status, t_ns)

    def stream(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> RowStream:
        """Open a stream in both; one that was opened on the way to a checkpoint is open already."""
        if name in self._opened_ahead:
            self._opened_ahead.remove(name)
            streams, declared = self._resume.replay.streams, self._resume.recording.rows(name)
            self._compare(lambda: streams.check_opening(name, declared, columns, attributes))
            return self._rows[name]
        recorded = self._compare(lambda: self._record.stream(name, columns, attributes))
        rows = self._session.stream(name, columns, attributes)
        self._rows[name] = rows if recorded is None else _ResumeRows(rows, recorded, self._compare)
        return self._rows[name]

    def exchange(
        self, array: str, verb: str, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Compare and note a call of a device array."""
        self._compare(lambda: self._record.exchange(array, verb, inputs, outputs))
        self._session.exchange(array, verb, inputs, outputs)

    def array(self, name: str, value: NDArray[Any], unit: str = "") -> None:
        """Compare and note a named array."""
        self._compare(lambda: self._record.array(name, value, unit))
        self._session.array(name, value, unit)

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Compare and note a document."""
        self._compare(lambda: self._record.document(name, content))
        self._session.document(name, content)

    def barrier(self) -> None:
        """Make everything noted so far safe."""
        self._session.barrier()

    def rows_noted(self) -> dict[str, int]:
        """Return how many rows each stream of the new session has."""
        return self._session.rows_noted()

    def checkpoint_ahead(self, run: str, steps: str = "") -> Ahead | None:
        """Return where the run may go on, while it has not come beyond the record."""
        resume = self._resume
        if resume.is_live or not resume.from_checkpoints:
            return None
        recording, streams = resume.recording, resume.replay.streams
        name = newest_ahead(recording, run, steps, streams)
        if name is None:
            return None
        play = partial(play_up_to, name, recording, streams, self, self._opened)
        return Ahead(recording, name, play)

    def _opened(self, name: str) -> RowStream:
        if name not in self._rows:
            recorded = self._resume.recording.rows(name)
            self.stream(name, recorded.declared, recorded.attributes)
            self._opened_ahead.add(name)
        return self._rows[name]


@final
class _ResumeRows(RowStream):
    def __init__(
        self, rows: RowStream, record: RowStream, compare: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self._rows = rows
        self._record = record
        self._compare = compare

    def append(self, row: Mapping[str, Any]) -> None:
        """Compare and note one row."""
        self._compare(lambda: self._record.append(row))
        self._rows.append(row)
