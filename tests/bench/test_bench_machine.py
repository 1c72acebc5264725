"""What the computer itself may do to a bench: sleep, and close its console."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from labtrain.bench.awake import Awake, inhibitor
from labtrain.bench.console_windows import ConsoleClose
from labtrain.bench.signals import TerminationAsException
from labtrain.errors import Terminated

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stands in for systemd-inhibit by a script")


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemd-inhibit that notes its arguments and does what it is told."""
    noted = tmp_path / "noted"
    script = tmp_path / "systemd-inhibit"
    script.write_text(f'#!/bin/sh\necho "$@" > {noted}\nshift 3\nexec "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return noted


def ended(pid: int) -> bool:
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_sleep_is_inhibited_until_released(noted: Path) -> None:
    awake = Awake(wanted=True)
    child = awake._child.pid
    for _ in range(200):
        if noted.exists() and noted.read_text():
            break
        time.sleep(0.02)
    assert "--what=sleep:idle" in noted.read_text() and psutil.pid_exists(child)
    awake.release()
    awake.release()
    assert ended(child)


def test_the_inhibition_ends_with_a_program_that_is_killed(noted: Path) -> None:
    awake = Awake(wanted=True)
    awake._child.stdin.close()  # what the kernel does for a killed program
    assert ended(awake._child.pid)
    awake.release()


def test_a_simulated_bench_lets_the_computer_sleep(noted: Path) -> None:
    assert inhibitor()[0] == "systemd-inhibit"
    Awake(wanted=False).release()
    assert not noted.exists()


@pytest.mark.parametrize("event", [2, 5, 6], ids=["close", "log-off", "shutdown"])
def test_a_closing_console_waits_until_the_bench_is_safe(event: int) -> None:
    """The handler's own logic; Windows' call of it has not been run."""
    handlers, told = [], []
    signals = TerminationAsException()
    console = ConsoleClose(lambda handler, add: handlers.append((handler, add)))
    thread = threading.Thread(target=lambda: told.append(handlers[0][0](event)))
    try:
        with pytest.raises(Terminated):
            thread.start()
            for _ in range(1000):
                time.sleep(0.005)
        assert not told, "Windows would have ended the process before the bench was safe"
    finally:
        console.uninstall()
        signals.uninstall()
        thread.join()
    assert told == [True] and [add for _, add in handlers] == [True, False]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ctrl_c_is_left_to_python() -> None:
    handlers = []
    console = ConsoleClose(lambda handler, add: handlers.append(handler))
    assert handlers[0](0) is False
    console.uninstall()
