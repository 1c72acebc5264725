"""The program as its users type it: exit codes, the last line of JSON, one message and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

LABTRAIN = [sys.executable, "-m", "labtrain"]
DEMO = Path(__file__).resolve().parent.parent.parent / "data" / "benches" / "demo.toml"


def run(*words: str | Path, cwd: Path) -> tuple[int, dict[str, Any], str]:
    """Run a command with ``--json``; return exit code, the object of the last line, standard error."""
    done = subprocess.run(
        [*LABTRAIN, *map(str, words), "--json"], capture_output=True, text=True, cwd=cwd, timeout=240
    )
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stdout.strip().splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


def bench_file(folder: Path, change: str, to: str) -> Path:
    """Write the demo bench with one change."""
    text = DEMO.read_text()
    assert change in text
    path = folder / "bench.toml"
    path.write_text(text.replace(change, to, 1))
    return path


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small recorded training run."""
    folder = tmp_path_factory.mktemp("recorded")
    words = ["train", "iris-afd", "--bench", "demo", "--set", "epochs=2", "--set", "folds=2", "--out", "s.h5"]
    code, fields, _ = run(*words, cwd=folder)
    assert code == 0 and fields["status"] == "complete"
    return folder / "s.h5"


def test_training_says_what_it_promises(tmp_path: Path) -> None:
    settings = ["--set", "epochs=1", "--set", "folds=2"]
    code, fields, _ = run("train", "iris-afd", *settings, "--seed", "4", "--out", "t.h5", cwd=tmp_path)
    promised = (
        "recipe seed accuracy accuracies split baseline_accuracy ledger session seconds train_seconds".split()
    )
    assert code == 0 and fields["seed"] == 4 and fields["split"] == "validation"
    assert [name for name in promised if fields.get(name) is None] == []


def test_replay_is_identical_and_a_changed_setting_is_found(session: Path) -> None:
    code, fields, _ = run("replay", session, cwd=session.parent)
    assert (code, fields["identical"], fields["first_mismatch"]) == (0, True, None)
    assert fields["messages"] > 100 and fields["exchanges"] > 1 and fields["rows"] > 1
    code, fields, _ = run("replay", session, "--set", "learning_rate=0.01", cwd=session.parent)
    assert code == 1 and not fields["identical"] and fields["first_mismatch"]


def test_a_session_can_be_inspected_listed_and_reported(session: Path) -> None:
    code, fields, _ = run("session", "inspect", session, cwd=session.parent)
    assert code == 0 and fields["complete"] and fields["status"] == "complete"
    code, fields, _ = run("session", "list", session.parent, cwd=session.parent)
    assert code == 0 and [Path(item["session"]) for item in fields["sessions"]] == [session]
    code, fields, _ = run("session", "report", session, cwd=session.parent)
    page = Path(fields["report"])
    assert (
        code == 0
        and "<html" in page.read_text()
        and "http" not in page.read_text().replace("http://www.w3", "")
    )


def test_an_existing_output_is_kept(session: Path) -> None:
    before = session.read_bytes()
    code, fields, _ = run("train", "iris-afd", "--out", session, cwd=session.parent)
    assert code == 2 and "--force" in fields["error"]["remedy"] and session.read_bytes() == before


BAD_BENCHES = {
    "unknown key": ("count = 10", "count = 10\ncuont = 3", "cuont"),
    "missing instrument": ('[wires."smu.hi"]', '[wires."smv.hi"]', "smv"),
    "limit without a unit": ('voltage = "0.55 V"', 'voltage = "0.55"', "0.55"),
    "crosspoint that does not exist": ('top = "matrix.1,{2i}"', 'top = "matrix.9,{2i}"', "9,0"),
}


@pytest.mark.parametrize("name", BAD_BENCHES)
def test_a_bad_bench_file_is_one_message_with_file_and_key(name: str, tmp_path: Path) -> None:
    change, to, told = BAD_BENCHES[name]
    path = bench_file(tmp_path, change, to)
    code, fields, _ = run("run", "iv-curve", "--bench", path, cwd=tmp_path)
    error = fields["error"]
    assert code == fields["exit"] == 2
    assert told in error["message"] + str(error["key"]) and error["file"].endswith("bench.toml")
    assert error["line"] and error["remedy"] and not list(tmp_path.glob("**/*.h5*"))
    code, fields, _ = run("bench", "check", path, cwd=tmp_path)
    assert code == 2 and not fields["ok"] and fields["problems"]


