"""A tail sees every record of a running session, in order, whole, and its end."""

from __future__ import annotations

import multiprocessing
import os
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_operations import apply, open_stream, operations
from session_victims import write_for_ever

from labtrain.errors import DataError
from labtrain.session import Session, Tail

KINDS = {"message": "command", "row": "row", "exchange": "exchange", "array": "array", "document": "document"}


@settings(max_examples=25)
@given(notes=st.lists(operations, max_size=12), looks=st.sets(st.integers(0, 12)))
def test_records_come_once_and_in_order_however_often_one_looks(tmp_path_factory, notes, looks) -> None:
    path = tmp_path_factory.mktemp("tail") / "run.h5"
    seen = []
    with Session.create(path, start={"command": "x"}) as session, Tail(path) as tail:
        stream = open_stream(session)
        for place, note in enumerate(notes):
            apply(session, stream, note)
            if place in looks:
                seen += tail.poll()
        assert tail.is_written
        session.seal("complete")
        seen += tail.poll()
        assert tail.stopped["status"] == "complete" and not tail.is_written
    assert [record.seq for record in seen] == sorted({record.seq for record in seen})
    wanted = set(KINDS.values())
    assert [r.kind for r in seen if r.kind in wanted] == [KINDS[note[0]] for note in notes]
    rows = [note[1] for note in notes if note[0] == "row"]
    told = [r.content for r in seen if r.kind == "row"]
    assert [row["device"] for row in told] == [row["device"] for row in rows]
    volts = [[np.float64(row["volts"]).tobytes() for row in side] for side in (told, rows)]
    assert volts[0] == volts[1]


def test_a_record_larger_than_one_reading_comes_whole(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("labtrain.session.tail._READ_BYTES", 4096)
    value = np.arange(5000.0)
    with Session.create(tmp_path / "run.h5", start={}) as session, Tail(session.path) as tail:
        for _ in range(3):
            session.array("train/w", value, "V")
            session.note("between")
        arrays = [record for record in tail.poll() if record.kind == "array"]
    assert len(arrays) == 3 and all(np.array_equal(r.content["value"], value) for r in arrays)


@pytest.mark.skipif(os.name == "nt", reason="kills a forked process")
def test_following_ends_when_the_writer_is_killed(tmp_path) -> None:
    context = multiprocessing.get_context("forkserver")
    acknowledged = context.Value("q", 0)
    victim = context.Process(target=write_for_ever, args=(str(tmp_path / "run.h5"), acknowledged))
    victim.start()
    try:
        while acknowledged.value < 100:
            pass
        rows = []
        with Tail(tmp_path / "run.h5") as tail:
            for record in tail.follow():
                if record.kind == "row":
                    rows.append(record.content["k"])
                    assert record.name == "runs/0001_x/points"
                if len(rows) == 100 and record.kind == "row":
                    os.kill(victim.pid, signal.SIGKILL)
            assert tail.stopped is None
    finally:
        victim.kill()
        victim.join()
    assert rows == list(range(len(rows))) and len(rows) >= acknowledged.value


def test_where_nothing_runs_there_is_nothing_to_follow(tmp_path) -> None:
    with pytest.raises(DataError, match="no running session"):
        Tail(tmp_path / "run.h5")


def test_another_run_in_the_same_place_is_not_followed(tmp_path) -> None:
    first = Session.create(tmp_path / "run.h5", start={})
    with Tail(first.path) as tail:
        first._journal.close()  # killed, put away, and begun again under the same name
        first.journal_path.rename(tmp_path / "put away")
        with Session.create(tmp_path / "run.h5", start={}) as second:
            second.note("not of the first run")
            assert not tail.is_written
            assert all(record.kind != "note" for record in tail.follow())
