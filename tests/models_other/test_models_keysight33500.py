"""The virtual 33522B and its driver: its dialect, its refusals, and the traps of its kind."""

from __future__ import annotations

from typing import Any

import pytest
from models_bench import Served, resistor
from pymeasure.adapters import ProtocolAdapter

from drivers.keysight33500 import Keysight33522B
from labtrain.errors import UsageError


@pytest.fixture
def one() -> Served:
    return Served("33522B", resistor("load", "one.1", 50.0), resistor("other", "one.2", 4e3))


@pytest.mark.parametrize(
    ("command", "query", "value"),
    [
        ("SOUR1:FUNC PULS", "SOURce1:FUNCtion?", "PULS"),
        ("SOUR2:FUNC:PULS:PER 1e-2", "SOUR2:FUNC:PULS:PER?", 1e-2),
        ("source1:function:pulse:width 20ns", ":SOUR1:FUNC:PULS:WIDT?", 20e-9),
        ("SOUR1:FUNC:PULS:TRAN:BOTH 1e-8", "FUNC:PULS:TRAN?", 1e-8),
        ("SOUR1:VOLT:HIGH 0.75", "VOLT:HIGH?", 0.75),
        ("SOUR2:VOLT:LOW -0.75", "SOUR2:VOLT:LOW?", -0.75),
        ("SOUR2:VOLT:OFFS 0.3", "SOUR2:VOLT:OFFS?", 0.3),
        ("OUTP1:LOAD 1000", "OUTP1:LOAD?", 1000.0),
        ("OUTP2:LOAD INF", "OUTP2:LOAD?", 9.9e37),
        ("OUTP2:POL INVerted", "OUTP2:POL?", "INV"),
        ("SOUR1:BURS:NCYC 1", "SOUR1:BURS:NCYC?", 1.0),
        ("SOUR1:BURS:NCYC INF", "SOUR1:BURS:NCYC?", 9.9e37),
        ("SOUR2:BURS:STAT ON", "SOUR2:BURS:STAT?", "1"),
        ("SOUR1:BURS:MODE GAT", "BURS:MODE?", "GAT"),
        ("TRIG1:SOUR BUS", "TRIG1:SOUR?", "BUS"),
        ("TRIG2:SOUR EXTernal", "TRIG2:SOUR?", "EXT"),
        ("VOLT:LIM:HIGH 2", "VOLT:LIM:HIGH?", 2.0),
        ("VOLT:LIM:STAT ON", "SOUR1:VOLT:LIM:STAT?", "1"),
        ("OUTP2 ON", "OUTP2?", "1"),
        ("FREQ 2e6", "SOUR1:FREQ?", 2e6),
    ],
)
def test_what_is_set_is_read_back(one: Served, command: str, query: str, value: object) -> None:
    one.say(command)
    reply = one.ask(query)
    assert one.errors() == []
    assert reply == value if isinstance(value, str) else float(reply or "nan") == pytest.approx(value)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("SOUR1:FUNC:PULS:WIDT 15ns",), -222),
        (("SOUR1:FUNC:PULS:WIDT 2e-3",), -221),
        (("SOUR1:FUNC:PULS:TRAN 1us", "SOUR1:FUNC:PULS:WIDT 1us"), -221),
        (("SOUR1:VOLT:LOW 0", "SOUR1:VOLT:HIGH 0.0005"), -221),
        (("SOUR1:VOLT:HIGH 5.1",), -222),
        (("VOLT:LIM:HIGH 0.3", "VOLT:LIM:STAT 1", "VOLT:HIGH 0.31"), -222),
        (("VOLT:LIM:HIGH 0.01", "VOLT:LIM:STAT 1"), -221),
        (("BURS:NCYC 0",), -222),
        (("SOUR3:FUNC PULS",), -114),
        (("OUTP1:LOAD 20000",), -222),
        (("*TRG",), -211),
        (("TRIG1",), -211),
    ],
)
def test_what_it_cannot_do_is_refused_and_changes_nothing(
    one: Served, lines: tuple[str, ...], code: int
) -> None:
    *before, last = lines
    for line in before:
        one.say(line)
    header = last.split()[0]
    asked = None if "TRG" in header or "TRIG" in header or "3" in header else f"{header}?"
    was = one.ask(asked) if asked else None
    one.errors()
    assert one.ask(last) is None
    assert one.errors() == [code]
    if asked:
        assert one.ask(asked) == was


def test_a_shorter_period_adjusts_the_width_and_says_so(one: Served) -> None:
    one.say("FUNC PULS", "FUNC:PULS:PER 1us")
    assert one.errors() == [-221]
    assert float(one.ask("FUNC:PULS:WIDT?") or "nan") == pytest.approx(1e-6 - 16e-9)
    one.say("FUNC:PULS:PER 33ns")
    assert one.errors() == [-221]
    assert [float(v) for v in (one.ask("FUNC:PULS:WIDT?;TRAN?") or "").split(";")] == [17e-9, 8.4e-9]


