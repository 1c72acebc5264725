"""A process that drives a bench and then ends as it is told: `python bench_driver.py FILE WHAT`."""

from __future__ import annotations

import sys

from labtrain.bench import Bench


def drive(meter) -> None:
    meter.configure("current", 10e-6, 0.2, 0.2, 1.0)
    meter.output_enabled = True
    meter.source_current = 10e-6


def wait(bench: Bench, meter, what: str) -> None:
    """Say that the bench is driven, then do `what` until the end comes."""
    if what == "burst":  # armed: one trigger, from anywhere, would fire it
        bench.pulse_generator("pulser.1").arm(0.2, 20e-9, 1000, period=1e-3)
    print("driving", flush=True)
    if what in ("idle", "burst"):
        sys.stdin.readline()
    if what == "sweep":
        meter.configure("current", 10e-6, 0.2, 0.2, 1.0)
        meter.sweep([1e-6] * 1000)  # 20 s and more
    if what == "query":
        while True:
            meter.measure()
    if what == "raise":
        raise ZeroDivisionError
    if what == "exit":
        sys.exit(0)


def toggle(bench: Bench) -> None:
    """Relay, output on, output off, relay, again and again: the end comes between two of them."""
    print("driving", flush=True)
    while True:
        with bench.route("reference", "top") as meter:
            drive(meter)


file, what = sys.argv[1:]
if what == "notebook":  # no `with`, no close: the interpreter simply ends
    bench = Bench.open(file)
    route = bench.route("reference", "top")
    drive(route.__enter__())
    print("driving", flush=True)
    sys.exit(0)
with Bench.open(file) as bench:
    bench.out_of_contact("sot")
    if what == "relay":
        toggle(bench)
    with bench.route("reference", "top") as meter:
        drive(meter)
        wait(bench, meter, what)
