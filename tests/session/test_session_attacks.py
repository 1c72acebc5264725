"""Full disks, odd names, places that cannot be written, two runs at once: said clearly, nothing lost."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from typer.testing import CliRunner

from labtrain.bench import Bench
from labtrain.cli.app import app
from labtrain.cli.recorded import Order, _session
from labtrain.errors import RecordError, UsageError
from labtrain.session import NullSink, Recording, Session, Tail, annotate, recover

FULL = """
import json, resource, sys
from pathlib import Path
from labtrain.bench import Bench
from labtrain.cli.steps import Surroundings, carry_out, protocol_step
from labtrain.errors import RecordError
from labtrain.progress import SilentProgress
from labtrain.session import Session

steps = [protocol_step("iv-curve", "neurons[0:3]", {"points": "51"}, 1)]
told = {}
try:
    with Session.create(Path("full.h5"), start={"command": "run"}) as session:
        with Bench.open("demo", sink=session) as bench:
            world = bench._connection.connector.world.world
            full = session.journal_path.stat().st_size + 8_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))
            carry_out(steps, Surroundings(session, SilentProgress(), 1, bench))
except RecordError as error:
    told = {"error": str(error), "exit": error.exit_code}
world._clock.sleep(0.1)
with world.turn():
    pass
print(json.dumps({**told, "on": world.outputs_on, "closed": len(world.closed_relays)}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits of POSIX")
def test_a_full_disk_ends_the_run_with_the_bench_safe(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["exit"] == 3 and "File too large" in told["error"] and "make room" in told["error"]
    assert told["on"] is False and told["closed"] == 0
    assert recover(tmp_path / "full.h5").records > 40
    with Recording.open(tmp_path / "full.h5") as recording:
        assert recording.status == "aborted" and recording.dropped_bytes == 0


class FailsLater(NullSink):
    """A record whose disk is full from some moment on."""

    is_full = False

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        if self.is_full:
            raise RecordError("the record cannot be written: No space left on device")
        return super().command(port, payload, t_ns)


def test_the_safe_state_needs_no_record() -> None:
    sink = FailsLater()
    with pytest.raises(RecordError), Bench.open("demo", sink=sink) as bench:
        world = bench._connection.connector.world.world
        with bench.route("reference", "top") as meter:
            meter.configure("voltage", 0.02, 1e-5, 1e-5, 0.1)
            meter.output_enabled = True
            assert world.outputs_on and world.closed_relays
            sink.is_full = True
            states = bench.safe_state()
            assert set(states.values()) == {
                "off, but not in the record: the record cannot be written: No space left on device"
            }
            with world.turn():
                assert not world.outputs_on and not world.closed_relays
    assert not world.outputs_on


NAMES = ["a b.h5", "[red]x[bold].h5", "ü'Ω\"%s{}.h5", "-.h5", "a\nb.h5", "x.h5.h5", ".h5", "no suffix"]


@pytest.mark.parametrize("name", NAMES)
def test_a_session_of_any_name_is_written_listed_inspected_and_noted(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with Session.create(path, start={"command": "run"}) as session, Tail(path) as tail:
        session.note("first")
        assert [record.kind for record in tail.poll()][-1] == "note"
    annotate(path, "second")
    shown = CliRunner().invoke(app, ["session", "inspect", str(path)])
    assert shown.exit_code == 0 and str(path) in shown.stdout
    listed = json.loads(CliRunner().invoke(app, ["session", "list", str(tmp_path), "--json"]).stdout)
    assert [one["session"] for one in listed["sessions"]] == ([str(path)] if name.endswith(".h5") else [])
    with Recording.open(path) as recording:
        assert recording.notes == ["first", "second"]


@pytest.mark.parametrize("name", ["x" * 300 + ".h5", "x" * 250 + ".h5", "a\0b.h5"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises((UsageError, RecordError), match="name|null byte") as refusal:
        Session.create(tmp_path / name, start={})
    assert refusal.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_driven() -> None:
    done = CliRunner().invoke(
        app, ["run", "iv-curve", "--bench", "demo", "--out", "/proc/self/run.h5", "--json"]
    )
    told = json.loads(done.stdout)
    assert done.exit_code == 3 and "nothing was driven" in told["error"]["message"]
    assert "choose a folder" in told["error"]["remedy"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' locks are the file system's own")
def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch) -> None:
    """As NFS without a lock daemon answers; a stranger could otherwise recover a session under its writer."""

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(RecordError, match="keeps no locks.*local disk"):
        Session.create(tmp_path / "run.h5", start={})
    assert list(tmp_path.iterdir()) == []


def test_runs_that_begin_in_the_same_moment_get_names_of_their_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    start, together = Order("run", [], 0), Barrier(8)

    def begin(_: int) -> Path:
        together.wait()
        session = _session(start, {"wafer": "W1"}, {}, None)
        session.seal()
        return session.path

    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(begin, range(8)))
    assert len(set(paths)) == 8
    for path in paths:
        with Recording.open(path) as recording:
            assert recording.status == "complete"
