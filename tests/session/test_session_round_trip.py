"""Whatever a run notes comes back from the sealed file as it was, and replays as identical."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from session_operations import COLUMNS, STREAM, apply, open_stream, operations, same

from labtrain.session import Recording, Replay, Session


def _record(noted, path: Path, bench_file: bytes | None = None) -> None:
    with Session.create(path, start={"command": "test", "seed": 3}, bench_file=bench_file) as session:
        stream = open_stream(session)
        for operation in noted:
            apply(session, stream, operation)


def _of(noted, kind, name=None):
    return [op for op in noted if op[0] == kind and (name is None or op[1] == name)]


@settings(
    max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # shrinking files takes minutes
@given(noted=st.lists(operations, max_size=25), bench_file=st.binary(max_size=30))
def test_everything_noted_is_read_back_and_replays(noted, bench_file) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        _record(noted, path, bench_file)
        with Recording.open(path) as recording:
            _check_messages(noted, recording)
            _check_rows(noted, recording)
            _check_exchanges(noted, recording)
            _check_named(noted, recording)
            assert recording.bench_file == bench_file
            assert recording.start == {"command": "test", "seed": 3}
            assert recording.status == "complete" and recording.complete and not recording.recovered
            replay = Replay(recording)
            stream = open_stream(replay.sink)
            for operation in noted:
                apply(replay.sink, stream, operation)
            report = replay.finish()
            assert report.identical, report
            assert report.messages == len(_of(noted, "message"))


def _check_messages(noted, recording) -> None:
    expected = _of(noted, "message")
    found = recording.transactions()
    assert found.commands() == [command for _, _, command, _, _ in expected]
    assert found.port.tolist() == [port for _, port, *_ in expected]
    assert found.status.tolist() == [status or "none" for *_, status in expected]
    assert found.replies() == [reply if status else b"" for _, _, _, reply, status in expected]
    assert [found.command(i) for i in range(len(found))] == found.commands()
    assert set(found.dt_ns.tolist()) <= {4, -1}
    assert (np.diff(found.seq) > 0).all()
    assert recording.counts["messages"] == len(expected)


def _check_rows(noted, recording) -> None:
    expected = [row for _, row in _of(noted, "row")]
    found = recording.rows(STREAM)
    assert len(found) == len(expected) == recording.counts["rows"]
    for name, column in COLUMNS.items():
        dtype = object if column.dtype == "str" else column.dtype
        assert same(found.columns[name], np.array([row[name] for row in expected], dtype=dtype))
    assert found.units == {"volts": "V", "counts": "", "kept": "", "level": "uA", "device": ""}
    assert found.attributes == {"device": "neurons[0]", "points": 3}


def _check_exchanges(noted, recording) -> None:
    for name in recording.exchange_names():
        expected, found = _of(noted, "exchange", name), recording.exchanges(name)
        assert len(found) == len(expected)
        for (_, _, amperes, volts), exchange in zip(expected, found, strict=True):
            assert exchange.verb == "respond"
            assert same(exchange.inputs["amperes"], amperes) and same(exchange.outputs["volts"], volts)
    assert recording.counts["exchanges"] == len(_of(noted, "exchange"))


def _check_named(noted, recording) -> None:
    for name in recording.array_names("train/"):
        expected = [value for _, _, value in _of(noted, "array", name)]
        assert all(same(a, b) for a, b in zip(recording.arrays(name), expected, strict=True))
        assert same(recording.array(name), expected[-1]) and recording.array_unit(name) == "V"
    for name in recording.document_names():
        expected = [content for _, _, content in _of(noted, "document", name)]
        assert recording.documents(name) == expected and recording.document(name) == expected[-1]
    assert recording.counts["arrays"] == len(_of(noted, "array"))
    assert recording.counts["documents"] == len(_of(noted, "document"))


def test_many_threads_lose_and_mix_nothing(tmp_path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(session: Session, port: str) -> None:
        for i in range(300):
            seq = session.command(port, b"%s %d\n" % (port.encode(), i), i)
            session.reply(port, seq, b"%d\n" % i, "ok", i)

    ports = ["a", "b", "c", "d"]
    with Session.create(tmp_path / "t.h5", start={}) as session, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda port: write(session, port), ports))
    with Recording.open(tmp_path / "t.h5") as recording:
        for port in ports:
            found = recording.transactions(port)
            assert found.commands() == [b"%s %d\n" % (port.encode(), i) for i in range(300)]
            assert found.replies() == [b"%d\n" % i for i in range(300)]


def test_a_command_may_be_answered_twice_and_a_reply_may_answer_nothing(tmp_path) -> None:
    with Session.create(tmp_path / "t.h5", start={}) as session:
        first = session.command("smu", b"A?\n", 1)
        session.reply("smu", first, b"", "timeout", 2)
        session.command("smu", b"B\n", 3)
        session.reply("smu", first, b"late\n", "ok", 4)
        session.reply("smu", 999, b"stray\n", "ok", 5)
    with Recording.open(tmp_path / "t.h5") as recording:
        found = recording.transactions()
        assert sorted(found.replies()) == [b"", b"", b"late\n", b"stray\n"]
        assert found.status.tolist().count("ok") == 2