def pulses(one: Served, *lines: str) -> int:
    one.say("FUNC PULS", "FUNC:PULS:WIDT 100ns;PER 1us", "VOLT:HIGH 0.2;LOW 0", *lines)
    one.clock.sleep(1e-3)
    return int(one.world.stress["load.top"].pulses)


def test_without_burst_mode_it_runs_for_ever(one: Served) -> None:
    """The hazard that the driver's `trigger_source` exists for."""
    assert pulses(one, "OUTP1 ON") >= 1000


def test_a_burst_is_counted_and_waits_for_its_trigger(one: Served) -> None:
    arm = ("TRIG1:SOUR BUS", "BURS:MODE TRIG;NCYC 5;STAT 1", "OUTP1 ON")
    assert pulses(one, *arm) == 0
    one.say("*TRG", "*OPC?")
    assert one.world.stress["load.top"].pulses == 5
    one.say("TRIG1:SOUR EXT", "*TRG")
    assert one.errors() == [-211]
    one.say("TRIG1", "*WAI")  # TRIG:IMM fires whatever the source
    assert one.world.stress["load.top"].pulses == 10
    one.say("OUTP1 OFF", "TRIG1")
    assert one.world.stress["load.top"].pulses == 10


def test_internally_triggered_bursts_repeat(one: Served) -> None:
    count = pulses(one, "BURS:INT:PER 100us", "BURS:MODE TRIG;NCYC 5;STAT 1", "OUTP1 ON")
    assert count == pytest.approx(50, abs=2)


def test_a_wrong_load_setting_doubles_the_voltage(one: Served) -> None:
    one.say("OUTP2:LOAD 50", "SOUR2:FUNC DC", "SOUR2:VOLT:HIGH 0.3;LOW 0.1", "OUTP2 ON")
    assert one.world.stress["other.top"].max_volts == pytest.approx(2 * 0.2 * 4e3 / 4.051e3, rel=1e-3)
    one.say("OUTP2 OFF", "OUTP2:LOAD INF")
    assert float(one.ask("SOUR2:VOLT:HIGH?") or "nan") == pytest.approx(0.6)


def test_inverted_polarity_idles_at_high(one: Served) -> None:
    pulses(one, "TRIG1:SOUR BUS", "BURS:STAT 1", "VOLT:LOW -0.2;HIGH 0", "OUTP1:POL INV", "OUTP1 ON")
    assert one.world.stress["load.top"].max_volts == 0.0
    one.say("OUTP1:POL NORM")
    assert one.world.stress["load.top"].max_volts > 0.1


def test_apply_turns_the_output_on(one: Served) -> None:
    """As on the instrument; the driver never sends it."""
    one.say("APPL:SQU 1e3,0.2,0.05")
    assert one.errors() == [] and one.ask("OUTP1?;FUNC?;BURS:STAT?") == "1;SQU;0"
    assert float(one.ask("VOLT:HIGH?") or "nan") == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("0;TRIG;BUS", "continuous"),
        ("1;TRIG;IMM", "continuous"),
        ("1;TRIG;TIM", "continuous"),
        ("1;GAT;BUS", "continuous"),
        ("1;TRIG;BUS", "manual"),
        ("1;TRIG;EXT", "external"),
    ],
)
def test_a_driver_tells_continuous_from_triggered(one: Served, answer: str, meaning: str) -> None:
    burst, mode, source = answer.split(";")
    one.say(f"BURS:STAT {burst};MODE {mode}", f"TRIG1:SOUR {source}")
    question = ":SOUR1:BURS:STAT?;MODE?;:TRIG1:SOUR?"
    assert one.ask(question) == answer
    assert on_the_wire((question, answer)).trigger_source == meaning


def on_the_wire(*pairs: tuple[str, str | None]) -> Any:
    """Channel 1 of a driver that may send exactly these messages."""
    wire = [(sent.encode(), answer and answer.encode()) for sent, answer in pairs]
    return Keysight33522B(ProtocolAdapter(wire), "pulser").pulse_channels[1]


def test_the_driver_keeps_nine_digits_and_knows_high_impedance() -> None:
    channel = on_the_wire(
        (":SOUR1:VOLT:HIGH 0.12345678", None),
        (":OUTP1:LOAD INF", None),
        (":OUTP1:LOAD?", "9.9E+37"),
        (":OUTP1:LOAD 75", None),
    )
    channel.voltage_high = 0.12345678
    channel.output_load = 1e6
    assert channel.output_load == 1e6
    channel.output_load = 75.0


def test_the_driver_has_no_continuous_mode() -> None:
    with pytest.raises(UsageError, match="continuous"):
        on_the_wire().trigger_source = "continuous"
