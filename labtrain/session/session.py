"""The write end of one run's record."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.clock import Clock, RealClock
from labtrain.errors import ProcessLost, RecordError, UsageError
from labtrain.interrupts import UNINTERRUPTED
from labtrain.session.array_form import SMALL_BYTES, array_head, buffer, plain_array
from labtrain.session.frames import BENCH_CLOCK, SESSION_CLOCK, STATUS_CODES, Kind
from labtrain.session.head import Status, start_record, status_after, stop_record
from labtrain.session.interrupts import InterruptMark
from labtrain.session.journal import Journal
from labtrain.session.names import Claims, check_part, check_path, document_path, numbered
from labtrain.session.place import check_place, journal_path
from labtrain.session.row_form import RowForm
from labtrain.session.sealing import seal_journal
from labtrain.session.session_exchanges import SessionExchanges
from labtrain.session.session_rows import SessionRows
from labtrain.session.sink import Column, RowStream, Sink
from labtrain.session.texts import check_text, check_unit, to_json

_COMMAND, _REPLY, _ARRAY = map(int, (Kind.COMMAND, Kind.REPLY, Kind.ARRAY))  # struct packs them quicker
_MOST_HEADS = 4096
Head = tuple[Any, tuple[int, ...], str, bytes, bool]
"""An array's dtype, shape and unit, what stands before its data, and whether it is small."""
_NO_HEAD: Head = (None, (), "", b"", False)
_CLOCK_PAIR = struct.Struct("<qq")


