"""Paired ratios: both sides in one run, interleaved, the median of the pairs.

Absolute times on a shared machine say little; the ratio of two pieces of work
timed one after the other, many times over, says what a change is worth.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import summary
from published import write_section

RESULTS = Path(__file__).parent / "RESULTS.md"
CODE = ("labtrain", "drivers", "protocols", "simulated_instruments", "benchmarks/*.py")
ALWAYS = ("numpy", "torch", "h5py", "pymeasure", "pyvisa", "pyvisa-py", "numba")
PEERS = {"pyvisa_sim": "pyvisa-sim", "cmtj": "cmtj", "distributed": "distributed", "aihwkit": "aihwkit"}


@dataclass(frozen=True)
class Ratio:
    """``ours / theirs`` for one pair of works, with the seconds behind it."""

    name: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    goal: str = ""

    def row(self) -> str:
        return (
            f"| {self.name} | {seconds(self.ours)} | {seconds(self.theirs)} | "
            f"{self.ratio:.3g} ({self.low:.3g}-{self.high:.3g}) | {self.goal} |"
        )


def paired(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    pairs: int = 21,
    calls: int = 1,
    goal: str = "",
    clock: Callable[[], float] = time.perf_counter,
) -> Ratio:
    """Time ``calls`` calls of each side, alternating which goes first, ``pairs`` times.

    ``clock=time.process_time`` takes CPU time, for work that waits for nothing on a machine that is busy.
    """
    ours(), theirs()  # warm caches and compilers on both sides
    times: list[tuple[float, float]] = []
    for number in range(pairs):
        order = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        took = {work: _timed(work, calls, clock) for work in order}
        times.append((took[ours], took[theirs]))
    ratios = sorted(a / b for a, b in times)
    low, high = ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]
    return Ratio(
        name,
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(ratios),
        low,
        high,
        goal,
    )


def median_seconds(work: Callable[[], object], *, repeats: int = 21, calls: int = 1) -> float:
    """Median seconds of one call, where there is no peer."""
    work()
    return statistics.median(_timed(work, calls) for _ in range(repeats))


def _timed(work: Callable[[], object], calls: int, clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    for _ in range(calls):
        work()
    return (clock() - start) / calls


def seconds(value: float) -> str:
    """Three digits and a unit that suits."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.3g} s"


def publish(title: str, command: str, lines: Sequence[str], results: Path = RESULTS) -> None:
    """Put a section, headed by command, date, commit, machine and versions, in the place of its forerunner.

    The table at the top of RESULTS.md follows.
    """
    head = f"`{command}` - {_when()}, commit {_commit()}, {_machine()}; {_versions()}"
    write_section(results, title, "\n".join([head, "", *lines]))
    if results == RESULTS:
        summary.write()


def ratio_table(ratios: Sequence[Ratio], theirs: str) -> list[str]:
    """Return the lines of a table of ratios."""
    return [
        f"| what | labtrain | {theirs} | ratio (quartiles) | goal |",
        "|---|---|---|---|---|",
        *(r.row() for r in ratios),
    ]


def _when() -> str:
    return datetime.now(tz=UTC).strftime("%Y-%m-%d")


def _commit() -> str:
    """Return the commit, and whether code differs from it."""
    done = _git("rev-parse", "--short", "HEAD") or "unknown"
    return done + (" with changes" if _git("status", "--porcelain", "--untracked-files=no", *CODE) else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=RESULTS.parents[1])
    return done.stdout.strip()


def _machine() -> str:
    import psutil

    system = f"{_processor()}, {platform.system()}, Python {platform.python_version()}"
    return f"{psutil.cpu_count()} cores {system}, load {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    """Return the processor's name, where the system says it."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = re.findall(r"model name\s*: (.+)", told)
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> str:
    """Return the versions of what is always there, and of the peers that this run has imported."""
    peers = [name for module, name in PEERS.items() if module in sys.modules]
    return ", ".join(f"{name} {version(name)}" for name in (*ALWAYS, *peers))