def test_a_silent_instrument_is_exit_3_with_name_and_address(tmp_path: Path) -> None:
    address = "TCPIP0::127.0.0.1::9::SOCKET"
    path = bench_file(tmp_path, 'model = "2450"', f'model = "2450"\nresource = "{address}"')
    code, fields, _ = run("run", "iv-curve", "--bench", path, "--device", "reference", "--yes", cwd=tmp_path)
    assert code == 3 and "smu" in fields["error"]["message"] and address in fields["error"]["message"]


def test_a_source_above_its_limit_is_exit_4_and_nothing_was_sent(tmp_path: Path) -> None:
    words = ["--device", "neurons[0]", "--set", "stop_current=70uA", "--out", "over.h5"]
    code, fields, _ = run("run", "iv-curve", "--bench", "demo", *words, cwd=tmp_path)
    assert code == 4 and "nothing was sent" in fields["error"]["message"]
    if (tmp_path / "over.h5").exists():
        from labtrain.session import Recording

        with Recording.open(tmp_path / "over.h5") as recording:
            sent = [
                recording.transactions("smu").command(i)
                for i in range(len(recording.transactions("smu").seq))
            ]
        assert not [command for command in sent if b":LEV" in command.upper() or b":LIST" in command.upper()]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_leaves_a_sealed_readable_session(
    number: signal.Signals, exit_code: int, tmp_path: Path
) -> None:
    words = ["train", "iris-afd", "--bench", "demo", "--set", "epochs=400", "--out", "cut.h5", "--json"]
    child = subprocess.Popen([*LABTRAIN, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    journal = tmp_path / "cut.h5.journal"
    while not (journal.exists() and journal.stat().st_size > 500_000):
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(number)
    printed, _ = child.communicate(timeout=120)
    assert child.returncode == exit_code
    assert json.loads(printed.strip().splitlines()[-1])["exit"] == exit_code
    from labtrain.session import Recording

    with Recording.open(tmp_path / "cut.h5", verify=True) as recording:
        assert recording.status == "aborted" and not journal.exists()
        smu = recording.transactions("smu")
        last = [smu.command(i) for i in range(len(smu.seq))][-12:]
    assert any(
        b"OUTP" in command.upper() and (b"OFF" in command.upper() or b" 0" in command) for command in last
    )


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_run_is_recovered_and_replays_up_to_its_end(tmp_path: Path) -> None:
    words = [
        "train",
        "iris-afd",
        "--bench",
        "demo",
        "--set",
        "epochs=400",
        "--no-baseline",
        "--out",
        "dead.h5",
    ]
    child = subprocess.Popen([*LABTRAIN, *words], cwd=tmp_path, stdout=subprocess.DEVNULL)
    journal = tmp_path / "dead.h5.journal"
    while not (journal.exists() and journal.stat().st_size > 300_000):
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    for _ in range(2):  # repeating it is harmless
        code, fields, _ = run("session", "recover", "dead.h5", cwd=tmp_path)
        assert code == 0 and fields["recovered"] and not fields["complete"] and fields["records"] > 100
    code, fields, _ = run("replay", "dead.h5", cwd=tmp_path)
    assert (code, fields["identical"], fields["first_mismatch"]) == (0, True, None)
    assert fields["messages"] > 100


def test_help_is_there_for_every_command_with_an_example(tmp_path: Path) -> None:
    for words in (
        ["demo"],
        ["run"],
        ["train"],
        ["replay"],
        ["fit"],
        ["doctor"],
        ["bench", "check"],
        ["session", "list"],
    ):
        done = subprocess.run([*LABTRAIN, *words, "--help"], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0 and "Example: labtrain" in done.stdout


def test_help_imports_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys, labtrain.cli\n"
        "sys.argv = ['labtrain', '--help']\n"
        "try:\n    labtrain.cli.main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'matplotlib', 'h5py', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]")


def test_a_mistyped_command_is_exit_2(tmp_path: Path) -> None:
    code, fields, _ = run("dmeo", cwd=tmp_path)
    assert code == 2 and fields["exit"] == 2
