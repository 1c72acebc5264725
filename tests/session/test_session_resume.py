"""Interrupted anywhere, a run replays up to there and resumes to the record of an uninterrupted one."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_runs import Interrupted, everything, interrupted

from labtrain.bus import Bus
from labtrain.cli.recorded import Order, record
from labtrain.cli.replaying import replay_recording
from labtrain.cli.resuming import require_unfinished, resume_recording
from labtrain.cli.steps import protocol_step, train_step
from labtrain.clock import VirtualClock
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.progress import SilentProgress
from labtrain.session import Column, RecordEnds, Recording, Replay, Resume, Session, Sink

COLUMNS = {"k": Column("int64"), "text": Column("str")}
IV = protocol_step("iv-curve", "neurons[0:2]", {"points": "5", "repeats": "1"}, 1)
IRIS = train_step("iris-afd", None, {"epochs": "2", "folds": "2"}, baseline=False)


def small_run(sink: Sink, on_the_way: Any) -> None:
    """Messages, clock readings, rows, exchanges and arrays; ``on_the_way`` is called between any two."""
    bus = Bus(VirtualClock(), sink)
    rows = sink.stream("runs/x/points", COLUMNS, {})
    try:
        for k in range(4):
            on_the_way()
            seq = sink.command("smu", b"READ? %d\n" % k, k)
            on_the_way()
            sink.reply("smu", seq, b"%d\n" % (k * k), "ok", k)
            bus.clock.now_ns()
            on_the_way()
            rows.append({"k": k, "text": str(k)})
            on_the_way()
            sink.exchange("neurons", "respond", {"a": np.full(2, k)}, {"v": np.full(2, 0.1 * k)})
        sink.array("train/w", np.arange(3.0))
        on_the_way()
        sink.document("analysis/x", {"k": 4})
    finally:  # as a bench does on every way out
        sink.command("smu", b"OUTP OFF\n", 9)


def nothing() -> None: ...


def press_ctrl_c(at: int) -> Any:
    calls = itertools.count()
    return lambda: signal.raise_signal(signal.SIGINT) if next(calls) == at else None


@settings(max_examples=17)
@given(at=st.integers(0, 16))
def test_wherever_it_is_interrupted_it_replays_and_resumes(tmp_path_factory, at: int) -> None:
    folder = tmp_path_factory.mktemp("resume")
    with Session.create(folder / "whole.h5", start={}) as session:
        small_run(session, nothing)
    with pytest.raises(KeyboardInterrupt), Session.create(folder / "cut.h5", start={}) as session:
        small_run(session, press_ctrl_c(at))
    with Recording.open(folder / "cut.h5") as cut:
        assert cut.status == "aborted" and cut.interrupted_after is not None
        replay = Replay(cut)
        with pytest.raises(RecordEnds):
            small_run(replay.sink, nothing)
        report = replay.finish()
        assert report.identical and report.interrupted and not report.unplayed
        with Session.create(folder / "resumed.h5", start={}) as session:
            resume = Resume(cut, session)
            small_run(resume.sink, nothing)
            resume.finish()
            assert resume.is_live
    assert everything(folder / "resumed.h5") == everything(folder / "whole.h5")


def test_a_changed_run_is_refused_before_anything_is_noted(tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt), Session.create(tmp_path / "cut.h5", start={}) as session:
        small_run(session, press_ctrl_c(9))
    with Recording.open(tmp_path / "cut.h5") as cut:
        with Session.create(tmp_path / "r.h5", start={}) as session:
            sink = Resume(cut, session).sink
            with pytest.raises(ReplayMismatch, match="READ"):
                sink.command("smu", b"READ? 7\n", 0)
        with Session.create(tmp_path / "s.h5", start={}) as session:
            with pytest.raises(ReplayMismatch, match="did not come"):
                Resume(cut, session).finish()
    with Recording.open(tmp_path / "r.h5") as recording:
        assert recording.counts["messages"] == 0


def test_a_change_inside_the_record_is_no_interrupt(tmp_path) -> None:
    """More than is recorded on one port is a mismatch while other things recorded are still to come."""
    with pytest.raises(KeyboardInterrupt), Session.create(tmp_path / "cut.h5", start={}) as session:
        small_run(session, press_ctrl_c(9))
    with Recording.open(tmp_path / "cut.h5") as cut:
        replay = Replay(cut)
        for k in range(3):
            seq = replay.sink.command("smu", b"READ? %d\n" % k, 0)
            if k < 2:
                replay.sink.reply("smu", seq, b"%d\n" % (k * k), "ok", 0)
        with pytest.raises(ReplayMismatch):
            replay.sink.command("smu", b"READ? 3\n", 0)
        assert not replay.finish().identical


def test_a_protocol_on_a_simulated_bench_resumes_bit_for_bit(tmp_path) -> None:
    def order(name: str) -> Order:
        return Order("run", [IV], 3, Path("demo"), out=tmp_path / name)

    record(order("whole.h5"), SilentProgress())
    whole = everything(tmp_path / "whole.h5")
    total = len(next(iter(whole["rows"].values()))["device"])
    for number, steps in enumerate((1, total // 2, total)):
        cut = interrupted(order(f"cut{number}.h5"), steps)
        with Recording.open(cut) as recording:
            report = replay_recording(recording, SilentProgress())
            assert report.identical and report.interrupted and report.rows == steps
            require_unfinished(recording)
            out = tmp_path / f"resumed{number}.h5"
            done = resume_recording(recording, out, SilentProgress())
        assert done.status == "complete" and everything(out) == whole
        with Recording.open(out) as recording:
            assert recording.start["resumes"]["session"] == cut.name
            assert replay_recording(recording, SilentProgress()).identical


def test_a_resumed_run_can_be_interrupted_and_resumed_again(tmp_path) -> None:
    order = Order("run", [IV], 3, Path("demo"), out=tmp_path / "a.h5")
    cut = interrupted(order, 3)
    with Recording.open(cut) as recording, pytest.raises(KeyboardInterrupt):
        resume_recording(recording, tmp_path / "b.h5", Interrupted(7))
    with Recording.open(tmp_path / "b.h5") as recording:
        assert recording.counts["rows"] == 7
        done = resume_recording(recording, tmp_path / "c.h5", SilentProgress())
    whole = record(Order("run", [IV], 3, Path("demo"), out=tmp_path / "d.h5"), SilentProgress())
    assert everything(done.session) == everything(whole.session)


def test_a_training_resumes_to_the_same_weights(tmp_path) -> None:
    record(Order("train", [IRIS], 5, out=tmp_path / "whole.h5"), SilentProgress())
    cut = interrupted(Order("train", [IRIS], 5, out=tmp_path / "cut.h5"), 3)
    with Recording.open(cut) as recording:
        assert replay_recording(recording, SilentProgress()).interrupted
        resume_recording(recording, tmp_path / "resumed.h5", SilentProgress())
    assert everything(tmp_path / "resumed.h5") == everything(tmp_path / "whole.h5")


def test_what_cannot_be_resumed_says_why(tmp_path) -> None:
    done = record(Order("run", [IV], 3, Path("demo"), out=tmp_path / "a.h5"), SilentProgress())
    with Recording.open(done.session) as recording, pytest.raises(UsageError, match="came to its end"):
        require_unfinished(recording)


def test_a_failure_is_replayed_as_the_same_failure(tmp_path) -> None:
    order = Order("run", [{**IV, "device": "neurons[99]"}], 3, Path("demo"), out=tmp_path / "failed.h5")
    with pytest.raises(UsageError):
        record(order, SilentProgress())
    with Recording.open(tmp_path / "failed.h5") as recording:
        assert (recording.status, recording.ended_by) == ("failed", "UsageError")
        assert replay_recording(recording, SilentProgress()).identical


def test_the_handlers_are_put_back(tmp_path) -> None:
    names = [signal.SIGINT, signal.SIGTERM]
    before = [signal.getsignal(name) for name in names]
    with Session.create(tmp_path / "a.h5", start={}):
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(name) for name in names] == before
