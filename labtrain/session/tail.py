"""Following a journal while it is written: the records that came since one last looked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from labtrain.clock import Clock, RealClock
from labtrain.errors import DataError
from labtrain.session.array_form import ExchangeForm, NamedArray
from labtrain.session.frames import HEADER_BYTES, MAGIC, STATUSES, SUMMED, Kind, frames_from
from labtrain.session.locks import is_locked
from labtrain.session.place import journal_path
from labtrain.session.row_form import RowForm
from labtrain.session.sink import Column

_LOOK_SECONDS = 2e-3
_READ_BYTES = 2**20  # what is held at once, however far the writer is ahead


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a running session.

    Attributes
    ----------
    seq, t_ns
        Its number, and its time on the session's clock (messages: the bench's).
    kind
        ``command``, ``reply``, ``row``, ``exchange``, ``array``, ``document``, ``note``, ``stop``, ...
    name
        The port, stream, array or document.
    content
        A row's columns, a message's ``bytes`` (and ``status``), a document, a note's ``text``, an
        exchange's ``verb``, an array's ``value``.
    """

    seq: int
    t_ns: int
    kind: str
    name: str
    content: dict[str, Any] = field(default_factory=dict)


@final
class Tail:
    """Reads a session's journal behind the program that writes it; never writes.

    Parameters
    ----------
    path
        The session's file, as given to the program that writes it.

    Raises
    ------
    DataError
        When no journal is there: nothing runs.
    """

    def __init__(self, path: Path) -> None:
        self.journal = journal_path(Path(path))
        try:
            self._descriptor = os.open(self.journal, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise DataError(
                "no running session writes there",
                file=path,
                remedy="give a session that is being recorded; labtrain session inspect shows a sealed one",
            ) from error
        self._position = len(MAGIC)
        self._names: dict[tuple[Kind, int], str] = {}
        self._rows: dict[int, RowForm] = {}
        self._forms: dict[int, ExchangeForm] = {}
        self.stopped: dict[str, Any] | None = None

    def poll(self) -> list[Record]:
        """Return what has come since one last looked, in order."""
        return list(self.records())

    def records(self) -> Iterator[Record]:
        """Yield what has come since one last looked, in order, without holding all of it."""
        while True:
            view = memoryview(self._read())
            offsets, stop = frames_from(view, 0)
            for at in offsets:
                record = self._record(view, at)
                self._position += HEADER_BYTES + int.from_bytes(view[at + 8 : at + 12], "little")
                yield record
            if stop == 0 or len(view) < _READ_BYTES:
                return

    def follow(self, clock: Clock | None = None) -> Iterator[Record]:
        """Yield records as they come, until the run has stopped or died.

        Parameters
        ----------
        clock
            Waits between two looks (default: real time, 2 ms).
        """
        clock = clock or RealClock()
        alive = True
        while self.stopped is None:
            found = False
            for record in self.records():
                found = True
                yield record
            if not found:
                if not alive:
                    return
                alive = self.is_written  # looked at before the next poll, so that nothing is missed
                clock.sleep(_LOOK_SECONDS)

    @property
    def is_written(self) -> bool:
        """Whether a program still writes the journal; another one that came in its place is not it."""
        try:
            mine, now = os.fstat(self._descriptor), os.stat(self.journal)
            return (mine.st_dev, mine.st_ino) == (now.st_dev, now.st_ino) and is_locked(self.journal)
        except FileNotFoundError:  # sealed: the journal is gone, what it held can still be read here
            return False

    def close(self) -> None:
        """Let the journal go; closing twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        """Return the tail itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the journal go."""
        self.close()

    def _read(self) -> bytes:
        size = _READ_BYTES
        os.lseek(self._descriptor, self._position, os.SEEK_SET)
        data = os.read(self._descriptor, size)
        if len(data) >= HEADER_BYTES:
            needed = HEADER_BYTES + int.from_bytes(data[8:12], "little")
            if needed > size:  # one record larger than a reading
                os.lseek(self._descriptor, self._position, os.SEEK_SET)
                data = os.read(self._descriptor, needed)
        return data

    def _record(self, view: memoryview, at: int) -> Record:
        length, number_of_kind, status, number, seq, t_ns, _ = SUMMED.unpack_from(view, at + 8)
        payload = view[at + HEADER_BYTES : at + HEADER_BYTES + length]
        kind = Kind(number_of_kind)
        name, content = self._read_payload(kind, number, status, payload)
        return Record(seq, t_ns, kind.name.lower(), name, content)

    def _read_payload(
        self, kind: Kind, number: int, status: int, payload: memoryview
    ) -> tuple[str, dict[str, Any]]:
        if kind in (Kind.PORT, Kind.STREAM, Kind.FORM):
            return self._define(kind, number, bytes(payload)), {}
        if kind == Kind.ROW:
            columns = self._rows[number].unpack([payload])
            return self._names[Kind.STREAM, number], {name: _plain(v[0]) for name, v in columns.items()}
        if kind in (Kind.COMMAND, Kind.REPLY):
            told = {"status": STATUSES[status]} if kind == Kind.REPLY else {}
            return self._names[Kind.PORT, number], {"bytes": bytes(payload), **told}
        if kind == Kind.EXCHANGE:
            return self._names[Kind.FORM, number], {"verb": self._forms[number].verb}
        if kind == Kind.ARRAY:
            array = NamedArray.unpack(payload)
            return array.name, {"value": array.value.copy(), "unit": array.unit}
        return self._read_text(kind, bytes(payload))

    def _read_text(self, kind: Kind, payload: bytes) -> tuple[str, dict[str, Any]]:
        if kind == Kind.DOCUMENT:
            head, text = payload.split(b"\0", 1)
            return json.loads(head)["name"], json.loads(text)
        if kind == Kind.NOTE:
            return "", {"text": payload.decode()}
        content = json.loads(payload) if kind in (Kind.START, Kind.STOP) else {}
        if kind == Kind.STOP:
            self.stopped = content
        return "", content

    def _define(self, kind: Kind, number: int, payload: bytes) -> str:
        if kind == Kind.PORT:
            name = payload.decode()
        elif kind == Kind.STREAM:
            content = json.loads(payload)
            name = str(content["name"])
            self._rows[number] = RowForm(name, {n: Column(*c) for n, c in content["columns"].items()})
        else:
            self._forms[number] = ExchangeForm.from_json(payload)
            name = self._forms[number].array
        self._names[kind, number] = name
        return name


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else value.item()
