"""Set a source and measure: PyMeasure on the bus beside PyMeasure on plain pyvisa-py, interleaved.

Run: ``python benchmarks/instrument_path.py``. A virtual 2450 on a resistor, virtual clock; one
process, loopback TCP. Prints medians in microseconds and the median of paired ratios.
"""

from __future__ import annotations

import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "instruments"))

from instruments_rigs import MeterRig
from instruments_servers import TcpServer
from pymeasure.adapters import VISAAdapter

from drivers.keithley2450 import Keithley2450

ROUNDS = 300


def microseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1e3


def ready(mount: str) -> MeterRig:
    rig = MeterRig(mount=mount)
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.01)
    rig.meter.output_enabled = True
    return rig


def set_and_measure(rig: MeterRig) -> None:
    rig.meter.source_voltage = 0.1
    rig.meter.measure()


def set_and_query(driver: Keithley2450) -> None:
    driver.source_voltage = 0.1
    _ = driver.compliance_current


def set_and_query_in_call(rig: MeterRig) -> None:
    with rig.link_port.role_call():
        set_and_query(rig.driver)


def query_in_call(rig: MeterRig) -> None:
    with rig.link_port.role_call():
        _ = rig.driver.compliance_current


def nodelay(server: TcpServer) -> None:
    for peer in server._peers:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> None:
    in_process, tcp = ready("in-process"), ready("tcp")
    server = TcpServer(MeterRig().virtual.handle)
    plain = Keithley2450(
        VISAAdapter(server.resource, visa_library="@py", read_termination="\n", write_termination="\n")
    )
    nodelay(server)
    constant = ready("in-process")
    constant.link_port._link._handle = lambda message: b"6.0E-05\n"
    sides: dict[str, Callable[[], object]] = {
        "the path alone: one query": lambda: query_in_call(constant),
        "in process: one query": lambda: query_in_call(in_process),
        "in process: set + query": lambda: set_and_query_in_call(in_process),
        "in process: role set + measure": lambda: set_and_measure(in_process),
        "TCP: one query": lambda: query_in_call(tcp),
        "TCP: set + query": lambda: set_and_query_in_call(tcp),
        "TCP: role set + measure": lambda: set_and_measure(tcp),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, work in sides.items():
            times[name].append(microseconds(work))
    slow = [microseconds(lambda: set_and_query(plain)) for _ in range(20)]
    fast = [microseconds(sides["TCP: set + query"]) for _ in range(20)]
    print(f"threads {threading.active_count()}, rounds {ROUNDS}")
    for name, values in times.items():
        print(f"{name:34s} {statistics.median(values):10.1f} us")
    print(f"{'pyvisa-py as it comes: set + query':34s} {statistics.median(slow):10.1f} us")
    print(f"ratio {statistics.median(s / f for s, f in zip(slow, fast, strict=True)):.0f}")
    for rig in (in_process, tcp):
        rig.close()
    plain.adapter.close()
    server.close()


if __name__ == "__main__":
    main()
