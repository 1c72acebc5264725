"""A process that drives a bench and then ends as it is told: `python bench_driver.py FILE WHAT`."""

from __future__ import annotations

import sys

from labtrain.bench import Bench


def drive(meter) -> None:
    meter.configure("current", 10e-6, 0.2, 0.2, 1.0)
    meter.output_enabled = True
    meter.source_current = 10e-6


def wait(meter, what: str) -> None:
    print("driving", flush=True)
    if what == "idle":
        sys.stdin.readline()
    if what == "sweep":
        meter.sweep([1e-6] * 1000)
    if what == "query":
        while True:
            meter.measure()
    if what == "raise":
        raise ZeroDivisionError
    if what == "exit":
        sys.exit(0)


file, what = sys.argv[1:]
if what == "notebook":  # no `with`, no close: the interpreter simply ends
    bench = Bench.open(file)
    route = bench.route("reference", "top")
    drive(route.__enter__())
    print("driving", flush=True)
    sys.exit(0)
with Bench.open(file) as bench, bench.route("reference", "top") as meter:
    drive(meter)
    wait(meter, what)
