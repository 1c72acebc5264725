"""Faults of one simulated instrument, scripted in the bench file.

``[[faults.instruments.smu]] kind = "timeout"``, ``at = 3`` (the third reply) or ``every = 10``. What the
instrument was told to do it has done; it is the answer that suffers, as on a bad cable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labtrain.errors import ConnectionLost, UsageError

Handle = Callable[[bytes], bytes | None]

KINDS: Final = ("timeout", "garbage", "cut", "late", "drop", "power-cycle")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, and the replies (counted from 1) that it meets."""

    kind: str
    at: int = 0
    every: int = 0

    @classmethod
    def read(cls, alias: str, entry: Mapping[str, Any]) -> Fault:
        """Check one entry of the bench file.

        Raises
        ------
        UsageError
            For an unknown kind, or neither or both of ``at`` and ``every``.
        """
        key = f"faults.instruments.{alias}"
        kind = str(entry.get("kind", ""))
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is no fault", remedy=f"known: {', '.join(KINDS)}", key=key)
        at, every = int(entry.get("at", 0)), int(entry.get("every", 0))
        if (at > 0) == (every > 0):
            raise UsageError(
                f"a fault needs `at` or `every`, not at = {at} and every = {every}",
                remedy='for instance { kind = "timeout", at = 3 }',
                key=key,
            )
        return cls(kind, at, every)

    def meets(self, number: int) -> bool:
        """Tell whether the reply of this number suffers."""
        return number == self.at or (self.every > 0 and number % self.every == 0)


@dataclass(slots=True)
class FaultyHandle:
    """Stands between an instrument and whoever asks it.

    After a ``power-cycle`` the instrument has its power-on settings, and the reply is lost;
    ``late`` replies arrive in front of the next reply; ``drop`` raises
    :class:`labtrain.errors.ConnectionLost`, upon which a server closes its connection.
    """

    alias: str
    handle: Handle
    faults: tuple[Fault, ...]
    power_cycle: Callable[[], None] = lambda: None
    _replies: int = 0
    _late: bytes = field(default=b"")

    def __call__(self, message: bytes) -> bytes | None:
        """Pass a message on; do to the reply what the script says."""
        reply = self.handle(message)
        if reply is None:
            return None
        self._replies += 1
        held, self._late = self._late, b""
        for fault in self.faults:
            if fault.meets(self._replies):
                return self._spoil(fault.kind, held, reply)
        return held + reply

    def _spoil(self, kind: str, held: bytes, reply: bytes) -> bytes | None:
        if kind == "drop":
            raise ConnectionLost("the simulated connection was cut", instrument=self.alias)
        if kind == "power-cycle":
            self.power_cycle()
        if kind == "late":
            self._late = held + reply
        if kind == "garbage":
            return held + b"\x00\xff?%&\n"
        if kind == "cut":
            return held + reply[: len(reply) // 2] if len(reply) > 2 else held or None
        return held or None


def with_faults(
    alias: str, handle: Handle, entries: Iterable[Mapping[str, Any]], power_cycle: Callable[[], None]
) -> Handle:
    """Return the handle itself, or one that suffers from the scripted faults."""
    faults = tuple(Fault.read(alias, entry) for entry in entries)
    return FaultyHandle(alias, handle, faults, power_cycle) if faults else handle
