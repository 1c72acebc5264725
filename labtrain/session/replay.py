"""A recording put in the place of the bench: it answers the re-run and compares all that it notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.clock import Clock
from labtrain.links.link import Link
from labtrain.session.mismatch import Verdict, refuse_unknown
from labtrain.session.nearness import Nearness
from labtrain.session.recording import Recording
from labtrain.session.replay_messages import CLOCK_PORT, ReplayClock, ReplayLink, Tape
from labtrain.session.replay_streams import StreamReplay
from labtrain.session.sink import Column, NullSink, RowStream, Sink


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How a re-run compares with the record.

    Attributes
    ----------
    identical
        Whether everything agreed and everything recorded came again.
    messages, exchanges, rows
        How many were compared.
    first_mismatch
        Plain data, None when there was none.
    unplayed
        What of the record did not come, by kind and name.
    interrupted
        Whether the recorded run was interrupted, and the re-run came to that point; what was noted
        while the run unwound is not compared.
    deviation, deviation_at
        The largest deviation that the tolerance accepted, and where.
    """

    identical: bool
    messages: int
    exchanges: int
    rows: int
    first_mismatch: dict[str, object] | None
    unplayed: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    deviation: float = 0.0
    deviation_at: str = ""


@final
class Replay:
    """One re-run of a recording.

    Parameters
    ----------
    recording
        Kept open until the re-run is over.
    tolerance
        How far numbers may be from the recorded ones, as a share of the largest magnitude beside
        them (see :mod:`labtrain.session.nearness`); 0 compares every bit.

    Attributes
    ----------
    sink
        Compares; a mismatch raises :class:`~labtrain.errors.ReplayMismatch`, at once and for ever.
        Behind the last thing that an interrupted run noted it raises :class:`RecordEnds`.
    clock
        Gives the recorded readings.
    """

    def __init__(self, recording: Recording, *, tolerance: float = 0.0) -> None:
        interrupted = recording.status == "aborted"
        until = recording.interrupted_after if interrupted else None
        self._near = Nearness(tolerance)
        self._verdict = Verdict(lambda: interrupted and not self.unplayed())
        messages = recording.transactions()
        ports = {port: np.flatnonzero(messages.port == port) for port in recording.ports}
        self._tapes = {
            port: Tape(port, messages.select(rows), self._verdict, self._near, until)
            for port, rows in ports.items()
        }
        self._streams = StreamReplay(recording, self._verdict, self._near, until)
        self.sink: Sink = _ReplaySink(self._tapes, self._streams, self._verdict)
        pairs = recording.clock_pairs
        self.clock: Clock = ReplayClock(self._tapes.get(CLOCK_PORT), int(pairs[0, 0]) if len(pairs) else 0)

    def link(self, alias: str) -> Link:
        """Return the link of one instrument.

        Raises
        ------
        ReplayMismatch
            When nothing was recorded of it.
        """
        if alias not in self._tapes:
            refuse_unknown(self._verdict, "instrument", alias, list(self._tapes))
        return ReplayLink(alias, self._tapes[alias], self._verdict)

    @property
    def streams(self) -> StreamReplay:
        """Everything but messages, and how far the re-run has come."""
        return self._streams

    @property
    def is_over(self) -> bool:
        """Whether nothing is compared any more: the record has ended, or did not agree."""
        return self._verdict.over

    def finish(self) -> ReplayReport:
        """Say how the re-run compares with the record, what it left out included."""
        unplayed = self.unplayed()
        return ReplayReport(
            self._verdict.first is None and not unplayed,
            sum(min(tape.position, tape.end) for tape in self._tapes.values()),
            sum(series.position for series in self._streams.exchanges.values()),
            sum(rows.position for rows in self._streams.rows.values()),
            self._verdict.first,
            unplayed,
            self._verdict.ended,
            self._near.largest,
            self._near.where,
        )

    def unplayed(self) -> dict[str, int]:
        """Return what of the record has not come yet, by kind and name."""
        left = {f"messages {port!r}": tape.unplayed for port, tape in self._tapes.items()}
        return {name: count for name, count in left.items() if count} | self._streams.unplayed()


@final
class _ReplaySink(Sink):
    def __init__(self, tapes: dict[str, Tape], streams: StreamReplay, verdict: Verdict) -> None:
        self._tapes = tapes
        self._streams = streams
        self._verdict = verdict

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        """Compare a message; its time is not compared."""
        tape = self._tapes.get(port)
        if tape is not None and not self._verdict.over:
            position = tape.position
            if position < tape.end and (tape.commands[position] == payload or tape.is_near(payload)):
                tape.position = position + 1
                tape.answer = tape.answers[position]
                tape.seq = seq = tape.seqs[position]
                return seq
        return self._other_command(port, payload)

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        """Compare an answer."""
        tape = self._tapes.get(port)
        if tape is None:  # only while an interrupted run unwinds: its command was not refused
            return self._verdict.check()
        wanted, reply = tape.answer
        if tape.seq == seq and wanted == status and reply == payload and not self._verdict.over:
            tape.replied = tape.position
            return
        tape.refuse_reply(seq, payload, status)

    def _other_command(self, port: str, payload: bytes) -> int:
        self._verdict.check()
        tape = self._tapes.get(port)
        if self._verdict.ended:
            return -1 if tape is None else tape.unwind(payload)
        if tape is None:
            refuse_unknown(self._verdict, "instrument", port, list(self._tapes))
        tape.refuse(payload)

    def stream(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> RowStream:
        """Open a stream that compares rows."""
        self._verdict.check()
        if self._verdict.ended:
            return NullSink().stream(name, columns, attributes)
        return self._streams.open(name, columns, attributes)

    def exchange(
        self, array: str, verb: str, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Compare a call of a device array."""
        self._verdict.check()
        if not self._verdict.ended:
            self._streams.exchange(array, verb, {"inputs": inputs, "outputs": outputs})

    def array(self, name: str, value: NDArray[Any], unit: str = "") -> None:
        """Compare a named array."""
        self._verdict.check()
        if not self._verdict.ended:
            self._streams.array(name, value)

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Compare a document."""
        self._verdict.check()
        if not self._verdict.ended:
            self._streams.document(name, content)

    def barrier(self) -> None:
        """Nothing to make safe."""

    def rows_noted(self) -> dict[str, int]:
        """Return how many rows of each stream have come."""
        return {name: rows.position for name, rows in self._streams.rows.items()}
