"""Traps of instrument control that others have fallen into, and where each is guarded against.

====================================================  ===================================================
Nagle's algorithm delays a write followed by a query  test_instruments_links: nagle_is_off
MEASure? resets the 2400's limit, turns it on         test_models_foreign_drivers: loses_its_limit
limits printed with %f or %g                          here; test_models_foreign_drivers: 100_nanoamperes
a shutdown() that sends nothing                       test_bench_safe_state; test_bench_ends
two threads on one instrument                         test_instruments_threads; test_instruments_bus
a late reply answers the next question                test_instruments_bus: a_late_reply; test_models_faults
a peer that closes is told as a time-out              test_instruments_links: hangs_up; test_served_plug
a byte a read on serial ports                         here
terminations of socket resources                      test_instruments_links; test_models_third_party
DTR resets the board when a port is opened            here
what another program left an instrument in            test_instruments_source_meter, _pulse_generator
====================================================  ===================================================
"""

from __future__ import annotations

from typing import Any

import pytest
from instruments_meters import METERS, Meter
from instruments_rigs import MeterRig
from instruments_servers import PtyServer, Toy

from labtrain.links import SerialLink


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
