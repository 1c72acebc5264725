"""The read end of one run's record: a sealed file, checked before it is trusted, never written to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import h5py
import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.session.exchanges import Exchange, Exchanges, FormData
from labtrain.session.file_seal import check_seal
from labtrain.session.layout import read_dataset
from labtrain.session.locks import is_locked
from labtrain.session.place import journal_path
from labtrain.session.sealing import MIN_READER, SCHEMA
from labtrain.session.sink import Column
from labtrain.session.transactions import COLUMNS, Transactions

_COUNTS = ("messages", "exchanges", "rows", "arrays", "documents")


@dataclass(frozen=True, slots=True)
class Rows:
    """A row stream: equally long columns, their units, and what was said about the stream."""

    columns: dict[str, NDArray[Any]]
    units: dict[str, str]
    attributes: dict[str, Any]
    declared: dict[str, Column]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))


@final
class Recording:
    """One sealed session, open for reading; use :meth:`open`, as a context manager or with :meth:`close`.

    Attributes
    ----------
    path
        The file.
    start
        What was asked: the start document.
    provenance
        Code, packages, machine and command line of the run.
    stop
        How the run ended: ``status``, ``interrupted_after`` (the last sequence number before somebody
        stopped it), ``error``; None where it was killed.
    status
        ``complete``, ``aborted`` or ``failed``.
    recovered
        Whether the run died and its journal was sealed afterwards.
    counts
        ``messages``, ``exchanges``, ``rows``, ``arrays``, ``documents``.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self._file = file
        self._index = json.loads(self._text("session/index"))
        self.start: dict[str, Any] = json.loads(self._text("session/start"))
        self.provenance: dict[str, Any] = json.loads(self._text("session/provenance"))
        self.stop: dict[str, Any] | None = json.loads(self._text("session/stop"))
        attributes = file.attrs
        self.status = str(attributes["status"])
        self.complete = bool(attributes["complete"])
        self.recovered = bool(attributes["recovered"])
        self.dropped_bytes = int(attributes["dropped_bytes"])
        self.uuid = str(attributes["session_uuid"])
        self.created_utc = str(attributes["created_utc"])
        self.schema_version = str(attributes["schema_version"])
        self.journal_digest = str(attributes["journal_digest"])
        self.counts: dict[str, int] = {name: int(attributes[name]) for name in _COUNTS}
        self.records = int(attributes["records"])

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> Recording:
        """Open a sealed session.

        Parameters
        ----------
        path
            The ``.h5`` file.
        verify
            Check every byte against the digests first (about as fast as reading the file).

        Raises
        ------
        DataError
            Saying what and where: no file, only a journal, cut, flipped, foreign, or of a newer schema.
        """
        path = Path(path)
        _check_there(path)
        if verify:
            check_seal(path)
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise DataError(f"HDF5 cannot open it: {error}", file=path) from error
        try:
            _check_schema(path, file)
            return cls(path, file)
        except (KeyError, OSError, RuntimeError, json.JSONDecodeError) as error:
            file.close()
            raise DataError(f"a part of the session is missing or damaged: {error}", file=path) from error
        except DataError:
            file.close()
            raise

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the recording itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    @property
    def bench_file(self) -> bytes | None:
        """The bench file's bytes, None when none was given."""
        return self._file["session/config"][()].tobytes() if "session/config" in self._file else None

    @property
    def interrupted_after(self) -> int | None:
        """The last sequence number before somebody stopped the run; None where nobody did."""
        after: int | None = (self.stop or {}).get("interrupted_after")
        return after

    @property
    def ended_by(self) -> str | None:
        """The kind of error that ended the run (a class's name); None where none did, or it was killed."""
        error = (self.stop or {}).get("error")
        return None if error is None else str(error["kind"])

    @property
    def notes(self) -> list[str]:
        """What operators noted, in order."""
        return [str(text) for text in read_dataset(self._file["session/notes/text"])]

    @property
    def clock_pairs(self) -> NDArray[np.int64]:
        """``[N, 2]`` int64: UTC and the session's clock in ns, noted together once a minute."""
        pairs: NDArray[np.int64] = self._file["session/clock"][()]
        return pairs

    @property
    def bench_clock_pairs(self) -> NDArray[np.int64]:
        """``[N, 2]`` int64: UTC and the clock that times messages (virtual on simulated benches), in ns."""
        if "session/bench_clock" not in self._file:  # written before schema 1.1
            return np.zeros((0, 2), np.int64)
        pairs: NDArray[np.int64] = self._file["session/bench_clock"][()]
        return pairs

    @property
    def ports(self) -> list[str]:
        """The aliases that messages went to."""
        return list(self._index["ports"])

    def stream_names(self) -> list[str]:
        """Return the names of the row streams in the order of their opening."""
        return list(self._index["streams"])

    def stream_attributes(self, name: str) -> dict[str, Any]:
        """Return what was said about a row stream, without reading its rows."""
        return dict(self._look_up("streams", "row stream", name)["attributes"])

    def stream_span(self, name: str) -> tuple[int, int]:
        """Return the sequence numbers of a row stream's first and last row; (0, 0) of one without rows."""
        self._look_up("streams", "row stream", name)
        span = self._file[name].attrs
        return int(span.get("first_seq", 0)), int(span.get("last_seq", 0))

    def rows(self, name: str) -> Rows:
        """Return a row stream."""
        stream = self._look_up("streams", "row stream", name)
        declared = {column: Column(*described) for column, described in stream["columns"].items()}
        columns = {column: read_dataset(self._file[f"{name}/{column}"]) for column in declared}
        units = {column: described.unit for column, described in declared.items()}
        return Rows(columns, units, stream["attributes"], declared)

    def document_names(self) -> list[str]:
        """Return the names of the documents."""
        return list(self._index["documents"])

    def document(self, name: str) -> dict[str, Any]:
        """Return the newest document of that name."""
        return self.documents(name)[-1]

    def documents(self, name: str, until: int | None = None) -> list[dict[str, Any]]:
        """Return all documents of that name, in order; those up to a sequence number, if one is given."""
        versions = _versions(self._look_up("documents", "document", name), until)
        return [json.loads(self._text(version["path"])) for version in versions]

    def document_seqs(self, name: str) -> list[int]:
        """Return the sequence numbers of all documents of that name, in order."""
        return [int(version["seq"]) for version in self._look_up("documents", "document", name)]

    def array_names(self, prefix: str = "") -> list[str]:
        """Return the names of the arrays that begin with ``prefix``."""
        return [name for name in self._index["arrays"] if name.startswith(prefix)]

    def array(self, name: str, until: int | None = None) -> NDArray[Any]:
        """Return the newest array of that name; the newest up to a sequence number, if one is given."""
        versions = _versions(self._look_up("arrays", "array", name), until)
        return np.asarray(self._file[versions[-1]["path"]][()])

    def arrays(self, name: str, until: int | None = None) -> list[NDArray[Any]]:
        """Return all arrays of that name, in order; those up to a sequence number, if one is given."""
        versions = _versions(self._look_up("arrays", "array", name), until)
        return [np.asarray(self._file[version["path"]][()]) for version in versions]

    def array_seqs(self, name: str) -> list[int]:
        """Return the sequence numbers of all arrays of that name, in order."""
        return [int(version["seq"]) for version in self._look_up("arrays", "array", name)]

    def array_unit(self, name: str) -> str:
        """Return the unit of the newest array of that name."""
        return str(self._look_up("arrays", "array", name)[-1]["unit"])

    def exchange_names(self) -> list[str]:
        """Return the device arrays whose calls were recorded."""
        return list(self._index["exchanges"])

    def exchange_seqs(self, array: str) -> list[int]:
        """Return the sequence numbers of all calls of one device array, in order."""
        forms = self._look_up("exchanges", "exchanged array", array)
        return sorted(int(seq) for form in forms for seq in self._file[f"{form['path']}/seq"][()])

    def exchanges(self, array: str, until: int | None = None) -> Sequence[Exchange]:
        """Return the calls of one device array, in order; those up to a sequence number, if one is given."""
        forms = self._look_up("exchanges", "exchanged array", array)
        return Exchanges([FormData(self._file, form) for form in forms], until)

    def transactions(self, port: str | None = None) -> Transactions:
        """Return the messages of all ports, or of one."""
        group = self._file["instruments/transactions"]
        index = {name: group[f"index/{name}"][()] for name in COLUMNS}
        messages = Transactions.of(index, group["blob"][()].tobytes(), self.ports)
        if port is None:
            return messages
        if port not in self.ports:
            raise self._unknown("port", port, self.ports)
        return messages.select(np.flatnonzero(messages.port == port))

    def _text(self, path: str) -> str:
        return str(self._file[path].asstr()[()])

    def _look_up(self, part: str, what: str, name: str) -> Any:
        known = self._index[part]
        if name not in known:
            raise self._unknown(what, name, known)
        return known[name]

    def _unknown(self, what: str, name: str, known: Sequence[str] | Mapping[str, Any]) -> DataError:
        some = ", ".join(list(known)[:10]) or "none"
        more = f" and {len(known) - 10} more" if len(known) > 10 else ""
        return DataError(
            f"the session holds no {what} {name!r}", file=self.path, remedy=f"known: {some}{more}"
        )


def _versions(versions: list[dict[str, Any]], until: int | None) -> list[dict[str, Any]]:
    return [version for version in versions if until is None or version["seq"] <= until]


def _check_there(path: Path) -> None:
    if path.is_file():
        return
    journal = journal_path(path)
    if not journal.exists():
        raise DataError("there is no such session", file=path, remedy="give the path of a session file")
    if is_locked(journal):
        raise DataError("the session is still being written", file=journal, remedy="wait until it is sealed")
    raise DataError(
        "only the journal of a run that died is there",
        file=journal,
        remedy=f"seal it with `labtrain session recover {path}`",
    )


def _check_schema(path: Path, file: h5py.File) -> None:
    if file.attrs.get("schema") != SCHEMA:
        raise DataError("this HDF5 file is no labtrain session", file=path, remedy="give a session file")
    needed = int(file.attrs["min_reader"])
    if needed > MIN_READER:
        raise DataError(
            f"schema version {file.attrs['schema_version']} needs a reader of version {needed}; this one is"
            f" version {MIN_READER}",
            file=path,
            remedy="update labtrain",
        )
