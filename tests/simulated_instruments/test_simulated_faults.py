"""Faults scripted in the bench file spoil the replies that they name, and what was asked is done."""

from __future__ import annotations

import socket

import pytest
from simulated_bench import Bench, plan

from labtrain.clock import VirtualClock
from labtrain.errors import ConnectionLost, UsageError
from labtrain.wiring import Faults
from simulated_instruments.opening import open_world


def faulty(*entries: dict[str, object]) -> Bench:
    return Bench(plan(faults=Faults(instruments={"smu": entries})))


@pytest.mark.parametrize(
    ("kind", "spoilt", "following"),
    [
        ("timeout", None, b"SCPI\n"),
        ("garbage", b"\x00\xff?%&\n", b"SCPI\n"),
        ("cut", b"SC", b"SCPI\n"),
        ("late", None, b"SCPI\nSCPI\n"),
    ],
)
def test_faults_spoil_the_reply_they_name(kind: str, spoilt: bytes | None, following: bytes) -> None:
    handle = faulty({"kind": kind, "at": 2}).opened.handlers["smu"]
    assert [handle(b"*LANG?\n") for _ in range(4)] == [b"SCPI\n", spoilt, following, b"SCPI\n"]


def test_faults_may_come_again() -> None:
    handle = faulty({"kind": "timeout", "every": 3}).opened.handlers["smu"]
    assert [handle(b"*LANG?\n") is None for _ in range(9)] == [False, False, True] * 3


def test_what_was_asked_is_done_though_its_reply_is_lost() -> None:
    bench = faulty({"kind": "timeout", "at": 1})
    assert bench.smu(":SOUR:VOLT 0.1;:SOUR:VOLT?") is None
    assert float(bench.smu(":SOUR:VOLT?") or "nan") == 0.1


def test_a_dropped_connection_is_lost_in_process_and_closed_over_tcp() -> None:
    script = plan(faults=Faults(instruments={"smu": ({"kind": "drop", "at": 1},)}))
    with pytest.raises(ConnectionLost, match="smu"):
        Bench(script).smu("*IDN?")
    with open_world(script, VirtualClock(), "tcp") as world:
        _, host, port, _ = world.resources["smu"].split("::")
        with socket.create_connection((host, int(port))) as link:
            link.sendall(b"*IDN?\n")
            assert link.recv(100) == b""
        with socket.create_connection((host, int(port))) as link:
            link.sendall(b"*LANG?\n")
            assert link.recv(100) == b"SCPI\n"


@pytest.mark.parametrize(
    "entry", [{"kind": "gremlin", "at": 1}, {"kind": "cut"}, {"kind": "cut", "at": 1, "every": 2}]
)
def test_a_bad_script_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="fault"):
        faulty(entry)
