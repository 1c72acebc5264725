"""A record acknowledged is never lost: killed while writing, killed while sealing, disk full."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from multiprocessing import forkserver
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import session_victims

from labtrain.errors import ProcessLost, RecordError, Terminated
from labtrain.session import Recording, Session, recover
from labtrain.session import session as session_module

QUICK, FULL = 20, 200
TRIALS = [*range(QUICK), *(pytest.param(n, marks=pytest.mark.slow) for n in range(QUICK, FULL))]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["session_victims", "h5py"])


@pytest.fixture(scope="module", autouse=True)
def _fork_server():
    """Start the fork server where it finds the victims, so that everything is imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        forkserver.ensure_running()


def _start(target, *arguments):
    process = _FORKS.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _wait_until(condition, process) -> None:
    for _ in range(30_000):
        if condition() or not process.is_alive():
            return
        Event().wait(0.001)
    raise AssertionError("the victim does not get on")


def _kill(process) -> None:
    process.kill()  # SIGKILL; harmless if it is through already
    process.join()


@pytest.mark.parametrize("trial", TRIALS)
def test_killed_while_writing_nothing_acknowledged_is_lost(trial, tmp_path) -> None:
    path, acknowledged = tmp_path / "run.h5", _FORKS.RawValue("Q", 0)
    process = _start(session_victims.write_for_ever, str(path), acknowledged)
    _wait_until(lambda: acknowledged.value > 37 * trial, process)
    _kill(process)
    count = acknowledged.value
    assert count > 0
    found = recover(path)
    assert not found.complete
    with Recording.open(path) as recording:
        k = recording.rows("runs/0001_x/points").columns["k"]
        messages = recording.transactions("smu")
        assert len(k) >= count and np.array_equal(k, np.arange(len(k)))
        assert messages.replies()[:count] == [b"%d\n" % i for i in range(count)]
        assert recording.status == "aborted" and recording.recovered
        torn = recording.dropped_bytes  # the kernel may stop a write between two pages
        assert torn < len(messages.command(0)) + 60
    kept = {"run.h5.journal.damaged"} if torn else set()
    assert set(os.listdir(tmp_path)) == {"run.h5"} | kept


@pytest.mark.parametrize("trial", TRIALS)
def test_killed_while_sealing_nothing_is_lost(trial, tmp_path) -> None:
    path, sealing, count = tmp_path / "run.h5", _FORKS.RawValue("Q", 0), 500
    process = _start(session_victims.write_then_seal, str(path), count, sealing)
    _wait_until(lambda: sealing.value > 0, process)
    Event().wait(0.002 * (trial % QUICK) + 0.0001 * (trial // QUICK))
    _kill(process)
    first = recover(path)
    assert recover(path) == first
    with Recording.open(path) as recording:
        assert recording.transactions("smu").replies() == [b"%d\n" % k for k in range(count)]
    assert os.listdir(tmp_path) == ["run.h5"]


def test_a_message_without_its_reply_reads_as_sent(tmp_path) -> None:
    session = Session.create(tmp_path / "run.h5", start={})
    session.command("pulser", b"TRIG\n", 7)
    session._journal.close()  # what a kill leaves behind
    assert not recover(session.path).complete
    with Recording.open(session.path) as recording:
        assert list(recording.transactions()) == [("pulser", b"TRIG\n", b"")]
        assert recording.transactions().status.tolist() == ["none"]


def test_a_live_writer_is_not_sealed_under_its_hands(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        with pytest.raises(RecordError, match="running program"):
            recover(session.path)
        session.note("undisturbed")
    assert recover(session.path).complete


def _check_full(path: Path, acknowledged, refusals) -> None:
    assert refusals.value == 6, "every call after the first refused one must be refused"
    assert acknowledged.value > 100
    recover(path)
    with Recording.open(path) as recording:
        assert len(recording.rows("runs/0001_x/points")) == acknowledged.value
        assert recording.dropped_bytes == 0


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path) -> None:
    path, acknowledged, refusals = tmp_path / "run.h5", _FORKS.RawValue("Q", 0), _FORKS.RawValue("Q", 0)
    process = _start(session_victims.fill_the_disk, str(path), 400_001, acknowledged, refusals)
    process.join(60)
    _check_full(path, acknowledged, refusals)


def test_a_full_file_system_stops_the_run_and_loses_nothing(tmp_path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs privileges")
    try:
        path, acknowledged, refusals = small / "run.h5", _FORKS.RawValue("Q", 0), _FORKS.RawValue("Q", 0)
        session_victims.fill(path, acknowledged, refusals)
        journal = path.with_name("run.h5.journal").read_bytes()
    finally:
        subprocess.run(["umount", str(small)], check=True)
    (tmp_path / "run.h5.journal").write_bytes(journal)
    _check_full(tmp_path / "run.h5", acknowledged, refusals)


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(RecordError):
        Session.create(tmp_path / "file" / "run.h5", start={})


@pytest.mark.parametrize("cause", [None, RecordError("the run failed")], ids=["complete", "failed"])
def test_a_request_to_end_waits_for_the_seal(tmp_path, monkeypatch, cause) -> None:
    whole = session_module.seal_journal

    def asked_meanwhile(*given) -> None:
        signal.raise_signal(signal.SIGTERM)
        whole(*given)

    monkeypatch.setattr(session_module, "seal_journal", asked_meanwhile)
    with pytest.raises(Terminated), Session.create(tmp_path / "s.h5", start={"command": "test", "seed": 0}):
        if cause:
            raise cause
    with Recording.open(tmp_path / "s.h5") as recording:
        assert recording.status == ("failed" if cause else "complete")


def test_a_lost_process_interrupts_a_run(tmp_path) -> None:
    """Not failed: a resumed run goes on behind what is noted."""
    with pytest.raises(ProcessLost), Session.create(tmp_path / "s.h5", start={"command": "test", "seed": 0}):
        raise ProcessLost("another process has ended")
    with Recording.open(tmp_path / "s.h5") as recording:
        assert recording.status == "aborted"
