"""The virtual serial matrix: its protocol, settling, watchdog and stuck relays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_bench import Bench, plan, single

ARRAYS = (single("r", "resistor", {"top": "matrix.col31"}, resistance=10e3),)


def bench_with(**options: object) -> Bench:
    return Bench(plan(ARRAYS, options={"matrix": options}))


def conducts(bench: Bench) -> bool:
    """Whether the device on column 31 is connected to row 1, asked with 10 mV."""
    bench.smu("*RST", ":SOUR:VOLT:RANG 0.02", ":SOUR:VOLT 0.01", ":SENS:CURR:NPLC 0.01", ":OUTP ON")
    amperes = float(bench.smu(":READ?") or "nan")
    bench.smu(":OUTP OFF")
    return abs(amperes) > 0.5e-6


def test_the_protocol() -> None:
    bench = bench_with()
    assert (bench.ask("matrix", "*IDN?") or "").startswith("LABTRAIN,SERIAL-MATRIX")
    assert bench.ask("matrix", "STATE?") == ""
    assert bench.ask("matrix", "close 7,31") == "OK"
    assert bench.ask("matrix", "CLOSE 0, 0") == "OK"
    assert bench.ask("matrix", "STATE?") == "0,0;7,31"
    assert bench.ask("matrix", "OPEN 0,0") == "OK"
    assert bench.ask("matrix", "ONLY 3,4") == "OK"
    assert bench.ask("matrix", "STATE?") == "3,4"
    assert bench.ask("matrix", "OPENALL") == "OK"
    assert bench.ask("matrix", "STATE?") == ""
    assert bench.ask("matrix", "PING") == "OK"
    assert bench.ask("matrix", "ERR?") == "0 no error"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("CLOSE 8,0", 2),
        ("CLOSE 0,32", 2),
        ("CLOSE", 3),
        ("CLOSE a,b", 3),
        ("CLOSE -1,2", 3),
        ("HELLO", 1),
        ("PING 1", 3),
    ],
)
def test_what_it_does_not_understand_it_refuses(line: str, number: int) -> None:
    bench = bench_with()
    assert (bench.ask("matrix", line) or "").startswith(f"ERR {number} ")
    assert (bench.ask("matrix", "ERR?") or "").startswith(f"{number} ")
    assert bench.ask("matrix", "ERR?") == "0 no error"
    assert bench.ask("matrix", "STATE?") == ""


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([b"CLOSE 1,1", b"STATE?", b"ONLY ,"])))
)
def test_any_line_is_answered_by_one_line_and_none_raises(lines: list[bytes]) -> None:
    handle = bench_with().opened.handlers["matrix"]
    for line in lines:
        text = line.replace(b"\n", b"")
        reply = handle(text + b"\n")
        assert reply is None if not text.strip(b" \t\r\0") else (reply or b"").count(b"\n") == 1
    assert handle(b"PING\n") == b"OK\n"


def test_a_relay_needs_its_settling_time() -> None:
    bench = bench_with(settle_time=20e-3)
    bench.ask("matrix", "CLOSE 1,31")
    assert not conducts(bench)
    bench.clock.sleep(20e-3)
    assert conducts(bench)
    bench.ask("matrix", "OPENALL")
    bench.clock.sleep(20e-3)
    assert not conducts(bench)


def test_the_watchdog_opens_everything() -> None:
    bench = bench_with(watchdog=10.0)
    bench.route("1,31")
    for _ in range(5):
        bench.clock.sleep(8.0)
        bench.ask("matrix", "PING")
    assert conducts(bench)
    bench.clock.sleep(11.0)
    assert not conducts(bench)
    assert bench.ask("matrix", "STATE?") == ""
    assert bench.ask("matrix", "ERR?") == "7 watchdog opened all relays"


def test_stuck_relays_do_not_follow_and_do_not_say_so() -> None:
    bench = bench_with(stuck_closed="1,31")
    assert conducts(bench)
    assert bench.ask("matrix", "STATE?") == ""
    other = bench_with(stuck_open="1,31")
    other.route("1,31")
    assert other.ask("matrix", "STATE?") == "1,31"
    assert not conducts(other)
