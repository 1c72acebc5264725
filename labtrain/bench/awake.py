"""While a real bench is open the computer does not go to sleep: a sleeping one guards nothing.

Linux asks systemd-logind (``systemd-inhibit``), macOS ``caffeinate``; both hold until the child that
labtrain starts has ended, and it ends with the process that started it. Windows has a call of its own.
Where there is none of these nothing happens: ``labtrain doctor`` is the place to say so. The Windows and
macOS branches have not been run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any, final

# Win32 API, SetThreadExecutionState: keep the system awake until told otherwise
_ES_CONTINUOUS, _ES_SYSTEM_REQUIRED = 0x80000000, 0x00000001


@final
class Awake:
    """Inhibits sleep from its making to :meth:`release`.

    Parameters
    ----------
    wanted
        False for a bench without real instruments: then nothing is done.
    """

    def __init__(self, wanted: bool) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._windows = wanted and sys.platform == "win32"
        if self._windows:
            _windows_state(_ES_CONTINUOUS | _ES_SYSTEM_REQUIRED)
        elif wanted and (command := inhibitor()):
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
            try:
                self._child = subprocess.Popen(
                    command, stderr=subprocess.DEVNULL, start_new_session=True, **pipes
                )
            except OSError:
                self._child = None  # no reason not to measure

    def release(self) -> None:
        """Let the computer sleep again; twice is harmless."""
        child, self._child = self._child, None
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            child.terminate()
            child.wait()
        if self._windows:
            self._windows = False
            _windows_state(_ES_CONTINUOUS)


def inhibitor() -> list[str] | None:
    """Return the command that inhibits sleep until its standard input ends, None where there is none."""
    # `cat` ends when the pipe from labtrain ends, however labtrain ends, and the inhibition with it
    if shutil.which("systemd-inhibit"):
        why = ["--what=sleep:idle", "--who=labtrain", "--why=a measurement drives instruments"]
        return ["systemd-inhibit", *why, "cat"]
    if shutil.which("caffeinate"):
        return ["caffeinate", "-i", "cat"]
    return None


def _windows_state(flags: int) -> None:
    import ctypes

    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - not there for type checkers elsewhere
    windll.kernel32.SetThreadExecutionState(flags)
