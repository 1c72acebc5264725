"""A checkpoint in the record of an interrupted run, for the resumed run to go on from.

What the record holds up to it is played into the new session instead of being done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, final

from labtrain.interrupts import UNINTERRUPTED
from labtrain.session.checkpoint import ROWS, checkpoint_name, state_names
from labtrain.session.recording import Recording
from labtrain.session.replay_streams import Series, StreamReplay
from labtrain.session.sink import RowStream, Sink

Note = Callable[[], None]
TAKING_OVER = "live/taking-over"
"""The document that says how far a checkpoint has been taken over."""


@final
class Ahead:
    """One checkpoint, which :func:`labtrain.session.checkpoint.read_state` reads as ``name``.

    Attributes
    ----------
    take_over
        Puts what the record holds up to here into the new session; comparing goes on behind it.
    """

    def __init__(self, recording: Recording, name: str, take_over: Callable[[], None]) -> None:
        self.recording, self.name, self.take_over = recording, name, take_over


def newest_ahead(recording: Recording, run: str, steps: str, streams: StreamReplay) -> str | None:
    """Return the newest whole checkpoint of ``run`` that the re-run has not passed; None without one."""
    head = checkpoint_name(run, steps)
    for name in reversed([name for name in state_names(recording) if name.startswith(head)]):
        # One of an older version does not say how far the rows were.
        if ROWS in recording.document(name) and streams.documents[name].unplayed:
            return name
    return None


def play_up_to(
    name: str, recording: Recording, streams: StreamReplay, sink: Sink, opened: Callable[[str], RowStream]
) -> None:
    """Note what the record holds from where the re-run stands up to the checkpoint ``name``.

    Ctrl-C waits until it is done. What is killed in between is no beginning of the run (rows come before the
    rest), and says so: see :func:`half_taken_over`.

    Parameters
    ----------
    opened
        The sink's row stream of a name, opened as it was recorded where it is not yet.
    """
    with UNINTERRUPTED:
        sink.document(TAKING_OVER, {"from": recording.path.name, "checkpoint": name, "done": False})
        _play(name, recording, streams, sink, opened)
        sink.document(TAKING_OVER, {"from": recording.path.name, "checkpoint": name, "done": True})


def half_taken_over(recording: Recording) -> str | None:
    """Return the session that a resumed run was killed while taking over; None for every other record."""
    if TAKING_OVER not in recording.document_names():
        return None
    told = recording.document(TAKING_OVER)
    return None if told["done"] else str(told["from"])


def _play(
    name: str, recording: Recording, streams: StreamReplay, sink: Sink, opened: Callable[[str], RowStream]
) -> None:
    until = recording.document_seqs(name)[-1]
    for stream, count in recording.document(name)[ROWS].items():
        rows, columns = opened(stream), recording.rows(stream).columns
        for index in range(streams.rows[stream].position, count):
            rows.append({column: values[index] for column, values in columns.items()})
    for _, note in sorted(_others(recording, streams, sink, until), key=lambda one: one[0]):
        note()


def _others(
    recording: Recording, streams: StreamReplay, sink: Sink, until: int
) -> Iterator[tuple[int, Note]]:
    """Yield sequence number and noting of exchanges, arrays and documents; no two numbers are equal."""
    for name, calls in streams.exchanges.items():
        for seq, index in _due(recording.exchange_seqs(name), calls, until):
            yield seq, partial(_exchange, sink, name, calls, index)
    for name, arrays in streams.arrays.items():
        unit = recording.array_unit(name)
        for seq, index in _due(recording.array_seqs(name), arrays, until):
            yield seq, partial(_array, sink, name, arrays, index, unit)
    for name, documents in streams.documents.items():
        for seq, index in _due(recording.document_seqs(name), documents, until):
            yield seq, partial(_document, sink, name, documents, index)


def _due(seqs: Sequence[int], series: Series[Any], until: int) -> list[tuple[int, int]]:
    return [(seq, index) for index, seq in enumerate(seqs) if index >= series.position and seq <= until]


def _exchange(sink: Sink, name: str, calls: Series[Any], index: int) -> None:
    call = calls.items[index]
    sink.exchange(name, call.verb, call.inputs, call.outputs)


def _array(sink: Sink, name: str, arrays: Series[Any], index: int, unit: str) -> None:
    sink.array(name, arrays.items[index], unit)


def _document(sink: Sink, name: str, documents: Series[Any], index: int) -> None:
    sink.document(name, documents.items[index])
