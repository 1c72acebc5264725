"""Sealing the journal of a run that died."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from labtrain.errors import DataError, RecordError
from labtrain.session.contents import read_journal
from labtrain.session.locks import try_lock
from labtrain.session.place import journal_path
from labtrain.session.recording import Recording
from labtrain.session.sealing import seal_journal


@dataclass(frozen=True, slots=True)
class Recovered:
    """A session that is sealed now: its file, its number of records, whether the run came to its end."""

    path: Path
    records: int
    complete: bool


def recover(path: Path) -> Recovered:
    """Seal the journal of a dead run beside ``path``; harmless if there is none or if repeated.

    The file holds every record up to the first that is cut or flipped; a journal
    with anything behind that is kept as ``<path>.journal.damaged``.

    Raises
    ------
    DataError
        When there is neither file nor journal, the journal is unreadable from its start, or
        another session's file stands at ``path``.
    RecordError
        When a live program writes the journal, or the file cannot be written.
    """
    path = Path(path)
    if path.name.endswith(".journal"):
        path = path.with_name(path.name.removesuffix(".journal"))
    journal = journal_path(path)
    try:
        descriptor = os.open(journal, os.O_RDWR)
    except FileNotFoundError:
        return _sealed_already(path)
    try:
        if not try_lock(descriptor):
            raise RecordError(
                "a running program writes this session", file=journal, remedy="wait for it, or stop it first"
            )
        if journal.exists():  # somebody else may have sealed it while the lock was waited for
            _seal(journal, path)
    finally:
        os.close(descriptor)
    return _sealed_already(path)


def _seal(journal: Path, path: Path) -> None:
    if path.exists() and not _may_replace(journal, path):
        raise DataError(
            "the file of another session stands where this journal would be sealed",
            file=path,
            remedy="move the file away, then recover again",
        )
    seal_journal(journal, path, recovered=True)


def _may_replace(journal: Path, path: Path) -> bool:
    head = read_journal(journal).head
    if head["replaces"]:
        return True
    with Recording.open(path) as sealed:
        return sealed.uuid == str(head["uuid"])


def _sealed_already(path: Path) -> Recovered:
    with Recording.open(path) as sealed:
        return Recovered(path, sealed.records, sealed.complete)
