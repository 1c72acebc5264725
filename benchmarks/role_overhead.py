"""What a role adds to a call: its checks, beside the driver's own work and the path to the instrument.

Run: ``python benchmarks/role_overhead.py``. CPU time of one thread; the instrument is a constant answer, so
that nothing else is measured. Prints the median of repeated batches in microseconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from labtrain.bench import Bench

BATCH, REPEATS = 500, 15


def microseconds(work: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    for _ in range(BATCH):
        work()
    return (time.thread_time_ns() - start) / 1e3 / BATCH


def main() -> None:
    with Bench.open("demo") as bench:
        with bench.route("reference", "top") as meter:
            meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.01)
            meter.output_enabled = True
            port, link = bench._connection.ports["smu"], bench._connection._links["smu"]
            handle, link._handle = (
                link._handle,
                lambda message: b"0.1,1E-05,0.5\n" if b"?" in message else None,
            )
            driver = meter._driver

            def by_driver() -> None:
                with port.role_call():
                    driver.source_voltage = 0.1

            def by_role() -> None:
                meter.source_voltage = 0.1

            def read_by_driver() -> None:
                with port.role_call():
                    driver.measure_once()

            sides = {
                "driver: set": by_driver,
                "role: set": by_role,
                "driver: measure": read_by_driver,
                "role: measure": meter.measure,
            }
            times: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(REPEATS):
                for name, work in sides.items():
                    times[name].append(microseconds(work))
            link._handle = handle
    middle = {name: statistics.median(values) for name, values in times.items()}
    for name, value in middle.items():
        print(f"{name:18s} {value:8.2f} us")
    for verb in ("set", "measure"):
        print(f"the role adds to {verb:8s} {middle[f'role: {verb}'] - middle[f'driver: {verb}']:6.2f} us")


if __name__ == "__main__":
    main()
