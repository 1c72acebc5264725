"""What a journal says, read from its valid prefix."""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_hexdigest

from labtrain.errors import DataError
from labtrain.session.array_form import ExchangeForm
from labtrain.session.frames import MAGIC, Kind, Scan, scan
from labtrain.session.row_form import RowForm
from labtrain.session.sink import Column


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A row stream: its form, what was said about it, and where its rows are."""

    name: str
    form: RowForm
    attributes: dict[str, Any]
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contents:
    """A journal with its definitions read.

    ``digest`` is the xxh3-128 of the headers in its valid prefix, which hold the checksums of all the rest.

    Attributes
    ----------
    head
        The start record: uuid, creation time, start document, provenance.
    stop
        The stop record, None when the run died without one.
    ports
        Aliases by port number.
    """

    scan: Scan
    digest: str
    head: dict[str, Any]
    stop: dict[str, Any] | None
    ports: dict[int, str]
    streams: list[StreamRecord]
    forms: list[tuple[ExchangeForm, NDArray[np.int64]]]

    @property
    def status(self) -> str:
        """How the run ended; a run without a stop record was aborted."""
        return str(self.stop["status"]) if self.stop else "aborted"

    def texts(self, kind: Kind) -> list[tuple[int, str]]:
        """Return sequence number and text of every record of a text kind."""
        indices = self.scan.of(kind)
        seqs = self.scan.headers["seq"][indices].tolist()
        return [(seq, bytes(p).decode()) for seq, p in zip(seqs, self.scan.payloads(indices), strict=True)]

    def clock_pairs(self, clock: int) -> NDArray[np.int64]:
        """Return ``[N, 2]``: UTC and nanoseconds of one clock, noted together."""
        pairs = [struct.unpack("<qq", p) for p in self.scan.payloads(self.scan.of(Kind.CLOCK, clock))]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def read_journal(path: Path) -> Contents:
    """Read the valid prefix of a journal.

    Raises
    ------
    DataError
        For a file that is no journal, or one whose start record is damaged.
    """
    view = _map(path)
    if view[: len(MAGIC)] != MAGIC:
        raise DataError(
            "this is no labtrain journal", file=path, remedy="give the session's path, ending in .h5"
        )
    found = scan(view)
    if not len(found.headers) or found.headers["kind"][0] != Kind.START:
        raise DataError(
            "the journal's start record is damaged or was never written whole; nothing can be recovered",
            file=path,
            remedy="move the file away",
        )
    stops = found.of(Kind.STOP)
    return Contents(
        found,
        xxh3_128_hexdigest(found.headers.tobytes()),
        json.loads(bytes(found.payload(0))),
        json.loads(bytes(found.payload(int(stops[-1])))) if len(stops) else None,
        {int(found.headers["number"][i]): bytes(found.payload(int(i))).decode() for i in found.of(Kind.PORT)},
        [_stream(found, bytes(p)) for p in found.payloads(found.of(Kind.STREAM))],
        _forms(found),
    )


def _map(path: Path) -> memoryview:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b"")


def _stream(journal: Scan, text: bytes) -> StreamRecord:
    content = json.loads(text)
    form = RowForm(content["name"], {name: Column(*column) for name, column in content["columns"].items()})
    return StreamRecord(content["name"], form, content["attributes"], journal.of(Kind.ROW, content["number"]))


def _forms(journal: Scan) -> list[tuple[ExchangeForm, NDArray[np.int64]]]:
    found = journal.of(Kind.FORM)
    numbers = journal.headers["number"][found].tolist()
    forms = [ExchangeForm.from_json(bytes(p)) for p in journal.payloads(found)]
    return [(form, journal.of(Kind.EXCHANGE, n)) for n, form in zip(numbers, forms, strict=True)]
