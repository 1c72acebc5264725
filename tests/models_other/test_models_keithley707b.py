"""The virtual 707B and its driver: names of channels, forbidden ones, rules, and relays that conduct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from models_bench import Served, resistor
from pymeasure.adapters import ProtocolAdapter

from drivers.keithley707b import Keithley707B, channel
from labtrain.errors import InstrumentReported
from labtrain.wiring import Wire
from simulated_instruments.keithley707b_channels import name_of, read_list

WIRES = (Wire("smu.hi", "one.row2"), Wire("smu.lo", "ground"))
CLOSED = "print(channel.getclose('allslots'))"


def bench(**options: object) -> Served:
    return Served("707B", resistor("load", "one.col14"), others={"smu": "2450"}, wires=WIRES, **options)


def conducts(one: Served) -> bool:
    for line in ("*RST", ":SOUR:VOLT 0.1", ":SENS:CURR:NPLC 0.01", ":SOUR:VOLT:ILIM 1e-4", ":OUTP ON"):
        one.ask(line, "smu")
    amperes = float(one.ask(":READ?", "smu") or "nan")
    one.ask(":OUTP OFF", "smu")
    return abs(amperes) > 5e-6


@given(st.integers(1, 8), st.integers(1, 72))
def test_driver_and_instrument_name_relays_alike(row: int, column: int) -> None:
    assert channel(row, column) == name_of((row, column))
    assert read_list(channel(row, column), fitted=6) == [(row, column)]


def test_names_of_relays() -> None:
    assert [channel(1, 1), channel(8, 12), channel(1, 13), channel(2, 14), channel(8, 72)] == [
        "1A01", "1H12", "2A01", "2B02", "6H12",
    ]  # fmt: skip


def test_closed_relays_conduct() -> None:
    one = bench()
    assert one.ask(CLOSED) == "nil" and not conducts(one)
    one.say("channel.close('2B02')")
    assert one.ask(CLOSED) == "2B02" and conducts(one)
    one.say("channel.open('slot2')", "channel.close('2A02')")
    assert one.ask(CLOSED) == "2A02" and not conducts(one)
    assert one.ask("print(errorqueue.count)") == "0.00000e+00"


def test_lists_ranges_and_states() -> None:
    one = bench()
    one.say("channel.close('1A01:1A03, 3h12')")
    assert one.ask(CLOSED) == "1A01;1A02;1A03;3H12"
    assert one.ask("print(channel.getclose('slot3'))") == "3H12"
    assert one.ask("print(channel.getstate('1A03,1A04'))") == "1;0"
    one.say("channel.open('allslots')")
    assert one.ask(CLOSED) == "nil"


@pytest.mark.parametrize(
    "line",
    [
        "channel.close('1A13')",
        "channel.close('1A00')",
        "channel.close('1J01')",
        "channel.close('7A01')",
        "channel.close('3A01')",  # an empty slot of this mainframe
        "channel.close('slot4')",
        "channel.close('1A03:1A01')",
        "channel.close('1A03:1B04')",
        "channel.close('')",
        "channel.close(1101)",
        "channel.close()",
        "channel.close('1A01'",
        "channel.shut('1A01')",
        "channel.connectrule = 3",
    ],
)
def test_what_it_cannot_do_is_refused_and_moves_nothing(line: str) -> None:
    one = bench(slots=2)
    one.say("channel.close('1A01')", line)
    assert one.ask("print(errorqueue.count)") == "1.00000e+00"
    assert one.virtual.coils == {(1, 1)}


def test_slots_say_what_they_hold() -> None:
    one = bench(slots=1)
    assert (one.ask("print(slot[1].idn)") or "").startswith("7072,")
    assert one.ask("print(slot[2].idn)") == "Empty Slot"
    assert one.ask("print(localnode.model)") == "707B"


def test_forbidden_channels_open_and_stay_open() -> None:
    one = bench()
    one.say("channel.close('1A01')", "channel.setforbidden('1A01')")
    assert one.virtual.coils == set()
    one.say("channel.close('1A01')")
    assert (one.ask("print(errorqueue.next())") or "").startswith("1.11400e+03\t")
    assert one.virtual.coils == set() and one.ask("print(channel.getforbidden('allslots'))") == "1A01"
    one.say("channel.clearforbidden('1A01')", "channel.close('1A01')")
    assert one.virtual.coils == {(1, 1)}


@pytest.mark.parametrize(
    ("rule", "between"),
    [("BREAK_BEFORE_MAKE", False), ("MAKE_BEFORE_BREAK", True)],
)
def test_the_connection_rule_of_an_exclusive_close(rule: str, between: bool) -> None:
    """With make before break both rows reach the column for a while: the world sees it."""
    one = bench()
    one.say(f"channel.connectrule = channel.{rule}", "channel.close('2A02')")
    states: list[set[tuple[int, int]]] = []
    plain = one.world.set_contacts
    one.world.set_contacts = lambda matrix, closed: (  # type: ignore[method-assign]
        states.append({(c.row, c.column) for c in closed}),
        plain(matrix, closed),
    )[1]
    one.say("channel.exclusiveclose('2B02')")
    assert states[-1] == {(2, 14)}
    assert ({(1, 14), (2, 14)} in states) is between and (set() in states) is not between


def test_commands_end_when_the_relays_have_settled() -> None:
    one = bench()
    before = one.clock.now_ns()
    one.say("channel.close('1A01')")
    assert one.clock.now_ns() - before >= 15e6


# --- the driver ----------------------------------------------------------------------------

FINE = ("print(errorqueue.next())", "0.00000e+00\tQueue Is Empty\t0.00000e+00\t0.00000e+00")


def driver(*pairs: tuple[str, str | None]) -> Keithley707B:
    wire = [(sent.encode(), answer and answer.encode()) for sent, answer in pairs]
    return Keithley707B(ProtocolAdapter(wire), "matrix")


def test_the_driver_hears_each_command_out() -> None:
    matrix = driver(
        (CLOSED, "1A01;2B02"),
        ("channel.close('6H12')", None),
        FINE,
        ("channel.open('1A01')", None),
        FINE,
        ("channel.open('allslots')", None),
        FINE,
        (CLOSED, "nil"),
    )
    assert matrix.closed() == {(1, 1), (2, 14)}
    matrix.close_relay(8, 72)
    matrix.open_relay(1, 1)
    matrix.open_all()
    assert matrix.closed() == frozenset()


def test_the_driver_reports_an_empty_slot() -> None:
    error = "1.11500e+03\tParameter error: slot 3 is empty\t2.00000e+01\t1.00000e+00"
    with pytest.raises(InstrumentReported, match="slot 3 is empty"):
        driver(("channel.close('3A01')", None), ("print(errorqueue.next())", error), FINE).close_relay(1, 25)


@pytest.mark.parametrize("reply", ["1101", "1A01;?", "1.00000e+00"])
def test_the_driver_does_not_guess_what_is_closed(reply: str) -> None:
    with pytest.raises(InstrumentReported, match="no channel"):
        driver((CLOSED, reply)).closed()
