"""How many pulses each device has received: counted before they are sent, kept beyond the run.

A device wears with every pulse, whatever program sent it, so real devices have a
logbook per sample in the state directory, outside run folders. Lines are only ever
added; what was charged counts even if the program died before it was sent.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf, isinf
from pathlib import Path
from typing import Any, final

from labtrain.bench.locating import state_directory
from labtrain.errors import RecordError
from labtrain.limits import Limits
from labtrain.wiring import BenchPlan


@dataclass(slots=True)
class Life:
    """What one terminal has been through.

    Attributes
    ----------
    pulses
        Charged so far.
    stress_seconds
        Pulse widths added up.
    max_volts
        The largest pulse, at the device, in V.
    ohm
        Its resistance at the last contact check; infinite for an open circuit, None before the first.
    """

    pulses: int = 0
    stress_seconds: float = 0.0
    max_volts: float = 0.0
    ohm: float | None = None

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take one line of the logbook in."""
        pulses = int(entry.get("pulses", 0))
        self.pulses += pulses
        self.stress_seconds += pulses * float(entry.get("seconds", 0.0))
        self.max_volts = max(self.max_volts, abs(float(entry.get("volts", 0.0))))
        if "ohm" in entry:
            self.ohm = inf if entry["ohm"] is None else float(entry["ohm"])


@final
class EnduranceBook:
    """Counts pulses by terminal and keeps what each has been through.

    Parameters
    ----------
    path
        The logbook; None counts in memory only (simulated devices, replays).
    """

    def __init__(self, path: Path | None) -> None:
        self._lives: defaultdict[str, Life] = defaultdict(Life)
        self.go_on_in(path)

    def go_on_in(self, path: Path | None) -> None:
        """Count in this logbook from now on; what was counted without one was never sent."""
        self._path = path
        self._lives.clear()
        if path is not None and path.exists():
            for line in path.read_bytes().splitlines():
                entry = _entry(line)
                if "terminal" in entry:
                    self._lives[str(entry["terminal"])].add(entry)

    def life(self, terminal: str) -> Life:
        """Return what ``"sot.line"`` has been through."""
        return replace(self._lives[terminal])

    def check(self, terminal: str, count: int, limits: Limits) -> None:
        """Accept ``count`` more pulses.

        Raises
        ------
        LimitExceeded
            When the device would exceed its ``total_pulses``.
        """
        after = self._lives[terminal].pulses + count
        limits.check("total_pulses", after, what="a pulse count", where=terminal)

    def charge(self, terminal: str, count: int, volts: float, seconds: float, limits: Limits) -> None:
        """Charge pulses that are about to be sent.

        Raises
        ------
        LimitExceeded
            When the device would exceed its ``total_pulses``; nothing is charged.
        RecordError
            When the logbook cannot be written; nothing may be sent then.
        """
        self.check(terminal, count, limits)
        self._note({"terminal": terminal, "pulses": count, "volts": volts, "seconds": seconds})

    def note_state(self, terminal: str, ohm: float) -> None:
        """Note the resistance that a contact check found, in ohm."""
        self._note({"terminal": terminal, "ohm": None if isinf(ohm) else ohm})

    def _note(self, entry: Mapping[str, Any]) -> None:
        if self._path is not None:
            _append(self._path, entry)
        self._lives[str(entry["terminal"])].add(entry)


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


def _entry(line: bytes) -> dict[str, Any]:
    """Read one line; a last line that was cut by a power failure counts nothing."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
