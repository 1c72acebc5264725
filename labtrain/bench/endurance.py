"""How many pulses each device has received: counted before they are sent, kept beyond the run.

A device wears with every pulse, whatever program sent it, so real devices have a
logbook per sample in the state directory, outside run folders. Lines are only ever
added; what was charged counts even if the program died before it was sent.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import final

from labtrain.bench.locating import state_directory
from labtrain.errors import RecordError
from labtrain.limits import Limits
from labtrain.wiring import BenchPlan


@final
class EnduranceBook:
    """Counts pulses by terminal.

    Parameters
    ----------
    path
        The logbook; None counts in memory only (simulated devices, replays).
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._pulses: Counter[str] = Counter()
        if path is not None and path.exists():
            for line in path.read_bytes().splitlines():
                entry = _entry(line)
                self._pulses[str(entry.get("terminal"))] += int(entry.get("pulses", 0))

    def pulses(self, terminal: str) -> int:
        """Return how many pulses ``"sot.line"`` has been charged."""
        return self._pulses[terminal]

    def charge(self, terminal: str, count: int, volts: float, seconds: float, limits: Limits) -> None:
        """Charge pulses that are about to be sent.

        Raises
        ------
        LimitExceeded
            When the device would exceed its ``total_pulses``; nothing is charged.
        RecordError
            When the logbook cannot be written; nothing may be sent then.
        """
        after = self._pulses[terminal] + count
        limits.check("total_pulses", after, what="a pulse count", where=terminal)
        if self._path is not None:
            _append(self._path, {"terminal": terminal, "pulses": count, "volts": volts, "seconds": seconds})
        self._pulses[terminal] = after


def book_path(plan: BenchPlan) -> Path | None:
    """Return the logbook of the plan's sample; None where every instrument is simulated."""
    if all(one.resource is None for one in plan.instruments.values()):
        return None
    parts = [plan.sample.get(key, "") for key in ("wafer", "die", "id")]
    name = re.sub(r"[^A-Za-z0-9.,_-]+", "-", "_".join(part for part in parts if part)) or "unnamed-sample"
    return state_directory() / "endurance" / f"{name}.jsonl"


def _append(path: Path, entry: Mapping[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            # a newline first: the line before may have been cut by a power failure
            os.write(descriptor, ("\n" + json.dumps(entry) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RecordError(
            f"the endurance logbook cannot be written: {error.strerror}; nothing was sent",
            remedy="make the state folder writable, or set LABTRAIN_STATE",
            file=path,
        ) from None


def _entry(line: bytes) -> dict[str, int]:
    """Read one line; a last line that was cut by a power failure counts nothing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