@final
class Session(Sink):
    """One run's record while it is written: an append-only journal, sealed into one HDF5 file at the end.

    Use :meth:`create`. As a context manager it seals itself as ``complete``, as
    ``aborted`` (Ctrl-C, termination) or as ``failed`` (any other exception).
    Every call is thread-safe and has been acknowledged when it returns.
    """

    def __init__(self, path: Path, journal: Journal, clock: Clock) -> None:
        self._path = path
        self._journal = journal
        self._append = journal.append
        self._clock = clock
        self._status = "running"
        self._ports: dict[str, int] = {}
        self._now_ns = clock.now_ns
        self._exchanges = SessionExchanges(journal, clock, self._define)
        self._heads: dict[str, Head] = {}  # of the newest of each name
        self._streams: dict[str, SessionRows] = {}
        self._claims = Claims()
        self._defining = threading.Lock()
        self._pair_due = True
        self._interrupt = InterruptMark(lambda: journal.seq)
        self._error: BaseException | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        start: Mapping[str, Any],
        bench_file: bytes | None = None,
        clock: Clock | None = None,
        force: bool = False,
    ) -> Session:
        """Begin a record.

        Parameters
        ----------
        path
            The HDF5 file that sealing will write; the journal stands beside it meanwhile.
        start
            What was asked: command, settings, seed, note; a JSON-able document.
        bench_file
            The bench file's bytes, kept exactly.
        clock
            The bench's clock (default: real time).
        force
            Replace a sealed file at ``path`` (when sealing; until then it stays).

        Raises
        ------
        UsageError
            When ``path`` exists and ``force`` is not given, or a journal stands beside it.
        RecordError
            When the journal cannot be written.
        """
        path = Path(path)
        text = to_json(dict(start), what="the start document")
        check_place(path, force)
        clock = clock or RealClock()
        session = cls(path, Journal(journal_path(path)), clock)
        session._begin(text, bench_file, force)
        session._journal.every_minute = session._note_minute
        return session

    @property
    def path(self) -> Path:
        """The file that sealing writes."""
        return self._path

    @property
    def journal_path(self) -> Path:
        """The journal, until it is sealed."""
        return self._journal.path

    @property
    def status(self) -> str:
        """``running``, then what :meth:`seal` was told."""
        return self._status

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        """Note a message before it is sent; return its sequence number."""
        number = self._ports.get(port)
        if number is None:
            number = self._define_port(port)
        if self._pair_due:
            self._note_bench_clock(t_ns)
        return self._append(_COMMAND, 0, number, t_ns, 0, payload)

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        """Note the answer to command ``seq``; status ``ok``, ``timeout``, ``lost`` or ``error``."""
        try:
            number, code = self._ports[port], STATUS_CODES[status]
        except KeyError as error:
            raise UsageError(
                f"a reply of {port!r} with status {status!r} answers nothing",
                remedy=f"note the command first; statuses are {', '.join(STATUS_CODES)}",
            ) from error
        self._append(_REPLY, code, number, t_ns, seq, payload)

    def stream(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> RowStream:
        """Open a row stream; its columns and units are checked here.

        Raises
        ------
        UsageError
            For a name already taken, a dtype that rows cannot hold, or a unit that pint does not read.
        """
        form = RowForm(check_path("the stream", name), columns)
        plain = json.loads(to_json(dict(attributes), what=f"the attributes of {name!r}"))
        with self._defining:
            if not self._claims.claim("stream", name):
                raise UsageError(
                    f"the stream {name!r} is open already", remedy="number the runs of one session"
                )
            number = numbered(len(self._streams) + 1, "streams")
            rows = self._streams[name] = SessionRows(form, number, self._append, self._clock)
        described = {n: [c.dtype, c.unit, c.long_name] for n, c in form.columns.items()}
        document = {"number": number, "name": name, "columns": described, "attributes": plain}
        self._define(Kind.STREAM, number, json.dumps(document).encode())
        return rows

    def exchange(
        self, array: str, verb: str, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Note one device-level call of an array."""
        self._exchanges.note(array, verb, inputs, outputs)

    def array(self, name: str, value: NDArray[Any], unit: str = "") -> None:
        """Note a named array; the name may come again, and :meth:`Recording.array` gives the newest."""
        dtype, shape, known_unit, head, small = self._heads.get(name, _NO_HEAD)
        if (
            type(value) is not np.ndarray
            or value.dtype is not dtype
            or value.shape != shape
            or unit != known_unit
        ):
            value = plain_array(f"the array {name!r}", value)
            head, small = self._define_head(name, unit, value)
        if small:  # copied, and so in C order: quicker than gathering
            self._append(_ARRAY, 0, 0, self._now_ns(), 0, head + value.tobytes())
        else:
            self._journal.append_parts(_ARRAY, 0, self._now_ns(), [head, buffer(np.ascontiguousarray(value))])

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Note a JSON document; the name may come again, and :meth:`Recording.document` gives the newest."""
        text = to_json(dict(content), what=f"the document {name!r}")
        for part in name.split("/"):
            check_part(f"the document {name!r}: the part", part)
        self._claim("document", document_path(name))
        self._define(Kind.DOCUMENT, 0, json.dumps({"name": name}).encode() + b"\0" + text.encode())

    def note(self, text: str) -> None:
        """Note what the operator says."""
        self._define(Kind.NOTE, 0, check_text("the note", text).encode())

    def barrier(self) -> None:
        """Return when all that was acknowledged would survive a power cut."""
        self._journal.barrier()

    def rows_noted(self) -> dict[str, int]:
        """Return how many rows each stream has."""
        return {name: rows.count for name, rows in self._streams.items()}

    def seal(self, status: Status = "complete") -> Path:
        """End the run and turn its journal into the HDF5 file; sealing again changes nothing.

        Raises
        ------
        RecordError
            When the journal or the file cannot be written; the journal stays.
        """
        if self._status != "running":
            return self._path
        if status not in ("complete", "aborted", "failed"):
            raise UsageError(f"no session ends as {status!r}", remedy="complete, aborted or failed")
        try:
            self._note_clocks()
            stop = stop_record(self._clock, status, self._interrupt.after, self._error)
            self._define(Kind.STOP, 0, to_json(stop).encode())
            self._journal.barrier()
            self._journal.stop("has been sealed")
            self._status = status
            seal_journal(self._journal.path, self._path)
        finally:
            self._journal.close()
        return self._path

    def stopped(self) -> None:
        """Mark a stop that somebody asked for, as an interrupt is marked; the first one counts."""
        if self._interrupt.after is None:
            self._interrupt.after = self._journal.seq

    def __enter__(self) -> Self:
        """Return the session itself; from here on interrupts are marked in the record."""
        self._interrupt.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Seal, whatever ended the run; what ended it is never hidden by a failing disk."""
        self._error = error
        if isinstance(error, ProcessLost):
            self.stopped()  # not this run's own end: a resumed run goes on behind it
        try:
            with UNINTERRUPTED:  # what ends the run may be followed by a request to end it
                self.seal(status_after(error))
        except RecordError as unsealed:
            if error is None:
                raise
            error.add_note(f"the session could not be sealed: {unsealed}")
        finally:
            self._interrupt.uninstall()

    def _begin(self, start: str, bench_file: bytes | None, force: bool) -> None:
        head = start_record(self._clock, start, force)
        try:
            self._define(Kind.START, 0, to_json(head).encode())
            if bench_file is not None:
                self._define(Kind.CONFIG, 0, bytes(bench_file))
            self._note_clocks()
        except BaseException:  # nothing was acknowledged: leave no stub in the way of the next run
            self._journal.close()
            self._journal.path.unlink(missing_ok=True)
            raise

    def _define(self, kind: Kind, number: int, payload: bytes) -> None:
        self._append(kind, 0, number, self._clock.now_ns(), 0, payload)

    def _define_port(self, port: str) -> int:
        with self._defining:
            if port not in self._ports:
                number = numbered(len(self._ports) + 1, "ports")
                self._define(Kind.PORT, number, check_part("the port", port).encode())
                self._ports[port] = number
            return self._ports[port]

    def _define_head(self, name: str, unit: str, value: NDArray[Any]) -> tuple[bytes, bool]:
        """Check a name and a unit once for all arrays of that name, dtype, shape and unit."""
        check_unit(unit, f"the array {name!r}")
        self._claim("array", check_path("the array", name))
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        head, small = array_head(name, value, unit), value.nbytes < SMALL_BYTES
        self._heads[name] = (value.dtype, value.shape, unit, head, small)
        return head, small

    def _claim(self, what: str, path: str) -> None:
        with self._defining:
            self._claims.claim(what, path)

    def _note_clocks(self) -> None:
        self._define(Kind.CLOCK, SESSION_CLOCK, _CLOCK_PAIR.pack(self._clock.utc_ns(), self._clock.now_ns()))

    def _note_minute(self) -> None:
        self._note_clocks()
        self._pair_due = True  # the next message says how far the bench's clock is

    def _note_bench_clock(self, t_ns: int) -> None:
        self._pair_due = False
        self._define(Kind.CLOCK, BENCH_CLOCK, _CLOCK_PAIR.pack(self._clock.utc_ns(), t_ns))
