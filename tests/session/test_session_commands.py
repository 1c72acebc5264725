"""The session commands on a run that is really killed: watch, recover, list, replay, resume, export, note."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labtrain.cli.app import app
from labtrain.cli.listing import summaries
from labtrain.session import Recording, Session

LABTRAIN = [sys.executable, "-m", "labtrain"]
IV = ["run", "iv-curve", "--bench", "demo", "--device", "neurons[0:3]", "--seed", "3"]
SHORT = ["--set", "points=9", "--set", "repeats=1"]

AT_ROW_30 = """
import os, signal, sys
from pathlib import Path
from labtrain.cli.recorded import Order, record
from labtrain.cli.steps import protocol_step
from labtrain.progress import SilentProgress

def be_killed():
    os.kill(os.getpid(), signal.SIGKILL)

def pause():
    print("paused", flush=True)
    sys.stdin.read()

class Stops(SilentProgress):
    left = 30
    def advance(self, steps=1, note=""):
        self.left -= 1
        if self.left == 0:
            {how}()

step = protocol_step("iv-curve", "neurons[0:3]", {{"points": "11", "repeats": "1"}}, 1)
try:
    record(Order("run", [step], 3, Path("demo"), out=Path("a.h5")), Stops())
except KeyboardInterrupt:
    sys.exit(130)
"""


def run(*words: str | Path, cwd: Path) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """Run a command with ``--json``; return exit code, the last object and those before it."""
    with chdir(cwd):
        done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert "Traceback" not in done.output, done.output
    lines = [json.loads(line) for line in done.stdout.strip().splitlines()]
    return done.exit_code, lines[-1], lines[:-1]


@contextmanager
def paused(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of its own process that has noted 30 rows and does not get on."""
    running = subprocess.Popen(
        [sys.executable, "-c", AT_ROW_30.format(how="pause")],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert running.stdout.readline() == b"paused\n"
        yield running
    finally:
        running.kill()
        running.communicate()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_run_that_was_stopped_is_followed_saved_replayed_and_listed(how: int, tmp_path: Path) -> None:
    with paused(tmp_path) as running:
        watching = subprocess.Popen(
            [*LABTRAIN, "session", "watch", "a.h5", "--every", "0.05", "--json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
        )
        first = json.loads(watching.stdout.readline())
        assert first["counts"]["rows"] == 30 and set(first["last"]) == {"runs/0001_iv-curve/points"}
        os.kill(running.pid, how)
        assert running.wait(60) == (130 if how == signal.SIGINT else -how)
    told = json.loads(watching.communicate(timeout=60)[0].splitlines()[-1])
    assert (told["status"], told["complete"]) == ("aborted", False)

    code, recovered, _ = run("session", "recover", "a.h5", cwd=tmp_path)
    assert code == 0 and recovered["recovered"] == (how == signal.SIGKILL)
    code, replayed, _ = run("replay", "a.h5", cwd=tmp_path)
    assert code == 0 and replayed["identical"] and replayed["interrupted"]
    assert replayed["rows"] == told["counts"]["rows"] == 30
    wanted = ["--status", "aborted", "--device", "neurons[1]", "--protocol", "iv-curve", "--sample", "SIM1"]
    _, listed, _ = run("session", "list", ".", *wanted, cwd=tmp_path)
    assert [Path(one["session"]).name for one in listed["sessions"]] == ["a.h5"]
    _, listed, _ = run("session", "list", ".", "--device", "neurons[7]", cwd=tmp_path)
    assert listed["sessions"] == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_run_is_resumed_to_the_rows_of_a_whole_one(tmp_path: Path) -> None:
    medium = ["--set", "points=11", "--set", "repeats=1"]
    program = AT_ROW_30.format(how="be_killed")
    killed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=100)
    assert killed.returncode == -signal.SIGKILL and not (tmp_path / "a.h5").exists()
    assert run("session", "recover", "a.h5", cwd=tmp_path)[0] == 0
    code, resumed, _ = run("resume", "a.h5", cwd=tmp_path)
    assert code == 0 and resumed["status"] == "complete"
    _, whole, _ = run(*IV, *medium, "--out", "b.h5", cwd=tmp_path)
    assert (resumed["points"], resumed["result"]) == (whole["points"], whole["result"])
    with Recording.open(tmp_path / resumed["session"]) as a, Recording.open(tmp_path / "b.h5") as b:
        assert a.transactions().blob == b.transactions().blob and a.counts == b.counts
    code, refused, _ = run("resume", "b.h5", cwd=tmp_path)
    assert code == 2 and "nothing to resume" in refused["error"]["message"]


def test_notes_and_exports_name_their_files(tmp_path: Path) -> None:
    run(*IV, *SHORT, "--out", "a.h5", cwd=tmp_path)
    code, noted, _ = run("session", "note", "a.h5", "probe lifted", cwd=tmp_path)
    with Recording.open(tmp_path / "a.h5") as recording:
        assert code == 0 and noted["notes"] == recording.notes == ["probe lifted"]
    code, exported, _ = run("session", "export", "a.h5", "--to", "csv", cwd=tmp_path)
    assert code == 0 and all((tmp_path / name).is_file() for name in exported["files"])
    code, refused, _ = run("session", "export", "a.h5", "--to", "checkpoint", cwd=tmp_path)
    assert code == 2 and "nothing to export" in refused["error"]["message"]
    code, refused, _ = run("session", "watch", "a.h5", cwd=tmp_path)
    assert code == 2 and "no running session" in refused["error"]["message"]


def test_a_session_that_is_being_recorded_is_listed_as_running(tmp_path: Path) -> None:
    start = {"command": "run", "steps": [{"protocol": "iv-curve"}], "sample": {"wafer": "W1"}}
    with Session.create(tmp_path / "a.h5", start=start):
        found = summaries(tmp_path)
        assert [(one["status"], one["protocols"], one["messages"]) for one in found] == [
            ("running", ["iv-curve"], None)
        ]
    assert [one["status"] for one in summaries(tmp_path)] == ["complete"]
