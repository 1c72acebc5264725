"""Set a source and measure: PyMeasure on the bus beside PyMeasure on plain pyvisa-py, interleaved.

Run: ``python benchmarks/instrument_path.py``. A virtual 2450 on a resistor, virtual clock; one
process, loopback TCP. Prints medians in microseconds and the median of paired ratios.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

from pymeasure.adapters import VISAAdapter

from drivers.keithley2450 import Keithley2450
from labtrain.bench import Bench
from labtrain.clock import VirtualClock
from labtrain.roles import SourceMeter
from labtrain.wiring import BenchPlan
from simulated_instruments.keithley2450 import VirtualKeithley2450
from simulated_instruments.servers import Server, serve_socket
from simulated_instruments.world import World

ROUNDS = 300

BENCH = """
mount = "in-process"
[instruments.smu]
model = "2450"
[devices.reference]
kind = "resistor"
resistance = "10 kohm"
limits = { voltage = "0.5 V", current = "60 uA", power = "30 uW" }
terminals = { top = "smu.hi" }
[wires."smu.lo"]
to = "ground"
[hazards]
contact_check = false
"""


def microseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1e3


class Side:
    """A bench of one 2450 on a resistor, its output on."""

    def __init__(self, mount: str) -> None:
        self.bench = Bench.open(BENCH.encode(), mount=mount)
        self.meter: SourceMeter = self.bench.source_meter("smu")
        self.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.01)
        self.meter.output_enabled = True
        self.port, self.driver = self.meter._port, self.meter._driver

    def set_and_measure(self) -> None:
        self.meter.source_voltage = 0.1
        self.meter.measure()

    def query(self) -> None:
        with self.port.role_call():
            _ = self.driver.compliance_current

    def set_and_query(self) -> None:
        with self.port.role_call():
            set_and_query(self.driver)


def set_and_query(driver: Keithley2450) -> None:
    driver.source_voltage = 0.1
    _ = driver.compliance_current


def plain_server() -> Server:
    """Serve a 2450 that is wired to nothing, for PyMeasure as it comes."""
    clock = VirtualClock()
    plan = BenchPlan(1, "tcp", {}, (), {})
    return serve_socket(VirtualKeithley2450("smu", World(plan, clock), clock, {}, 1).handle, "127.0.0.1")


def main() -> None:
    in_process, tcp, constant = Side("in-process"), Side("tcp"), Side("in-process")
    server = plain_server()
    plain = Keithley2450(
        VISAAdapter(server.resource, visa_library="@py", read_termination="\n", write_termination="\n")
    )
    link = constant.port._link
    instrument, link._handle = link._handle, lambda message: b"6.0E-05\n"
    sides: dict[str, Callable[[], object]] = {
        "the path alone: one query": constant.query,
        "in process: one query": in_process.query,
        "in process: set + query": in_process.set_and_query,
        "in process: role set + measure": in_process.set_and_measure,
        "TCP: one query": tcp.query,
        "TCP: set + query": tcp.set_and_query,
        "TCP: role set + measure": tcp.set_and_measure,
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, work in sides.items():
            times[name].append(microseconds(work))
    slow = [microseconds(lambda: set_and_query(plain)) for _ in range(20)]
    fast = [microseconds(tcp.set_and_query) for _ in range(20)]
    print(f"threads {threading.active_count()}, rounds {ROUNDS}")
    for name, values in times.items():
        print(f"{name:34s} {statistics.median(values):10.1f} us")
    print(f"{'pyvisa-py as it comes: set + query':34s} {statistics.median(slow):10.1f} us")
    print(f"ratio {statistics.median(s / f for s, f in zip(slow, fast, strict=True)):.0f}")
    link._handle = instrument
    for side in (in_process, tcp, constant):
        side.bench.close()
    plain.adapter.close()
    server.close()


if __name__ == "__main__":
    main()
