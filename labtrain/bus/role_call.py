"""One whole public call of a role: the bench is its own for as long as it lasts."""

from __future__ import annotations

from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, final

from labtrain.interrupts import UNINTERRUPTED

if TYPE_CHECKING:
    from labtrain.bus.bus import Bus
    from labtrain.bus.port import Port

_NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, IndexError)
"""What a driver raises that cannot make sense of a reply; the bench's own errors are none of these."""


@final
class RoleCall:
    """Holds the bench's lock and marks its thread as inside a role; re-entrant.

    Attributes
    ----------
    owner
        The thread that is inside, 0 for none.
    heard
        The last reply in this call.
    """

    __slots__ = ("_depth", "_lock", "_port", "heard", "owner")

    def __init__(self, bus: Bus, port: Port) -> None:
        self._lock = bus.lock
        self._port = port
        self.heard = b""  # the last reply in this call
        self._depth = 0
        self.owner = 0

    def __enter__(self) -> None:
        thread = get_ident()
        if thread == UNINTERRUPTED.main:
            UNINTERRUPTED.depth += 1  # between acquiring and counting it would keep the lock for ever
            free = self._lock.acquire(blocking=False)
            if free:
                self._depth += 1
                self.owner = thread
            UNINTERRUPTED.depth -= 1
            if UNINTERRUPTED.late:
                self._interrupted(free)
            if free:
                return
        self._lock.acquire()  # another thread is talking: waiting for it may be interrupted
        self._depth += 1
        self.owner = thread

    def _interrupted(self, entered: bool) -> None:
        """Raise the interrupt that waited; what could not be entered is not left either."""
        try:
            UNINTERRUPTED.end()
        except BaseException:
            if entered:
                self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        heard = self.heard
        if not self._depth:
            self.owner, self.heard = 0, b""
        self._lock.release()
        if heard and kind is not None and issubclass(kind, _NOT_UNDERSTOOD):
            self._port.not_understood(heard, error)
