"""Bad lines: no exception escapes, every one leaves an error, the next good command works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_smu_bench import Meters

from simulated_instruments.tsp_errors import TspError
from simulated_instruments.tsp_parser import parse

_SCPI_WORDS = st.sampled_from(
    ":SOUR :SENS :VOLT :CURR :FUNC :LIST :TRAC :TRIG :ARM :COUN :PROT :RANG :AUTO :NPLC :READ ? :OUTP :INIT "
    ":MEAS :FORM :ELEM :DATA :FEED :CONT :POIN :SWE :MODE :SYST :ERR , ; 1 -1e9 nan 'VOLT' ON MIN 1e-6 *RST"
    ' *OPC ( ) " :ABOR :CALC3 :SMOD'.split()
)
_TSP_WORDS = st.sampled_from(
    "smua smub . source measure trigger levelv limiti rangev output nvbuffer1 = == 1 -1e9 1e-6 ( ) { } , nil "
    "print printbuffer iv initiate clear count end if then do for in ipairs x format data [ ] ' abort 0/0 "
    "*RST *OPC? reset listv action readings errorqueue next while break not .. ;".split()
)
_NOISE = st.text(alphabet=st.characters(max_codepoint=255), max_size=20)
_BENCH = Meters()


def _lines(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    told = st.lists(st.one_of(words, words, words, _NOISE), max_size=10)
    return st.builds(str.join, st.sampled_from(["", " "]), told)


def _survives(alias: str, line: str, good: str, answer: str) -> None:
    _BENCH.raw(alias, line.replace("\n", " "))
    assert -310 not in _BENCH.codes(alias)
    for chunk in ("endscript",) if alias == "k2602" else ():
        _BENCH.raw(alias, chunk)
    _BENCH.codes(alias)
    assert _BENCH.ask(alias, good) == answer


@settings(max_examples=1500)
@given(_lines(_SCPI_WORDS))
def test_the_2400_survives_anything(line: str) -> None:
    _survives("k2400", line, ":SYST:ERR?", '0,"No error"')


@settings(max_examples=1500)
@given(_lines(_TSP_WORDS))
def test_the_2602b_survives_anything(line: str) -> None:
    _survives("k2602", line, "format.asciiprecision = 3 print(7)", "7.00e+00")


@pytest.mark.slow
@settings(max_examples=100_000)
@given(_lines(_SCPI_WORDS), _lines(_TSP_WORDS))
def test_a_hundred_thousand_lines(scpi: str, tsp: str) -> None:
    test_the_2400_survives_anything.hypothesis.inner_test(scpi)
    test_the_2602b_survives_anything.hypothesis.inner_test(tsp)


@settings(max_examples=500)
@given(_lines(_TSP_WORDS))
def test_a_chunk_that_is_no_tsp_leaves_a_syntax_error(line: str) -> None:
    text = line.replace("\n", " ").strip(" \t\r\n\0")
    try:
        parse(text)
    except TspError as error:
        if text.startswith(("*", "load", "abort")):
            return
        _BENCH.raw("k2602", text)
        assert _BENCH.codes("k2602") == [error.code] == [-285]
