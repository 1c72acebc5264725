"""Traps of instrument control that others have fallen into, each with the tests that fail in it.

The traps were found by experiment with PyMeasure 0.16, pyvisa-py 0.8 and pyvisa-sim 0.7, and in manuals.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from instruments_meters import METERS, Meter
from instruments_rigs import MeterRig
from instruments_servers import PtyServer, Toy

from labtrain.bench import Bench
from labtrain.links import SerialLink
from labtrain.procedures import run_procedure
from protocols.contact_check import ContactCheck

TRAPS = {
    "Nagle's algorithm delays a write that a query follows by 44 ms": ["links: nagle_is_off"],
    "MEASure? resets the 2400's limit and turns its output on": [
        "foreign_drivers: loses_its_limit",
        "traps: no_role_ever_sends_measure",
    ],
    "limits printed with %f or %g": ["traps: limit_of_100_nanoamperes", "foreign_drivers: 100_nanoamperes"],
    "an aperture of 0.1 cycles raises": ["traps: aperture_of_a_tenth"],
    "a burst that is switched on by sending 0": ["pulse_generator: armed_pulse_is_fired_again"],
    "a shutdown() that sends nothing": ["bench_safe_state: every_exception", "bench_ends: ends_by_itself"],
    "two threads on one instrument get each other's answers": ["threads: eight_threads_on_a_source_meter"],
    "a late reply answers the next question": ["bus: late_reply", "models_faults: fault_is_reported"],
    "a peer that has closed is told as a time-out": ["links: hangs_up", "served_plug: plug_pulled"],
    "a procedure whose shutdown fails stays running": [
        "traps: procedure_whose_shutdown_fails",
        "protocols_bench: shutdown_runs_even",
    ],
    "parameters out of range are refused late": ["protocols_settings: bad_settings_are_refused"],
    "a byte a read on serial ports": ["traps: comes_in_few_reads"],
    "terminations of socket resources": ["links: answered_with_its_terminator", "third_party: agilent33500"],
    "opening a serial port resets the board by DTR": ["traps: data_terminal_ready"],
    "a simulator that matches bytes": [
        "simulated_scpi: long_and_short_forms",
        "simulated_scpi: chain_starts",
    ],
    "a simulator without physics": ["simulated_world: neuron_reads", "simulated_world: sneak_path"],
    "a simulator whose instruments do not meet": ["simulated_world: connected_generator_shunts"],
    "a simulator that keeps its state between tests": ["simulated_opening: one_seed_gives_one_experiment"],
    "what another program left an instrument in": [
        "source_meter: another_program_left",
        "pulse_generator: another_program_left",
    ],
}
"""Trap -> the tests that stand in it: the end of a file's name, and a part of a test's."""


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_has_its_tests(trap: str) -> None:
    files = list(Path(__file__).parents[1].glob("*/test_*.py"))
    for pointer in TRAPS[trap]:
        name, _, part = pointer.partition(": ")
        texts = [one.read_text(encoding="utf-8") for one in files if one.stem.endswith(name)]
        assert any(re.search(rf"^def test_\w*{part}", text, re.MULTILINE) for text in texts), pointer


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_no_role_ever_sends_measure(facts: Meter) -> None:
    """On the 2400 it is CONFigure and READ: limits and ranges back to those of ``*RST``, the output on."""
    rig = MeterRig(facts=facts)
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
    rig.meter.output_enabled = True
    rig.meter.source_voltage = 0.3
    rig.meter.measure(), rig.meter.voltage, rig.meter.current, rig.meter.sweep([0.1, 0.2])
    rig.meter.shutdown()
    assert rig.heard and not any(re.search(rb":?meas(ure)?(:|\?)", one, re.IGNORECASE) for one in rig.heard)
    assert rig.instrument.compliance_current == pytest.approx(60e-6, rel=1e-5)
    rig.close()


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_an_aperture_of_a_tenth_of_a_cycle_is_sent_and_read_back(facts: Meter) -> None:
    rig = MeterRig(facts=facts)
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 1.0)
    rig.meter.nplc = 0.1
    assert rig.meter.nplc == pytest.approx(0.1)
    rig.close()


@pytest.mark.parametrize("facts", METERS, ids=str)
def test_a_limit_of_100_nanoamperes_is_sent_as_such(facts: Meter) -> None:
    rig = MeterRig(facts=facts)
    rig.meter.configure("voltage", 0.5, 123.4567e-9, 1e-6)
    assert 123.4567e-9 in facts.sent(rig.heard)["current"]
    assert rig.instrument.compliance_current == pytest.approx(123.4567e-9, rel=1e-5)
    rig.close()


def test_the_data_terminal_ready_line_stays_down() -> None:
    """Arduino-type boards reset when it rises, and a reset drops every relay."""
    link = SerialLink("loop://", b"\n", 1.0)
    assert link._port.is_open and link._port.dtr is False
    link.close()


class Counting:
    """A port that counts how often it is read."""

    def __init__(self, port: Any) -> None:
        self._port, self.reads = port, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def read(self, size: int) -> bytes:
        self.reads += 1
        return self._port.read(size)


def test_what_waits_on_a_serial_port_comes_in_few_reads() -> None:
    server = PtyServer(Toy().handle)
    link = SerialLink(server.resource, b"\n", 20.0)
    link._port = port = Counting(link._port)
    text = b"0123456789" * 200
    link.send(b"ECHO? " + text + b"\n")
    assert link.receive() == text + b"\n"
    assert port.reads < len(text) / 8
    link.close()
    server.close()


def test_a_procedure_whose_shutdown_fails_is_over_and_the_bench_safe() -> None:
    class Failing(ContactCheck):
        def shutdown(self) -> None:
            raise RuntimeError("the end fails")

    with Bench.open("demo") as bench:
        threads = threading.active_count()
        with pytest.raises(RuntimeError, match="the end fails"):
            run_procedure(Failing, bench, bench.select("reference"), {}, run_name="x")
        assert not bench.source_meter("smu").output_enabled and not bench.switch_matrix("matrix").closed
        assert threading.active_count() == threads
