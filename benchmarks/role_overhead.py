"""What a role adds to a call: its checks, beside the driver's own work and the path to the instrument.

Run: ``python benchmarks/role_overhead.py [--publish]``.

"Adds" is the CPU time of a role's call less that of the call of the driver that it makes, on the same
adapter, the bus held in the same way (a message is refused otherwise): ``meter.source_voltage = v`` against
``with call: driver.source_voltage = v``, in turn, the median of the pairs' differences. The instrument is a
constant answer, so that nothing else is measured. The level changes with every call, within the limits; a
change of route, limit, range or mode has all checks done anew at the next call (last line).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from harness import publish

from labtrain.bench import Bench
from labtrain.roles.permit import NOTHING

BATCH, PAIRS = 500, 41
LOW, HIGH = 0.1, 0.2


def microseconds(work: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    for _ in range(BATCH):
        work()
    return (time.thread_time_ns() - start) / 1e3 / BATCH


def differences(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[list[float], float]:
    """Return ours less theirs, pair by pair and sorted, and the median of theirs; in us."""
    pairs = [(microseconds(ours), microseconds(theirs)) for _ in range(PAIRS)]
    return sorted(a - b for a, b in pairs), statistics.median(b for _, b in pairs)


@contextmanager
def constant_answers(bench: Bench, alias: str) -> Iterator[None]:
    """Answer every question at once with one reading."""
    link: Any = bench._connection._links[alias]
    handle, link._handle = link._handle, lambda message: b"0.1,1E-05,0.5\n" if b"?" in message else None
    yield
    link._handle = handle


def rows(bench: Bench, meter: Any) -> Iterator[str]:
    call, driver, memory = bench._connection.ports["smu"].role_call(), meter._driver, meter._memory

    def role_sets() -> None:
        meter.source_voltage = LOW
        meter.source_voltage = HIGH

    def driver_sets() -> None:
        with call:
            driver.source_voltage = LOW
        with call:
            driver.source_voltage = HIGH

    def driver_measures() -> None:
        with call:
            driver.measure_once()

    def role_checks_anew() -> None:
        memory.permit = NOTHING
        meter.source_voltage = LOW
        memory.permit = NOTHING
        meter.source_voltage = HIGH

    for name, ours, theirs, calls, goal in (
        ("`source_voltage = v`", role_sets, driver_sets, 2, "<= 1 us"),
        ("`measure()`", meter.measure, driver_measures, 1, "<= 1 us"),
        ("`source_voltage = v`, first after a change", role_checks_anew, driver_sets, 2, ""),
    ):
        found, base = differences(ours, theirs)
        low, middle, high = (found[PAIRS * k // 4] / calls for k in (1, 2, 3))
        yield f"| {name} | {base / calls:.2f} | {middle:.2f} ({low:.2f} to {high:.2f}) | {goal} |"


def main() -> None:
    with Bench.open("demo") as bench:
        bench.contact_check("reference", "top")
        with bench.route("reference", "top") as meter:
            meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.01)
            meter.output_enabled = True
            with constant_answers(bench, "smu"):
                lines = [
                    "CPU time; the virtual 2450 of `demo`, its link a constant answer.",
                    "",
                    "| call | the driver's own, us | the role adds, us (quartiles) | goal |",
                    "|---|---|---|---|",
                    *rows(bench, meter),
                ]
    print("\n".join(lines))
    if "--publish" in sys.argv:
        publish("What a role adds to a call", "python benchmarks/role_overhead.py --publish", lines)


if __name__ == "__main__":
    main()
