"""The SCPI language as every virtual instrument understands it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_bench import Bench, plan

IDENTITY = {"smu": "KEITHLEY INSTRUMENTS,MODEL 2450", "pulser": "KEYSIGHT TECHNOLOGIES,81160A"}
SCPI = tuple(IDENTITY)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(plan(arrays=()))


@pytest.mark.parametrize(
    "header",
    [
        ":SOUR:VOLT:LEV:IMM:AMPL",
        "SOURce:VOLTage",
        "sour1:volt:lev",
        ":SoUrCe1:VoLtAgE:LEVEL:amplitude",
        ":SOUR:VOLT",
    ],
)
def test_long_and_short_forms_in_any_case_are_one_command(bench: Bench, header: str) -> None:
    bench.smu("*RST", f"{header} 0.125")
    assert float(bench.smu(":SOUR:VOLT?") or "nan") == 0.125
    assert float(bench.smu(f"{header}?") or "nan") == 0.125
    assert bench.errors("smu") == []


@pytest.mark.parametrize("header", ["SOURC:VOLT", "SOU:VOLT", ":SOUR2:VOLT", "VOLT", ":SOUR:VOLTA"])
def test_what_is_neither_short_nor_long_is_undefined(bench: Bench, header: str) -> None:
    assert bench.smu(f"{header}?") is None
    assert bench.errors("smu") in ([-113], [-114])


def test_a_chain_starts_where_the_last_header_stood(bench: Bench) -> None:
    bench.smu("*RST", ":SOUR:VOLT:RANG 2;ILIM 1e-3;:SENS:FUNC 'CURR'")
    assert bench.errors("smu") == []
    assert bench.smu(":SOUR:VOLT:ILIM?;RANG?;:SENS:FUNC?") == '1.000000E-03;2.000000E+00;"CURR:DC"'
    bench.smu(":SOUR:VOLT:RANG 2;SOUR:VOLT 1")  # relative to :SOUR:VOLT, where there is no SOUR
    assert bench.errors("smu") == [-113]


def test_common_commands_leave_the_path_alone(bench: Bench) -> None:
    bench.smu("*RST;:stat:pres;:*CLS;")  # PyMeasure's own line
    assert bench.smu(":SOUR:VOLT:RANG 2;*CLS;ILIM 2e-3;ILIM?") == "2.000000E-03"
    assert bench.errors("smu") == []


@pytest.mark.parametrize("text", ["'VOLT'", '"VOLT"', "'VOLT:DC'", '"volt:dc"', "VOLT", "'VOLTage:DC'"])
def test_both_quotes(bench: Bench, text: str) -> None:
    bench.smu("*RST", f":SENS:FUNC {text}")
    assert bench.smu(":SENS:FUNC?") == '"VOLT:DC"'
    assert bench.errors("smu") == []


def test_a_semicolon_in_quotes_does_not_split(bench: Bench) -> None:
    assert bench.smu(":TRAC:ACT? 'no;such'") is None
    assert bench.errors("smu") == [-224]
    assert bench.smu(":TRAC:ACT? 'open") is None
    assert bench.errors("smu") == [-151]


@pytest.mark.parametrize(("word", "value"), [("ON", "1"), ("off", "0"), ("1", "1"), ("0", "0"), ("2.0", "1")])
def test_booleans(bench: Bench, word: str, value: str) -> None:
    bench.smu("*RST", f":SENS:CURR:RANG:AUTO {word}")
    assert bench.smu(":SENS:CURR:RANG:AUTO?") == value


def test_min_max_def_in_commands_and_queries(bench: Bench) -> None:
    bench.smu("*RST", ":SENS:CURR:NPLC MIN")
    assert float(bench.smu(":SENS:CURR:NPLC?") or "nan") == 0.01
    assert float(bench.smu(":SENS:CURR:NPLC? MAX") or "nan") == 10.0
    bench.smu(":SENS:CURR:NPLC DEFAULT")
    assert float(bench.smu(":SENS:CURR:NPLC? DEF") or "nan") == float(bench.smu(":SENS:CURR:NPLC?") or "nan")


@pytest.mark.parametrize(
    ("text", "seconds"), [("20ns", 20e-9), ("20 NS", 20e-9), ("2e-8", 2e-8), ("0.02us", 2e-8)]
)
def test_units_after_numbers(bench: Bench, text: str, seconds: float) -> None:
    bench.pulser("*RST", f":PULS:WIDT1 {text}")
    assert float(bench.pulser(":PULS:WIDT1?") or "nan") == pytest.approx(seconds, rel=1e-6)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("BOGUS 1", -113),
        (":SOUR:VOLT", -109),
        (":SOUR:VOLT 1,2", -108),
        (":SOUR:VOLT 1000", -222),
        (":SOUR:VOLT nan", -222),
        (":SOUR:VOLT abc", -120),
        (":SOUR:VOLT 'a'", -104),
        (":SOUR:VOLT 1 A", -131),
        (":SOUR:FUNC OHMS", -224),
        (":READ? 'nobuffer'", -224),
        ("\xff\xfe", -101),
        ("::", -102),
        (":OUTP MAYBE", -104),
    ],
)
def test_every_bad_line_leaves_its_number(bench: Bench, line: str, code: int) -> None:
    assert bench.smu("*RST") is None
    assert bench.smu(line) is None
    assert bench.errors("smu") == [code]
    assert IDENTITY["smu"] in (bench.smu("*IDN?") or "")


def test_what_follows_a_bad_header_in_a_line_is_not_done(bench: Bench) -> None:
    bench.smu("*RST", ":SOUR:VOLT 0.1;:NONSENSE;:SOUR:VOLT 0.2")
    assert float(bench.smu(":SOUR:VOLT?") or "nan") == 0.1
    assert bench.errors("smu") == [-113]


def test_status_registers_tell_of_errors_and_power_on() -> None:
    bench = Bench(plan(arrays=()))
    assert bench.smu("*ESR?") == "128"  # power on, once
    assert bench.smu("*ESR?") == "0"
    bench.smu("NONSENSE", ":SOUR:VOLT 1000")
    assert bench.smu("*ESR?") == str(32 | 16)
    bench.smu("*ESE 32;*SRE 4", "NONSENSE")
    assert int(bench.smu("*STB?") or 0) & 4
    assert int(bench.smu("*STB?") or 0) & 64
    bench.smu("*CLS")
    assert bench.smu("*STB?;:SYST:ERR:COUN?") == "0;0"


def test_a_full_queue_ends_in_350() -> None:
    bench = Bench(plan(arrays=()))
    for _ in range(50):
        bench.smu("NONSENSE")
    codes = bench.errors("smu")
    assert len(codes) == 32
    assert codes[-1] == -350
    assert set(codes[:-1]) == {-113}


GOOD = {
    "smu": [
        ":SOUR:VOLT 0.1", ":SOUR:FUNC CURR;:SENS:FUNC 'VOLT'", ":SENS:CURR:RANG 1e-6", ":OUTP ON", 
        ":READ?", ":SOUR:LIST:CURR 1e-6,2e-6", ":SOUR:SWE:CURR:LIST 1, 0", ":INIT", 
        ":TRAC:DATA? 1, 2, 'defbuffer1', SOUR",
        "*RST", ":FORM:DATA REAL;:FORM:BORD NORM", ":SOUR:SWE:VOLT:LIN 0,1,11,0.1", ":ABOR", "*OPC?", "*WAI",
    ],
    "pulser": [
        ":FUNC1 PULS", ":PULS:WIDT1 10ns", ":VOLT1:HIGH 0.3", ":VOLT1:LOW 0", ":ARM:SOUR1 MAN",
        ":TRIG1:COUN 3",
        ":OUTP1 ON", "*TRG", ":OUTP2:LOAD INF", ":OUTP1:POL INV", ":BURS1:NCYC 4;:BURS1:STAT 1", "*RST",
    ],
}  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, alias: str) -> bytes:
    """A good line with some characters lost, doubled, replaced or swapped for another line's end."""
    line = draw(st.sampled_from(GOOD[alias]))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(line)))
        piece = draw(
            st.sampled_from([":", ";", ",", " ", "?", "'", '"', "1e999", "nan", "-", "#", "MAX", "\x00", ""])
        )
        cut = draw(st.integers(0, 2))
        line = line[:place] + piece + line[place + cut :]
    return line.encode("latin-1") + b"\n"


@pytest.mark.parametrize("alias", SCPI)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_line_makes_an_exception_and_the_next_good_one_works(alias: str, data: st.DataObject) -> None:
    bench = Bench(plan())
    bench.route("1,0")
    handle = bench.opened.handlers[alias]
    line = st.one_of(st.binary(max_size=60).map(lambda b: b + b"\n"), mutated(alias))
    for message in data.draw(st.lists(line, max_size=6)):
        handle(message)
    assert -310 not in bench.errors(alias)  # what an exception inside would have left
    handle(b"*RST;*CLS\n")
    assert handle(b"*IDN?\n").startswith(IDENTITY[alias].encode())
    assert bench.errors(alias) == []
