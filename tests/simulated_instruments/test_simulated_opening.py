"""Worlds as opened: real sockets and terminals, other people's drivers, one seed."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import pyvisa
from simulated_bench import Bench, plan, single

from labtrain.clock import RealClock, VirtualClock
from labtrain.errors import UsageError
from labtrain.wiring import InstrumentPlan
from simulated_instruments.opening import OpenWorld, open_world, serve

ENDS = {"read_termination": "\n", "write_termination": "\n"}
pty_only = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")


@pytest.fixture
def visa() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


@pytest.fixture
def opened() -> Iterator[OpenWorld]:
    with open_world(plan(), VirtualClock(), "tcp") as world:
        yield world


@pty_only
def test_every_resource_opens_as_documented(opened: OpenWorld, visa: pyvisa.ResourceManager) -> None:
    assert set(opened.resources) == {"smu", "pulser", "matrix"}
    assert opened.handlers == {}
    for resource in opened.resources.values():
        session = visa.open_resource(resource, **ENDS)
        assert len(session.query("*IDN?").split(",")) == 4
        session.close()


def asker(world: OpenWorld, visa: pyvisa.ResourceManager) -> Callable[[str, str], str | None]:
    sessions = {alias: visa.open_resource(r, **ENDS) for alias, r in world.resources.items()}

    def ask(alias: str, text: str) -> str | None:
        if "?" in text or alias == "matrix":
            return str(sessions[alias].query(text))
        sessions[alias].write(text)
        assert sessions[alias].query("*OPC?") == "1"  # as the bus does before it turns to another instrument
        return None

    return ask


def experiment(ask: Callable[[str, str], str | None], clock: VirtualClock) -> list[str | None]:
    """A sweep of a neuron, a pulse on the SOT line, a reading of its barrier."""
    ask("matrix", "CLOSE 1,0")
    clock.sleep(5e-3)
    for line in (
        ":SOUR:FUNC CURR",
        ":SENS:FUNC 'VOLT'",
        ":SOUR:CURR:RANG 1e-4",
        ":SENS:VOLT:RANG 2",
        ":SENS:VOLT:NPLC 0.01",
        ":SOUR:CURR:VLIM 0.5",
        ":OUTP ON",
        ":SOUR:LIST:CURR " + ",".join(f"{x:.6g}" for x in np.linspace(0, 4e-5, 60)),
        ":SOUR:SWE:CURR:LIST 1, 0, 1, OFF",
        ":INIT",
    ):
        ask("smu", line)
    replies = [ask("smu", "*OPC?"), ask("smu", ":TRAC:DATA? 1, 60, 'defbuffer1', SOUR, READ, REL")]
    ask("smu", ":OUTP OFF")
    for line in (":FUNC1 PULS", ":ARM:SOUR1 MAN", ":VOLT1:LOW 0", ":PULS:WIDT1 10ns", ":OUTP1 ON", "*TRG"):
        ask("pulser", line)
    replies += [ask("pulser", "*OPC?"), ask("pulser", "SYST:ERR?"), ask("matrix", "ONLY 1,20")]
    clock.sleep(5e-3)
    for line in (":SOUR:FUNC VOLT", ":SENS:FUNC 'CURR'", ":SOUR:VOLT 0.02", ":OUTP ON"):
        ask("smu", line)
    return [*replies, ask("smu", ":READ?"), ask("smu", "SYST:ERR?"), ask("matrix", "STATE?")]


@pty_only
@pytest.mark.parametrize("mount", ["tcp", "serial"])
def test_one_seed_gives_one_experiment_however_mounted(mount: str, visa: pyvisa.ResourceManager) -> None:
    here = Bench()
    inside = experiment(here.ask, here.clock)
    clock = VirtualClock()
    with open_world(plan(), clock, mount) as world:
        outside = experiment(asker(world, visa), clock)
        assert {k: v.max_volts for k, v in world.world.stress.items()} == {
            k: v.max_volts for k, v in here.world.stress.items()
        }
    assert outside == inside
    other = Bench(plan(seed=2))
    assert experiment(other.ask, other.clock) != inside


def test_pymeasures_2450_works_unchanged(opened: OpenWorld) -> None:
    from pymeasure.instruments.keithley import Keithley2450

    meter = Keithley2450(opened.resources["smu"], **ENDS)
    try:
        meter.reset()
        meter.use_front_terminals()
        meter.apply_voltage(voltage_range=0.2, compliance_current=1e-4)
        meter.measure_current(nplc=0.1, current=1e-4, auto_range=False)
        assert meter.source_mode == "voltage"
        meter.source_voltage = 0.05
        meter.enable_source()
        assert meter.source_enabled
        assert abs(meter.current) < 1e-7  # a forgotten relay
        assert meter.compliance_current == pytest.approx(1e-4)
        meter.apply_current(current_range=1e-4, compliance_voltage=0.5)
        meter.measure_voltage(nplc=0.1, voltage=2.0, auto_range=False)
        meter.source_current = 1e-5
        meter.enable_source()
        assert meter.voltage == pytest.approx(0.5, rel=1e-2)
        assert meter.check_errors() == []
        with pytest.warns(FutureWarning, match="error"):
            assert meter.error[0] == 0
        meter.write(":TRAC:FEED:CONT NEV")  # PyMeasure's disable_buffer: the 2400's command
        assert [entry[0] for entry in meter.check_errors()] == [-113]
        meter.disable_source()
    finally:
        meter.adapter.close()


def test_pymeasures_81160a_works_unchanged(opened: OpenWorld) -> None:
    from pymeasure.instruments.keysight import Keysight81160A

    generator = Keysight81160A(opened.resources["pulser"], **ENDS)
    try:
        channel = generator.ch_1
        generator.reset()
        channel.shape = "PULS"
        channel.pulse_period = 1e-6
        channel.pulse_width = 1e-8
        channel.pulse_transition = 1e-9
        channel.voltage_low = 0.0
        channel.voltage_high = 0.25
        channel.trigger_mode = "MAN"
        channel.trigger_count = 3
        channel.limit_low, channel.limit_high = -0.5, 0.5
        channel.limit_state_enabled = True
        channel.output = True
        generator.trigger()
        read = (
            channel.shape,
            channel.pulse_width,
            channel.voltage_high,
            channel.trigger_count,
            channel.output,
        )
        assert read == ("PULS", 1e-8, 0.25, 3, True)
        assert generator.check_errors() == []
        assert opened.world.stress["sot.line"].pulses == 3
        channel.output = False
        assert not channel.output
    finally:
        generator.adapter.close()


def test_two_clients_of_one_instrument_get_their_own_answers(opened: OpenWorld) -> None:
    _, host, port, _ = opened.resources["smu"].split("::")
    queries = {b"*IDN?\n": b"KEITHLEY", b":SOUR:FUNC?\n": b"VOLT", b"*LANG?\n": b"SCPI", b"*OPC?\n": b"1"}
    wrong: list[bytes] = []

    def client(query: bytes, start: bytes) -> None:
        with socket.create_connection((host, int(port))) as link, link.makefile("rb") as lines:
            for _ in range(200):
                link.sendall(query)
                answer = lines.readline()
                if not answer.startswith(start):
                    wrong.append(answer)

    threads = [threading.Thread(target=client, args=pair) for pair in queries.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_message_may_come_in_pieces_and_several_at_once(opened: OpenWorld) -> None:
    _, host, port, _ = opened.resources["smu"].split("::")
    with socket.create_connection((host, int(port))) as link, link.makefile("rb") as lines:
        link.sendall(b"*LA")
        link.sendall(b"NG?\n:SOUR:FUNC?\n*OP")
        link.sendall(b"C?\n")
        assert [lines.readline() for _ in range(3)] == [b"SCPI\n", b"VOLT\n", b"1\n"]


def test_closing_ends_every_thread_and_connection() -> None:
    before = threading.active_count()
    world = open_world(plan(), VirtualClock(), "tcp")
    _, host, port, _ = world.resources["smu"].split("::")
    link = socket.create_connection((host, int(port)))
    link.sendall(b"*IDN?\n")
    assert link.recv(100)
    world.close()
    world.close()
    assert link.recv(100) == b""
    link.close()
    assert threading.active_count() == before
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=1.0)


def test_only_instruments_without_an_address_are_simulated() -> None:
    real = plan()
    instruments = {
        **real.instruments,
        "smu": InstrumentPlan("smu", "2450", "TCPIP0::192.0.2.1::5025::SOCKET"),
    }
    with open_world(replace(real, instruments=instruments), VirtualClock(), "in-process") as world:
        assert set(world.handlers) == {"pulser", "matrix"}
        assert world.models == {"pulser": "81160A", "matrix": "serial-matrix"}


def test_serving_waits_in_real_time() -> None:
    clock = RealClock()
    with serve(plan([single("r", "resistor", {"top": "matrix.col0"})]), "127.0.0.1", clock) as world:
        _, host, port, _ = world.resources["smu"].split("::")
        with socket.create_connection((host, int(port))) as link:
            before = clock.now_ns()
            link.sendall(b":SENS:CURR:NPLC 5;:READ?\n")
            assert link.recv(100)
            assert clock.now_ns() - before >= 100e6  # five cycles of 50 Hz: it cannot be faster


def test_another_instrument_answers_while_one_waits() -> None:
    with serve(plan(), "127.0.0.1", RealClock()) as world:
        ports = {alias: world.resources[alias].split("::")[1:3] for alias in ("smu", "pulser")}
        links = {alias: socket.create_connection((host, int(port))) for alias, (host, port) in ports.items()}
        links["smu"].sendall(b":SENS:CURR:NPLC 10;:SENS:COUN 5;:READ?\n")  # a second
        links["pulser"].sendall(b"*IDN?\n")
        assert links["pulser"].recv(100).startswith(b"KEYSIGHT")
        links["smu"].setblocking(False)
        with pytest.raises(BlockingIOError):  # still measuring
            links["smu"].recv(100)
        for link in links.values():
            link.close()


@pytest.mark.parametrize(("mount", "text"), [("gpib", "mount"), ("", "mount")])
def test_an_unknown_mount_is_refused(mount: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        open_world(plan(), VirtualClock(), mount)


def test_an_unknown_model_is_refused() -> None:
    bad = replace(plan(), instruments={"smu": InstrumentPlan("smu", "2451")})
    with pytest.raises(UsageError, match="2451"):
        open_world(bad, VirtualClock(), "in-process")
