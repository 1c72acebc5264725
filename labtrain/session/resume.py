"""A run taken up again: compared with the record as far as that goes, then on its own; noted anew in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from numpy.typing import NDArray

from labtrain.errors import ReplayMismatch
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

    Attributes
    ----------
    replay
        Answers and compares.
    sink
        For the bench and the steps. Raises :class:`~labtrain.errors.ReplayMismatch` before anything is
        sent or noted that the record contradicts.
    """

    def __init__(self, recording: Recording, session: Sink) -> None:
        self.replay = Replay(recording)
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
        self._compare = resume.compare
        self._recorded_seqs: dict[int, int] = {}

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
        """Open a stream in both."""
        recorded = self._compare(lambda: self._record.stream(name, columns, attributes))
        rows = self._session.stream(name, columns, attributes)
        return rows if recorded is None else _ResumeRows(rows, recorded, self._compare)

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
