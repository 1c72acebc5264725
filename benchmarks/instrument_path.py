"""One reading, from the caller to a virtual instrument on a virtual clock and back.

Run: ``python benchmarks/instrument_path.py [--publish]`` (pyvisa-sim is in the extra ``bench``). A 2450 and
a 2602B, each on a resistor of 10 kohm; levels differ from call to call. "TCP" is loopback to a server in
another process, as ``labtrain bench serve`` runs it. The rows take turns in one run, block by block: a block
is as many calls one after the other as a user's loop makes, for a single call of each row in turn finds every
cache full of the others' code and measures that (two to three times as much, and the same for all).

The echo is a process that sends back what it is sent: what two processes and a socket cost here without an
instrument. "Less the echo" is the difference to the echo of the same round. A polling echo, timed before all
others, asks again and again instead of sleeping: what of an echo is the machine's waking up. "CPU" is the
processor time of one call, both processes together, when the rows are run one by one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import IPPROTO_TCP, TCP_NODELAY, socket

import numpy as np
from call_times import BLOCK, WARM, Work, cpu_microseconds, less_the_echo, measured, microseconds
from harness import publish
from pymeasure.adapters import VISAAdapter
from served_bench import answering_itself, connected, echoing, polling, served, terminal

from drivers.keithley2450 import Keithley2450
from labtrain.bench import Bench
from labtrain.links import SerialLink

ROUNDS, SLOW_ROUNDS = 60, 15
ECHO, SIM_QUERY = "TCP, an echo", "pyvisa-sim, PyMeasure: one query"
SLOWEST = "TCP, PyMeasure and pyvisa-py as they come: set + measure"
PEER = "TCP, driver: set + measure, in turn with it"

WHY = """\
Set + measure in process is some 90 Python calls: two fifths role, driver and bus, the rest the
instrument (a level parsed, rounded and charged to the device, a circuit solved, two readings with
errors and noise, text). By driver and role the two messages come so far apart that the server sleeps
between them and is woken twice: with a pause between the plain socket's two, in which the first is
carried out, the sum stays the same. The goals were set on a machine where an echo takes 8 us and
pyvisa-sim 32."""

INSTRUMENTS = """
[instruments.smu]
model = "2450"
{smu}
[instruments.duo]
model = "2602B"
{duo}
[devices.one]
kind = "resistor"
resistance = "10 kohm"
limits = {{ voltage = "0.5 V", current = "60 uA", power = "30 uW" }}
terminals = {{ top = "smu.hi" }}
[devices.two]
kind = "resistor"
resistance = "10 kohm"
limits = {{ voltage = "0.5 V", current = "60 uA", power = "30 uW" }}
terminals = {{ top = "duo.a.hi" }}
[wires."smu.lo"]
to = "ground"
[wires."duo.a.lo"]
to = "ground"
[hazards]
contact_check = false
"""
SIMULATED = INSTRUMENTS.format(smu="", duo="")
SIM = """
spec: "1.0"
devices:
  smu:
    eom: {TCPIP SOCKET: {q: "\\n", r: "\\n"}}
    error: ERROR
    properties:
      limit: {default: 6.0e-5, getter: {q: ":SOUR:VOLT:ILIM?", r: "{}"}}
