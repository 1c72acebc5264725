"""Bad input is refused when it is noted, with what is allowed and the remedy; and how a session ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import DataError, RecordError, Terminated, UsageError
from labtrain.session import Column, Recording, Session, register_provenance
from labtrain.session.names import Claims


@pytest.fixture
def session(tmp_path):
    with Session.create(tmp_path / "run.h5", start={}) as opened:
        yield opened


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "no columns"),
        ({"v": Column("float128")}, "float128"),
        ({"v": Column("complex128")}, "complex128"),
        ({"v": Column("float64", "volt per banana")}, "volt per banana"),
        ({"a/b": Column()}, "a/b"),
        ({"": Column()}, "''"),
    ],
)
def test_columns_that_cannot_be_recorded(columns, said, session) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")) as refusal:
        session.stream("runs/0001_x/points", columns, {})
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "row",
    [
        {"n": 1, "on": True},
        {"v": 1.0, "n": 1, "on": True, "t": "x", "more": 1},
        {"v": "1.0", "n": 1, "on": True, "t": "x"},
        {"v": None, "n": 1, "on": True, "t": "x"},
        {"v": 1.0, "n": 1.5, "on": True, "t": "x"},
        {"v": 1.0, "n": 2**63, "on": True, "t": "x"},
        {"v": 1.0, "n": 1, "on": 1, "t": "x"},
        {"v": 1.0, "n": 1, "on": True, "t": 5},
        {"v": 1.0, "n": 1, "on": True, "t": "a\0b"},
        {"v": 1.0, "n": 1, "on": True, "t": "\ud800"},
    ],
)
def test_rows_that_do_not_fit_are_refused_and_leave_no_trace(row, session) -> None:
    columns = {"v": Column(), "n": Column("int64"), "on": Column("bool"), "t": Column("str")}
    stream = session.stream("runs/0001_x/points", columns, {})
    with pytest.raises(UsageError):
        stream.append(row)
    session.seal()
    with Recording.open(session.path) as recording:
        assert len(recording.rows("runs/0001_x/points")) == 0


def test_numpy_scalars_fit(session) -> None:
    columns = {"v": Column(), "n": Column("int64"), "on": Column("bool"), "t": Column("str")}
    stream = session.stream("s/points", columns, {})
    stream.append({"v": np.float32(0.5), "n": np.int16(-3), "on": np.bool_(True), "t": np.str_("é")})
    session.seal()
    with Recording.open(session.path) as recording:
        found = recording.rows("s/points").columns
    assert [found[name][0] for name in columns] == [0.5, -3, True, "é"]


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.array("train/w", np.array(["text"])),
        lambda s: s.array("train/w", np.array([object()])),
        lambda s: s.array("train/w", np.zeros(3), "furlongs per"),
        lambda s: s.array("session/start", np.zeros(3)),
        lambda s: s.array("instruments/smu", np.zeros(3)),
        lambda s: s.array("a//b", np.zeros(3)),
        lambda s: s.array("../b", np.zeros(3)),
        lambda s: s.array("", np.zeros(3)),
        lambda s: s.exchange("a/b", "respond", {}, {}),
        lambda s: s.exchange("a", "respond", {"x/y": np.zeros(1)}, {}),
        lambda s: s.exchange("a", "respond", {"x": np.array([None])}, {}),
        lambda s: s.document("x", {"a": {1, 2}}),
        lambda s: s.document("a@3", {}),
        lambda s: s.command("a/b", b"", 0),
        lambda s: s.reply("never-asked", 1, b"", "ok", 0),
        lambda s: s.note("a\0b"),
        lambda s: s.seal("done"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_session_goes_on(call, session) -> None:
    with pytest.raises(UsageError) as refusal:
        call(session)
    assert refusal.value.remedy
    session.array("train/fine", np.zeros(3))
    session.seal()
    with Recording.open(session.path) as recording:
        assert recording.array_names() == ["train/fine"] and not recording.document_names()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["array", "stream"]), st.lists(st.sampled_from("ab"), min_size=1, max_size=3)
        )
    )
)
def test_claimed_paths_never_stand_above_one_another(wanted) -> None:
    claims, held = Claims(), set()
    for what, parts in wanted:
        path = "/".join(parts)
        try:
            claims.claim(what, path)
        except UsageError:
            continue
        held.add((path, what))
    paths = [path for path, _ in held]
    assert len(set(paths)) == len(paths)
    assert not any(a.startswith(b + "/") for a in paths for b in paths)


def test_a_stream_opens_once(session) -> None:
    session.stream("a/b", {"v": Column()}, {})
    with pytest.raises(UsageError, match="open already"):
        session.stream("a/b", {"v": Column()}, {})


def test_an_existing_file_is_kept_unless_forced(tmp_path) -> None:
    path = tmp_path / "run.h5"
    Session.create(path, start={"run": 1}).seal()
    with pytest.raises(UsageError, match="--force"):
        Session.create(path, start={"run": 2})
    forced = Session.create(path, start={"run": 2}, force=True)
    with Recording.open(path) as recording:
        assert recording.start == {"run": 1}, "the old file stays until the new one is sealed"
    forced.seal()
    with Recording.open(path) as recording:
        assert recording.start == {"run": 2}


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "complete"), (KeyboardInterrupt, "aborted"), (Terminated, "aborted"), (ValueError, "failed")],
)
def test_the_status_says_how_the_run_ended(error, status, tmp_path) -> None:
    def run() -> None:
        with Session.create(tmp_path / "run.h5", start={}) as session:
            assert session.status == "running" and session.journal_path.exists()
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    with Recording.open(tmp_path / "run.h5") as recording:
        assert recording.status == status and recording.complete == (status == "complete")
    assert not (tmp_path / "run.h5.journal").exists()


def test_nothing_is_noted_after_sealing(session) -> None:
    assert session.seal("failed") == session.path
    assert session.seal("complete") == session.path and session.status == "failed"
    with pytest.raises(RecordError, match="sealed"):
        session.command("smu", b"*IDN?\n", 0)


def test_what_is_not_there_is_named_with_what_is(session) -> None:
    session.document("settings", {"limit": math.inf, "level": np.float64(0.5), "list": np.arange(2)})
    session.seal()
    with Recording.open(session.path) as recording:
        assert recording.document("settings") == {"limit": None, "level": 0.5, "list": [0, 1]}
        for call in (recording.rows, recording.array, recording.exchanges, recording.transactions):
            with pytest.raises(DataError, match="known: none"):
                call("missing")
        with pytest.raises(DataError, match="known: settings"):
            recording.document("setings")


def test_provenance_comes_without_being_asked(tmp_path) -> None:
    register_provenance("test-flags", lambda: {"threads": 1})
    Session.create(tmp_path / "run.h5", start={}).seal()
    with Recording.open(tmp_path / "run.h5") as recording:
        found = recording.provenance
    assert found["test-flags"] == {"threads": 1}
    assert found["packages"]["numpy"] == np.__version__
    assert found["git"]["commit"] is None or len(found["git"]["commit"]) == 40
    assert {"argv", "host", "python", "platform", "labtrain"} <= found.keys()
