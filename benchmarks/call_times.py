"""Times of single calls, made block by block in one run; processor time, that of child processes included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psutil

BLOCK, WARM = 40, 8
"""Calls that are timed one after the other, and calls before them that are not."""

Work = Callable[[], object]


def microseconds(work: Work, calls: int, warm: int) -> float:
    """Median of calls one after the other, as a loop makes them."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


def measured(
    rows: dict[str, Work], rounds: int, calls: int = BLOCK, warm: int = WARM
) -> dict[str, list[float]]:
    """Each row's blocks, the rows in turn."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, work in rows.items():
            times[name].append(microseconds(work, calls, warm))
    return times


def cpu_microseconds(work: Work, calls: int) -> float:
    """Processor time of one call, this process and the served ones together."""
    start = _spent()
    for _ in range(calls):
        work()
    return (_spent() - start) / calls * 1e6


def _spent() -> float:
    children = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(one.user + one.system for one in children)


def less_the_echo(values: list[float], echoes: list[float]) -> float:
    """Median of the differences, round by round: what is ours, without the machine's two wake-ups."""
    return statistics.median(value - echo for value, echo in zip(values, echoes, strict=True))