resources: {"TCPIP0::localhost::5025::SOCKET": {device: smu}}
"""


def levels() -> Iterator[float]:
    """Ever other levels, in V."""
    while True:
        yield from np.random.default_rng(1).uniform(0.05, 0.15, 20_000).round(5).tolist()


class Roles:
    """Both source meters of an open bench, their outputs on."""

    def __init__(self, bench: Bench) -> None:
        self.levels = levels()
        self.meters = {name: bench.source_meter(name) for name in ("smu", "duo.a")}
        for meter in self.meters.values():
            meter.configure("voltage", 0.15, 60e-6, 60e-6, 0.01)
            meter.output_enabled = True
        smu, duo = self.meters.values()
        self.port, self.driver = smu._port, smu._driver
        self.channel_port, self.channel = duo._port, duo._driver

    def query(self) -> None:
        with self.port.role_call():
            _ = self.driver.compliance_current

    def query_channel(self) -> None:
        with self.channel_port.role_call():
            _ = self.channel.compliance_current

    def by_driver(self) -> None:
        with self.port.role_call():
            self.driver.source_voltage = next(self.levels)
            self.driver.measure_once()

    def by_role(self, name: str = "smu") -> None:
        meter = self.meters[name]
        meter.source_voltage = next(self.levels)
        meter.measure()

    def sweep(self) -> None:
        self.meters["smu"].sweep(np.linspace(-0.1, 0.1, 1000))


def asked(client: socket, *messages: bytes) -> bytes:
    for message in messages:
        client.sendall(message)
    return client.recv(65536)


def polled_echo(rounds: int) -> list[float]:
    """Time the echo between two processes that never sleep; alone, for it keeps both cores busy."""
    with echoing(poll=True) as client:

        def work() -> None:
            client.sendall(b":SOUR:VOLT:ILIM?\n")
            polling(client)

        return [microseconds(work, BLOCK, WARM) for _ in range(rounds)]


def prepared(client: socket, *lines: bytes) -> socket:
    """Send settings, and wait until they are carried out."""
    asked(client, *lines)
    return client


def raw_rows(stack: ExitStack, resources: dict[str, str]) -> dict[str, Work]:
    """Plain sockets: the echo, the 2450, a channel of the 2602B."""
    echo, given = stack.enter_context(echoing()), levels()
    duplex = stack.enter_context(answering_itself())
    smu = prepared(
        stack.enter_context(connected(resources["smu"])),
        b":SOUR:VOLT:RANG 0.2;ILIM 6e-5;:SENS:CURR:RANG 6e-5;NPLC 0.01;:OUTP ON\n",
        b"*OPC?\n",
    )
    duo = prepared(
        stack.enter_context(connected(resources["duo"])),
        b"smua.source.rangev=1 smua.source.limiti=6e-5 smua.measure.rangei=6e-5 smua.measure.nplc=0.01\n",
        b"smua.source.output=1 print(1)\n",
    )
    return {
        ECHO: lambda: asked(echo, b":SOUR:VOLT:ILIM?\n"),
        "TCP, an echo by a thread of the same process": lambda: asked(duplex, b":SOUR:VOLT:ILIM?\n"),
        "TCP, plain socket: one query": lambda: asked(smu, b":SOUR:VOLT:ILIM?\n"),
        "TCP, plain socket: set + measure, 2450": lambda: asked(
            smu, b":SOUR:VOLT %.5f\n" % next(given), b":READ?\n"
        ),
        "TCP, plain socket: set;measure? in one write, 2450": lambda: asked(
            smu, b":SOUR:VOLT %.5f;:READ?\n" % next(given)
        ),
        "TCP, plain socket: set + measure, 2602B": lambda: asked(
            duo, b"smua.source.levelv=%.5f\n" % next(given), b"print(smua.measure.i())\n"
        ),
    }


@contextmanager
def over_pyvisa_py(resource: str, *, nagle: bool) -> Iterator[Keithley2450]:
    """PyMeasure on pyvisa-py: with nothing changed Nagle's algorithm is on."""
    ends = {"read_termination": "\n", "write_termination": "\n"}
    driver = Keithley2450(VISAAdapter(resource, visa_library="@py", **ends))
    if not nagle:  # pyvisa-py has no attribute for it
        session = driver.adapter.connection.visalib.sessions[driver.adapter.connection.session]
        session.interface.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    yield driver
    driver.adapter.close()


def set_and_measure(driver: Keithley2450) -> Work:
    given = levels()

    def work() -> None:
        driver.source_voltage = next(given)
        driver.measure_once()

    return work


def pyvisa_rows(driver: Keithley2450) -> dict[str, Work]:
    """What pyvisa-py and PyMeasure take on top of a socket, without Nagle's algorithm."""
    visa = driver.adapter.connection
    return {
        "TCP, pyvisa-py without Nagle: one query": lambda: visa.query(":SOUR:VOLT:ILIM?"),
        "TCP, PyMeasure on pyvisa-py without Nagle: one query": lambda: driver.compliance_current,
        "TCP, PyMeasure on pyvisa-py without Nagle: set + measure": set_and_measure(driver),
    }


