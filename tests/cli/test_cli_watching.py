"""Watching a session keeps a bounded part of it, however long it runs."""

from __future__ import annotations

import json
import math
import tracemalloc

from labtrain.cli.watching import Watched, picture
from labtrain.session import Column, Session, Tail

COLUMNS = {"k": Column("int64"), "volts": Column(unit="V")}


def test_what_is_kept_does_not_grow_with_the_record(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("labtrain.session.tail._READ_BYTES", 2**16)

    def watched(session: Session, rows: int) -> int:
        state, stream = Watched(), session.stream(f"runs/{rows}/points", COLUMNS, {})
        for k in range(rows):
            stream.append({"k": k, "volts": 0.1 * k})
        tracemalloc.start()
        try:
            with Tail(session.path) as tail:
                state.take(tail.records())
            assert state.counts["rows"] >= rows and len(state.summary()["last"]) <= 12
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with Session.create(tmp_path / "run.h5", start={}) as session:
        watched(session, 100)  # what the first use loads
        short, long = watched(session, 2_000), watched(session, 8_000)
    assert long < 1.5 * short


def test_the_newest_streams_and_notes_are_kept(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        for number in range(40):
            session.stream(f"runs/{number:04d}/points", COLUMNS, {}).append({"k": number, "volts": 1.0})
            session.note(f"note {number}")
        state = Watched()
        with Tail(session.path) as tail:
            state.take(tail.records())
    summary = state.summary()
    assert list(summary["last"]) == [f"runs/{number:04d}/points" for number in range(28, 40)]
    assert summary["notes"][-1] == "note 39" and summary["counts"]["rows"] == 40
    json.dumps(summary)


def test_a_curve_is_drawn_over_what_is_finite(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        rows = session.stream("runs/x/points", COLUMNS, {})
        for volts in (math.nan, 0.1, math.inf, 0.2, -math.inf, math.nan):
            rows.append({"k": 0, "volts": volts})
        state = Watched()
        with Tail(session.path) as tail:
            state.take(tail.records())
    assert state.curve().endswith("▁█  0.2") and picture(state)
