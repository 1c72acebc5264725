"""A replay answers as the bench did, compares everything, and says where a re-run left the record."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from session_operations import COLUMNS, STREAM, apply, open_stream, small_run

from labtrain.bus import Bus
from labtrain.clock import Clock, VirtualClock
from labtrain.errors import ConnectionLost, InstrumentTimeout, ReplayMismatch
from labtrain.session import Recording, Replay, Session
from labtrain.session.differences import differences
from labtrain.session.provenance import gather_provenance


def _recorded(path, run) -> Recording:
    with Session.create(path, start={}) as session:
        run(session)
    return Recording.open(path)


@pytest.fixture
def recording(tmp_path):
    with _recorded(tmp_path / "run.h5", small_run) as opened:
        yield opened


def _mismatch(recording, run) -> dict:
    replay = Replay(recording)
    with pytest.raises(ReplayMismatch) as caught:
        run(replay.sink)
    report = replay.finish()
    assert not report.identical and report.first_mismatch == caught.value.first
    with pytest.raises(ReplayMismatch):
        replay.sink.command("smu", b"anything\n", 0)
    with pytest.raises(ReplayMismatch):
        replay.link("smu").send(b"anything\n")
    return caught.value.first


def test_the_same_run_is_identical(recording) -> None:
    replay = Replay(recording)
    small_run(replay.sink)
    report = replay.finish()
    assert report.identical and report.first_mismatch is None and not report.unplayed
    assert (report.messages, report.exchanges, report.rows) == (12, 6, 6)


def test_what_was_left_out_is_reported(recording) -> None:
    replay = Replay(recording)
    replay.sink.command("smu", b":SOUR:VOLT 0\n", 0)
    report = replay.finish()
    assert not report.identical and report.first_mismatch is None
    assert report.unplayed == {
        "messages 'smu'": 11,
        "exchanges 'neurons'": 6,
        "arrays 'train/x/w'": 1,
        "documents 'analysis/fit'": 1,
        f"rows '{STREAM}'": 6,
    }


@pytest.mark.parametrize(
    ("command", "recorded", "detail"),
    [
        (b":SOUR:VOLT 2\n", "later", "recorded LATER (2 skipped)"),
        (b":SOUR:VOLT 0\n", "earlier", "recorded EARLIER, at 0 (an extra call)"),
        (b":SOUR:VOLT 1.0\n", "never", "never recorded (nearest: ':SOUR:VOLT 1\\n')"),
    ],
)
def test_a_message_out_of_order_is_diagnosed(command, recorded, detail, recording) -> None:
    def run(sink) -> None:
        sink.command("smu", b":SOUR:VOLT 0\n", 0)
        sink.command("smu", b"READ? 0\n", 0)
        sink.command("smu", command, 0)

    first = _mismatch(recording, run)
    assert (first["recorded"], first["detail"]) == (recorded, detail)
    assert first["instrument"] == "smu" and first["index"] == 2
    assert first["sequence"] == int(recording.transactions("smu").seq[2])
    assert first["expected"] == ":SOUR:VOLT 1\n" and first["got"] == command.decode()
    assert first["before"] == [":SOUR:VOLT 0\n", "READ? 0\n"]
    assert first["after"] == ["READ? 1\n", ":SOUR:VOLT 2\n", "READ? 2\n"]


def test_a_message_behind_the_end_is_exhausted(recording) -> None:
    def run(sink) -> None:
        small_run(sink)
        sink.command("smu", b"*CLS\n", 0)

    first = _mismatch(recording, run)
    assert first["recorded"] == "exhausted" and first["index"] == 12 and first["expected"] is None


def test_an_unknown_instrument_or_stream_names_the_nearest(recording) -> None:
    assert "'smu'" in _mismatch(recording, lambda sink: sink.command("smv", b"*CLS\n", 0))["detail"]
    opening = lambda sink: sink.stream("runs/0001_iv/points", COLUMNS, {})  # noqa: E731
    assert STREAM in _mismatch(recording, opening)["detail"]
    exchange = lambda sink: sink.exchange("neuron", "respond", {}, {})  # noqa: E731
    assert "neurons" in _mismatch(recording, exchange)["detail"]


def test_a_row_names_stream_index_column_and_both_values(recording) -> None:
    def run(sink) -> None:
        stream = open_stream(sink)
        row = {"volts": 0.0, "counts": 0, "kept": True, "level": 0.5, "device": "d0"}
        stream.append(row)
        stream.append(row | {"volts": np.nextafter(0.1, 1), "counts": 1, "device": "d1"})

    first = _mismatch(recording, run)
    assert (first["what"], first["name"], first["index"]) == ("row", STREAM, 1)
    assert first["part"] == "column 'volts'"
    assert first["expected"] == 0.1 and first["got"] == float(np.nextafter(0.1, 1))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"device": "d9"}, "column 'device'"),
        ({"kept": False}, "column 'kept'"),
        ({"volts": -0.0}, "column 'volts'"),
    ],
)
def test_every_kind_of_column_is_compared(change, part, recording) -> None:
    row = {"volts": 0.0, "counts": 0, "kept": True, "level": 0.5, "device": "d0"}
    assert _mismatch(recording, lambda sink: open_stream(sink).append(row | change))["part"] == part


def test_more_rows_than_recorded(recording) -> None:
    def run(sink) -> None:
        stream = open_stream(sink)
        for i in range(7):
            row = {"volts": 0.1 * i, "counts": i, "kept": True, "level": 0.5, "device": f"d{i}"}
            stream.append(row)

    assert _mismatch(recording, run)["recorded"] == "exhausted"


def test_other_columns_or_units_are_found_when_the_stream_opens(recording) -> None:
    first = _mismatch(recording, lambda sink: sink.stream(STREAM, {"volts": COLUMNS["volts"]}, {}))
    assert first["what"] == "opening" and first["part"] == "columns"


@pytest.mark.parametrize(
    ("amperes", "volts", "part"),
    [
        (np.zeros((2, 3)), np.full((2, 3), 1e-300), "outputs 'volts'[0, 0] (6 of 6 elements differ)"),
        (
            np.array([[0.0, 0, 0], [0, 0, -0.0]]),
            np.zeros((2, 3)),
            "inputs 'amperes'[1, 2] (1 of 6 elements differ)",
        ),
        (np.zeros((2, 3), np.float32), np.zeros((2, 3)), "inputs 'amperes'"),
        (np.zeros((3, 2)), np.zeros((2, 3)), "inputs 'amperes'"),
    ],
)
def test_an_exchange_names_the_element(amperes, volts, part, recording) -> None:
    run = lambda sink: apply(sink, None, ("exchange", "neurons", amperes, volts))  # noqa: E731
    first = _mismatch(recording, run)
    assert first["what"] == "exchange" and first["index"] == 0 and first["part"] == part


def test_the_verb_and_the_names_of_an_exchange_are_compared(recording) -> None:
    assert _mismatch(recording, lambda sink: sink.exchange("neurons", "attempt", {}, {}))["part"] == "verb"
    assert _mismatch(recording, lambda sink: sink.exchange("neurons", "respond", {}, {}))["part"] == "inputs"


def test_arrays_and_documents_are_compared(recording) -> None:
    weights = np.arange(6.0).reshape(2, 3)
    weights[1, 1] += 1e-15
    first = _mismatch(recording, lambda sink: sink.array("train/x/w", weights))
    assert first["part"] == "[1, 1] (1 of 6 elements differ)"
    changed = {"v50": 0.31, "points": [1, 2, 4]}
    first = _mismatch(recording, lambda sink: sink.document("analysis/fit", changed))
    assert (first["part"], first["expected"], first["got"]) == ("points[2]", 3, 4)
    other = {"v50": 0.31, "curve": [1, 2, 3]}
    first = _mismatch(recording, lambda sink: sink.document("analysis/fit", other))
    assert (first["expected"], first["got"]) == ("['points']", "['curve']") and "keys" in first["part"]


def test_documents_named_live_are_not_compared(tmp_path) -> None:
    with _recorded(tmp_path / "r.h5", lambda sink: sink.document("live/server", {"port": 1})) as recording:
        replay = Replay(recording)
        replay.sink.document("live/server", {"port": 2})
        assert replay.finish().identical


def _ask(sink, link, message: bytes) -> bytes:
    seq = sink.command("smu", message, 0)
    failed_at = b"send"
    try:
        link.send(message)
        failed_at = b""
        reply = link.receive()
    except (InstrumentTimeout, ConnectionLost) as error:
        sink.reply("smu", seq, failed_at, "lost" if isinstance(error, ConnectionLost) else "timeout", 0)
        raise
    sink.reply("smu", seq, reply, "ok", 0)
    return reply


def test_answers_time_outs_and_lost_connections_come_back(tmp_path) -> None:
    def run(sink) -> None:
        for message, reply, status in (
            (b"*IDN?\n", b"KEITHLEY\0\xff\n", "ok"),
            (b"READ?\n", b"", "timeout"),
            (b"READ?\n", b"", "lost"),
            (b"OUTP ON\n", b"send", "timeout"),
            (b"OUTP OFF\n", b"send", "lost"),
        ):
            sink.reply("smu", sink.command("smu", message, 0), reply, status, 0)

    with _recorded(tmp_path / "r.h5", run) as recording:
        replay = Replay(recording)
        link = replay.link("smu")
        assert _ask(replay.sink, link, b"*IDN?\n") == b"KEITHLEY\0\xff\n"
        with pytest.raises(InstrumentTimeout, match="recording of smu"):
            _ask(replay.sink, link, b"READ?\n")
        with pytest.raises(ConnectionLost):
            _ask(replay.sink, link, b"READ?\n")
        for message in (b"OUTP ON\n", b"OUTP OFF\n"):
            with pytest.raises((InstrumentTimeout, ConnectionLost), match="as recorded"):
                _ask(replay.sink, link, message)
        assert replay.finish().identical


def test_a_reply_other_than_recorded_is_found(recording) -> None:
    def run(sink) -> None:
        sink.command("smu", b":SOUR:VOLT 0\n", 0)
        seq = sink.command("smu", b"READ? 0\n", 0)
        sink.reply("smu", seq, b"+1.1E-00\n", "ok", 0)

    first = _mismatch(recording, run)
    assert first["what"] == "reply" and first["expected"] == "ok: +1.0E-00\n"


class _Ticking(Clock):
    def __init__(self) -> None:
        self._clock, self._reading = VirtualClock(), 0

    def now_ns(self) -> int:
        self._reading += 7919
        return self._reading

    def sleep(self, seconds: float) -> None: ...

    def utc_ns(self) -> int:
        return self._clock.utc_ns()


def test_clock_readings_are_replayed(tmp_path) -> None:
    readings: list[int] = []

    def run(sink) -> None:
        clock = Bus(_Ticking(), sink).clock
        readings.extend(clock.now_ns() for _ in range(5))

    with _recorded(tmp_path / "r.h5", run) as recording:
        replay = Replay(recording)
        clock = Bus(replay.clock, replay.sink).clock
        assert [clock.now_ns() for _ in range(5)] == readings
        assert replay.finish().identical
        with pytest.raises(ReplayMismatch):
            clock.now_ns()
    assert struct.unpack("<q", recording_reply(tmp_path / "r.h5"))[0] == readings[0]


def recording_reply(path) -> bytes:
    with Recording.open(path) as recording:
        return recording.transactions("clock").reply(0)


def test_what_changed_since_is_told_and_who_ran_it_is_not() -> None:
    then = gather_provenance()
    assert differences(then, {**then, "user": "another", "argv": ["x"], "pid": 1, "host": "bench 2"}) == []
    packages = {**then["packages"], "numpy": "0.1"}
    packages.pop("h5py")
    now = {**then, "packages": packages, "git": {"commit": "f" * 40}, "python": "3.99\n[GCC]"}
    told = differences({**then, "torch": {"threads": 1}}, {**now, "torch": {"threads": 2}})
    assert (
        f"numpy: {then['packages']['numpy']} then, 0.1 now" in told and "torch threads: 1 then, 2 now" in told
    )
    assert any(text.startswith("h5py:") and text.endswith("none now") for text in told)
    assert any("ffffffffff now" in text for text in told) and any("3.99 [GCC] now" in text for text in told)
