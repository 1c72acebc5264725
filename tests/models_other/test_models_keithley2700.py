"""The virtual 2700 with its 7709, and the driver: numbers of channels, multiple and system channels."""

from __future__ import annotations

import pytest
from models_bench import Served, resistor
from pymeasure.adapters import ProtocolAdapter

from drivers.keithley2700 import Keithley2700
from labtrain.errors import InstrumentError, InstrumentReported, InstrumentStateChanged, UsageError
from labtrain.wiring import Wire

WIRES = (Wire("smu.hi", "one.row1"), Wire("smu.lo", "ground"))


def bench(**options: object) -> Served:
    return Served("2700", resistor("load", "one.col3"), others={"smu": "2450"}, wires=WIRES, **options)


def on(one: Served, volts: float = 0.1) -> None:
    for line in ("*RST", f":SOUR:VOLT {volts}", ":SENS:CURR:NPLC 0.01", ":SOUR:VOLT:ILIM 1e-4", ":OUTP ON"):
        one.ask(line, "smu")


def conducts(one: Served) -> bool:
    return abs(float(one.ask(":READ?", "smu") or "nan")) > 5e-6


def test_the_cards_say_where_they_are() -> None:
    assert bench().ask("*OPT?") == "7709,NONE"
    assert bench(slot=2).ask("*OPT?") == "NONE,7709"


@pytest.mark.parametrize("slot", [1, 2])
@pytest.mark.parametrize(("row", "column"), [(1, 1), (1, 8), (2, 1), (4, 5), (6, 8)])
def test_a_channel_is_100_slot_plus_8_row_plus_column(slot: int, row: int, column: int) -> None:
    one = bench(slot=slot)
    channel = 100 * slot + 8 * (row - 1) + column
    one.say(f"ROUTe:MULTiple:CLOSe (@{channel})")
    assert one.virtual.coils == {(row, column)}
    assert one.ask("rout:mult:clos?") == f"(@{channel})"
    assert one.errors() == []


def test_multiple_channels_move_alone() -> None:
    one = bench()
    one.say("ROUT:MULT:CLOS (@101,110:112)", "ROUT:MULT:CLOS (@ 148)")
    assert one.ask("ROUT:MULT:CLOS?") == "(@101,110,111,112,148)"
    assert one.ask("ROUT:MULT:CLOS:STAT? (@101,102)") == "1, 0" == one.ask("ROUTe:MULTiple:STATe? (@148,103)")
    one.say("ROUT:MULT:OPEN (@101,111)")
    assert one.ask("ROUT:MULT:CLOS?") == "(@110,112,148)"
    one.say("ROUT:OPEN:ALL")
    assert one.ask("ROUT:MULT:CLOS?") == "(@)"
    assert one.errors() == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ROUT:MULT:CLOS (@151)", -222),
        ("ROUT:MULT:CLOS (@201)", -222),
        ("ROUT:MULT:CLOS (@103:101)", -222),
        ("ROUT:MULT:CLOS 101", -104),
        ("ROUT:MULT:CLOS (@1)", -102),
        ("ROUT:MULT:CLOS", -109),
        ("ROUT:CLOS (@109)", -221),
        ("ROUT:CLOS (@101,102)", -223),
        ("ROUT:MULT:OPEN:ALL", -113),
    ],
)
def test_bad_channel_lists_move_nothing(line: str, code: int) -> None:
    one = bench()
    one.say("ROUT:MULT:CLOS (@148)", line)
    assert one.errors() == [code]
    assert one.virtual.coils == {(6, 8)}


def test_a_closed_relay_conducts_and_an_open_one_does_not() -> None:
    one = bench()
    on(one)
    assert not conducts(one)
    one.say("ROUT:MULT:CLOS (@103)")
    assert conducts(one)
    one.say("ROUT:MULT:OPEN (@103)", "ROUT:MULT:CLOS (@104)")
    assert not conducts(one)


def test_a_relay_takes_its_time() -> None:
    one = bench()
    before = one.clock.now_ns()
    one.say("ROUT:MULT:CLOS (@103)")
    assert one.clock.now_ns() - before >= 3e6


def test_a_plain_close_takes_the_multimeter_along_and_opens_what_was_closed() -> None:
    """The trap: what the driver never sends."""
    one = bench()
    one.say("ROUT:CLOS (@103)")
    assert one.ask("ROUT:MULT:CLOS?") == "(@103,150)" and one.ask("ROUT:CLOS?") == "(@103)"
    on(one)
    assert float(one.ask("READ?") or "nan") == pytest.approx(0.1, rel=0.02)  # the voltmeter sees row 1
    one.say("ROUT:CLOS (@104)")
    assert one.ask("ROUT:MULT:CLOS?") == "(@104,150)" and not conducts(one)
    one.say("ROUT:MULT:OPEN (@150)")
    assert float(one.ask("READ?") or "nan") == 0.0


def driver(*pairs: tuple[str, str | None], slot: int = 1) -> Keithley2700:
    wire = [(sent.encode(), answer and answer.encode()) for sent, answer in pairs]
    return Keithley2700(ProtocolAdapter(wire), "matrix", slot=slot)


CARD, EMPTY, FINE = ("*OPT?", "7709,NONE"), (":ROUT:MULT:CLOS?", "(@)"), ("SYST:ERR?", '0,"No error"')


def test_the_driver_sends_multiple_channel_commands_only() -> None:
    matrix = driver(
        CARD,
        (":ROUT:MULT:CLOS?", "(@101,148)"),
        (":ROUT:MULT:CLOS (@110)", None),
        FINE,
        (":ROUT:MULT:OPEN (@148)", None),
        FINE,
        (":ROUT:OPEN:ALL", None),
        FINE,
        EMPTY,
    )
    assert matrix.closed() == {(1, 1), (6, 8)}
    matrix.close_relay(2, 2)
    matrix.open_relay(6, 8)
    matrix.open_all()
    assert matrix.closed() == frozenset()


def test_the_driver_hears_a_refusal() -> None:
    matrix = driver((":ROUT:MULT:CLOS (@101)", None), ("SYST:ERR?", '-222,"Data out of range"'), FINE)
    with pytest.raises(InstrumentReported, match="-222") as caught:
        matrix.close_relay(1, 1)
    assert caught.value.instrument == "matrix" and "slot" in (caught.value.remedy or "")


def test_the_driver_refuses_another_card_and_another_slot() -> None:
    with pytest.raises(InstrumentError, match="7700 in slot 1"):
        driver(("*OPT?", "7700,NONE")).closed()
    with pytest.raises(InstrumentError, match="NONE in slot 2"):
        driver(CARD, slot=2).closed()
    with pytest.raises(UsageError, match="slot 3"):
        driver(slot=3)


@pytest.mark.parametrize("channel", ["149", "150"])
def test_the_driver_does_not_work_with_the_multimeter_on_the_rows(channel: str) -> None:
    with pytest.raises(InstrumentStateChanged, match=f"multimeter.*{channel}"):
        driver(CARD, (":ROUT:MULT:CLOS?", f"(@103,{channel})")).closed()


def test_relays_of_another_card_are_none_of_the_drivers_business() -> None:
    assert driver(CARD, (":ROUT:MULT:CLOS?", "(@101,203,250)")).closed() == {(1, 1)}
