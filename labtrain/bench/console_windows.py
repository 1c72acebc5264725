"""Windows: closing the console, logging off and shutting down reach the safe state. Not run: no Windows here.

Windows calls a handler in a thread of its own and ends the process when it returns, after some 5 s at the
latest. So the handler passes the request on to the main thread as SIGBREAK, which raises
:class:`~labtrain.errors.Terminated` there, and waits until the bench has been closed. Should the main
thread not come to it, the guard process switches everything off.

Source: SetConsoleCtrlHandler and HandlerRoutine, learn.microsoft.com/windows/console.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, final

_CLOSE, _LOGOFF, _SHUTDOWN = 2, 5, 6
_PATIENCE = 4.5
"""Seconds; Windows waits 5."""


@final
class ConsoleClose:
    """While installed, a console that closes waits for the bench to be safe; nothing elsewhere.

    Parameters
    ----------
    install
        Registers a handler (True) or removes it (False); None takes Windows' own, where there is one.
    """

    def __init__(self, install: Callable[[Callable[[int], bool], bool], None] | None = None) -> None:
        self._safe = threading.Event()
        self._install = install or _windows_install()
        if self._install is not None:
            self._install(self.asked, True)

    def asked(self, event: int) -> bool:
        """Handle a control event; True once the bench is safe."""
        if event not in (_CLOSE, _LOGOFF, _SHUTDOWN):
            return False
        signal.raise_signal(signal.Signals(getattr(signal, "SIGBREAK", signal.SIGTERM)))
        return self._safe.wait(_PATIENCE)

    def uninstall(self) -> None:
        """The bench is safe: let a waiting handler return; twice is harmless."""
        self._safe.set()
        install, self._install = self._install, None
        if install is not None:
            install(self.asked, False)


def _windows_install() -> Callable[[Callable[[int], bool], bool], None] | None:
    if os.name != "nt":
        return None
    import ctypes

    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - not there for type checkers elsewhere
    prototype: Any = getattr(ctypes, "WINFUNCTYPE")  # noqa: B009
    kept: list[Any] = []  # Windows holds the pointer: the object must live as long

    def install(handler: Callable[[int], bool], add: bool) -> None:
        if add:
            kept.append(prototype(ctypes.c_int, ctypes.c_uint)(handler))
        windll.kernel32.SetConsoleCtrlHandler(kept[0], int(add))

    return install
