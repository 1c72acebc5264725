"""Turning a journal into the one HDF5 file of a session.

The file is written beside its final name, closed, sealed with digests, read
back and compared, and only then renamed; the journal goes last. Killed at any
point, either the journal or the whole file is there.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import h5py

import labtrain
from labtrain.errors import RecordError
from labtrain.session.contents import Contents, read_journal
from labtrain.session.file_seal import append_seal, synchronise
from labtrain.session.layout import SealedWriter
from labtrain.session.sealed_parts import Index, write_parts

SCHEMA = "labtrain-session"
SCHEMA_VERSION = (1, 1)
MIN_READER = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing found: the number of valid records, and the bytes behind them that it could not read."""

    records: int
    dropped: int
    status: str


def seal_journal(journal: Path, path: Path, *, recovered: bool = False) -> Sealed:
    """Write ``path`` from ``journal`` and remove the journal.

    Raises
    ------
    RecordError
        When the file cannot be written or does not read back as written; the journal stays.
    """
    contents = read_journal(journal)
    draft = path.with_name(path.name + ".sealing")
    try:
        write_sealed(contents, draft, recovered=recovered)
        os.replace(draft, path)
        _sync_folder(path.parent)
        _put_away(journal, contents.scan.dropped)
    except OSError as error:
        raise RecordError(
            f"the session cannot be sealed: {error.strerror or error}",
            file=path,
            remedy=f"make room, then `labtrain session recover {path}`; the journal is kept",
        ) from error
    return Sealed(len(contents.scan.headers), contents.scan.dropped, contents.status)


def write_sealed(contents: Contents, draft: Path, *, recovered: bool) -> None:
    """Write, seal and verify the file ``draft``; a draft that could not be finished is removed."""
    try:
        with h5py.File(draft, "w") as file:
            writer = SealedWriter(file)
            index = write_parts(contents, writer)
            _write_root(contents, writer, index, recovered)
        append_seal(draft)
        with ThreadPoolExecutor(1) as disk:  # reading back takes no disk: meanwhile it can write
            synchronised = disk.submit(synchronise, draft)
            writer.compare(draft)
            synchronised.result()
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _write_root(contents: Contents, writer: SealedWriter, index: Index, recovered: bool) -> None:
    writer.text("session/index", json.dumps(index.to_json()))
    writer.group(
        "/",
        schema=SCHEMA,
        schema_version=".".join(map(str, SCHEMA_VERSION)),
        min_reader=MIN_READER,
        session_uuid=contents.head["uuid"],
        created_utc=contents.head["created_utc"],
        status=contents.status,
        complete=contents.status == "complete",
        recovered=recovered,
        dropped_bytes=contents.scan.dropped,
        journal_digest=contents.digest,
        creator=f"labtrain {labtrain.__version__}",
        NX_class="NXroot",
        **index.counts,
    )


def _put_away(journal: Path, dropped: int) -> None:
    """Remove a journal that is sealed whole; keep one with bytes that could not be read."""
    if dropped:
        os.replace(journal, journal.with_name(journal.name + ".damaged"))
    else:
        journal.unlink()


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