@contextmanager
def over_pyvisa_sim() -> Iterator[Work]:
    """PyMeasure on pyvisa-sim, which answers a query from a table."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(SIM)
        file.flush()
        library = f"{file.name}@sim"
        ends = {"read_termination": "\n", "write_termination": "\n"}
        driver = Keithley2450(VISAAdapter("TCPIP0::localhost::5025::SOCKET", visa_library=library, **ends))
        yield lambda: driver.compliance_current
        driver.adapter.close()


@contextmanager
def over_a_terminal() -> Iterator[Work]:
    """Read 48 characters by our serial link, once they have been written to the other end of a terminal."""
    with terminal() as (far_end, name):
        link, line = SerialLink(name), b"x" * 47 + b"\n"

        def work() -> None:
            os.write(far_end, line)
            link.receive()

        yield work
        link.close()


def table(times: dict[str, list[float]], cpu: dict[str, float]) -> list[str]:
    lines = [
        "| path | median us | lowest tenth us | less the echo, us | CPU us | goal us |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in times.items():
        middle, tenth = statistics.median(values), statistics.quantiles(values, n=10)[0]
        beyond = "" if name not in OVER_TCP else f"{less_the_echo(values, times[ECHO]):.1f}"
        goal = GOALS.get(name, "")
        spent = f"{cpu[name]:.1f}" if name in cpu else ""
        lines.append(f"| {name} | {middle:.1f} | {tenth:.1f} | {beyond} | {spent} | {goal} |")
    return lines


OVER_TCP = (
    "TCP, plain socket: one query",
    "TCP, plain socket: set + measure, 2450",
    "TCP, plain socket: set;measure? in one write, 2450",
    "TCP, plain socket: set + measure, 2602B",
    "TCP, pyvisa-py without Nagle: one query",
    "TCP, PyMeasure on pyvisa-py without Nagle: one query",
    "TCP, PyMeasure on pyvisa-py without Nagle: set + measure",
    "TCP, driver: one query",
    "TCP, driver: one query, a channel of the 2602B",
    "TCP, driver: set + measure",
    "TCP, role: set + measure, 2450",
    "TCP, role: set + measure, 2602B",
)
GOALS = {
    "in process, driver: one query": "10",
    "in process, role: set + measure": "30",
    "TCP, plain socket: set + measure, 2450": "40",
    "TCP, plain socket: set;measure? in one write, 2450": "40",
    "TCP, plain socket: set + measure, 2602B": "120",
    "TCP, role: sweep of 1000 points": "20 000",
    "serial, a link receives 48 characters": "20",
}


def rows_of(stack: ExitStack, resources: dict[str, str]) -> tuple[dict[str, Work], dict[str, Work]]:
    """Everything that is timed: what is quick, and what is slow."""
    here = Roles(stack.enter_context(Bench.open(SIMULATED.encode(), mount="in-process")))
    given = {name: f'resource = "{resource}"' for name, resource in resources.items()}
    others = stack.enter_context(served(SIMULATED))
    far = Roles(stack.enter_context(Bench.open(INSTRUMENTS.format(**given).encode())))
    quick: dict[str, Work] = {
        "in process, driver: one query": here.query,
        "in process, driver: set + measure": here.by_driver,
        "in process, role: set + measure": here.by_role,
        **raw_rows(stack, others),
        **pyvisa_rows(stack.enter_context(over_pyvisa_py(others["smu"], nagle=False))),
        "TCP, driver: one query": far.query,
        "TCP, driver: one query, a channel of the 2602B": far.query_channel,
        "TCP, driver: set + measure": far.by_driver,
        "TCP, role: set + measure, 2450": far.by_role,
        "TCP, role: set + measure, 2602B": lambda: far.by_role("duo.a"),
        SIM_QUERY: stack.enter_context(over_pyvisa_sim()),
        "serial, a link receives 48 characters": stack.enter_context(over_a_terminal()),
    }
    driver = stack.enter_context(over_pyvisa_py(others["smu"], nagle=True))
    slow = {
        "TCP, role: sweep of 1000 points": far.sweep,
        SLOWEST: set_and_measure(driver),
        PEER: far.by_driver,
    }
    return quick, slow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publish", action="store_true", help="write the table to RESULTS.md")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    polled = {"TCP, an echo, both ends polling": polled_echo(arguments.rounds)}
    with ExitStack() as stack:
        quick, slow = rows_of(stack, stack.enter_context(served(SIMULATED)))
        measured(quick, 3)  # caches, compilers
        times = polled | measured(quick, arguments.rounds) | measured(slow, SLOW_ROUNDS, calls=8, warm=2)
        cpu = {name: cpu_microseconds(work, 1000) for name, work in quick.items()}
        cpu |= {name: cpu_microseconds(work, SLOW_ROUNDS) for name, work in slow.items()}
    lines = [*table(times, cpu), "", *ratios(times), "", about(times, arguments.rounds)]
    print("\n".join(lines))
    if arguments.publish:
        publish("Instrument path", "python benchmarks/instrument_path.py --publish", lines)


def ratios(times: dict[str, list[float]]) -> Iterator[str]:
    """Theirs over ours, the median over the rounds."""
    pairs = {
        "pyvisa-sim over ours in process, one query": (SIM_QUERY, "in process, driver: one query", 3),
        "as they come over ours, set + measure by the driver": (SLOWEST, PEER, 1000),
    }
    yield from ("| theirs over ours | times | goal |", "|---|---|---|")
    for name, (theirs, ours, goal) in pairs.items():
        found = statistics.median(a / b for a, b in zip(times[theirs], times[ours], strict=True))
        yield f"| {name} | {found:.3g} | >= {goal} |"


def about(times: dict[str, list[float]], rounds: int) -> str:
    """Say on what machine it was, and why goals are missed."""
    echo, sim = (statistics.median(times[name]) for name in (ECHO, SIM_QUERY))
    return (
        f"{rounds} rounds of {BLOCK} calls, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores,"
        f" niceness {os.nice(0)}.\n\n{WHY} Here an echo takes {echo:.0f} us and pyvisa-sim {sim:.0f}."
    )


if __name__ == "__main__":
    main()
