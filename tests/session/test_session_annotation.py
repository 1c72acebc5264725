"""A note made after the run replaces the file at once and changes nothing else."""

from __future__ import annotations

import os

import pytest
from session_operations import small_run

from labtrain.errors import DataError, RecordError, UsageError
from labtrain.session import Recording, Replay, Session, annotate


def test_a_note_afterwards_keeps_everything_else(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={"seed": 2}) as session:
        session.note("before")
        small_run(session)
    with Recording.open(session.path) as recording:
        digest = recording.journal_digest
    annotate(session.path, "after: Ω drifted")
    annotate(session.path, "again")
    with Recording.open(session.path) as recording:
        assert recording.notes == ["before", "after: Ω drifted", "again"]
        assert recording.journal_digest == digest
        replay = Replay(recording)
        small_run(replay.sink)
        assert replay.finish().identical
    assert os.listdir(tmp_path) == ["run.h5"]


def test_a_damaged_file_or_note_is_refused(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        pass
    with pytest.raises(UsageError):
        annotate(session.path, "a\0b")
    whole = session.path.read_bytes()
    session.path.write_bytes(whole[:-1])
    with pytest.raises(DataError):
        annotate(session.path, "note")
    assert session.path.read_bytes() == whole[:-1]


def test_a_note_that_cannot_be_written_leaves_the_file(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        pass
    (tmp_path / "run.h5.noting").mkdir()
    with pytest.raises(RecordError, match="make room"):
        annotate(session.path, "note")
    with Recording.open(session.path) as recording:
        assert recording.notes == []
