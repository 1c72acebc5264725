"""Paired ratios: both sides in one run, interleaved, the median of the pairs.

Absolute times on a shared machine say little; the ratio of two pieces of work
timed one after the other, many times over, says what a change is worth.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


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
    """Replace the section ``title`` of RESULTS.md by ``lines``, headed by date, machine and versions."""
    head = [
        f"## {title}",
        "",
        f"`{command}` - {_when()}, commit {_commit()}, {_machine()}; {_versions()}",
        "",
    ]
    section = "\n".join([*head, *lines]).rstrip() + "\n"
    text = results.read_text() if results.exists() else "# Measured results\n"
    parts = text.split("\n## ")
    kept = [part for part in parts[1:] if not part.startswith(title + "\n")]
    results.write_text("\n".join([parts[0].rstrip() + "\n", *(f"## {p.rstrip()}\n" for p in kept), section]))


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
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULTS.parent
    )
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    import psutil

    system = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    return f"{psutil.cpu_count()} cores {system}"


def _versions() -> str:
    found = []
    for name in ("numpy", "torch", "h5py", "pymeasure", "pyvisa", "pyvisa-py", "numba"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
