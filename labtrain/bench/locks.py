"""One program an instrument: an exclusive lock for every real address.

The lock is the operating system's lock of a file under the state directory, so it
falls with the process that holds it, however that ends. On POSIX the guard process
inherits the lock and keeps it until it has made the bench safe.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

from labtrain.bench.locating import state_directory
from labtrain.errors import BenchHeld
from labtrain.session.locks import try_lock
from labtrain.wiring import InstrumentPlan


@final
class BenchLocks:
    """Exclusive locks of the given instruments' addresses; simulated ones need none.

    Parameters
    ----------
    instruments
        Those to lock.
    holder
        What the lock says about its holder, beside the process id.

    Raises
    ------
    BenchHeld
        Naming the holder; the locks taken so far are given back.
    """

    def __init__(self, instruments: Iterable[InstrumentPlan], holder: str) -> None:
        self._descriptors: list[int] = []
        try:
            for plan in instruments:
                if plan.resource is not None:
                    self._take(plan, plan.resource, holder)
        except BaseException:
            self.release()
            raise

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The open files that carry the locks, for a guard to inherit."""
        return tuple(self._descriptors)

    def release(self) -> None:
        """Give all locks back; releasing twice is harmless."""
        descriptors, self._descriptors = self._descriptors, []
        for descriptor in descriptors:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def _take(self, plan: InstrumentPlan, resource: str, holder: str) -> None:
        path = lock_path(resource)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not try_lock(descriptor):
            says = os.read(descriptor, 4096)
            os.close(descriptor)
            raise _held(plan, resource, says)
        self._descriptors.append(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(
            descriptor, json.dumps({"pid": os.getpid(), "holder": holder, "resource": resource}).encode()
        )
        os.fsync(descriptor)


def lock_path(resource: str) -> Path:
    """Return the lock file of an address; upper and lower case are one address."""
    canonical = resource.strip().upper()
    readable = re.sub(r"[^A-Z0-9]+", "-", canonical).strip("-")[:60]
    return (
        state_directory() / "locks" / f"{readable}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}.lock"
    )


def _held(plan: InstrumentPlan, resource: str, says: bytes) -> BenchHeld:
    try:
        told = json.loads(says)
        holder = f"process {told['pid']} ({told['holder']})"
        alive = _runs(int(told["pid"]))
    except (ValueError, KeyError, TypeError):
        holder, alive = "another process", True
    what = f"held by {holder}" if alive else f"held for {holder}, which ended: its guard makes the bench safe"
    return BenchHeld(
        what,
        instrument=plan.alias,
        resource=resource,
        remedy="end that program, or try again in a few seconds; `labtrain bench off` works meanwhile",
    )


def _runs(pid: int) -> bool:
    psutil: Any = importlib.import_module("psutil")  # untyped
    return bool(psutil.pid_exists(pid))
