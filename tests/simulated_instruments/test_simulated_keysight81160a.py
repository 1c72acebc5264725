"""The virtual 81160A: its settings, its refusals, and the SOT-MTJ that its pulses switch."""

from __future__ import annotations

import math

import pytest
from simulated_bench import Bench, plan, single

from labtrain import populations
from labtrain.physics import sot

SOT = single("sot", "sot-mtj", {"line": "pulser.1", "top": "matrix.col0"})


@pytest.fixture
def bench() -> Bench:
    return Bench(plan([SOT]))


@pytest.mark.parametrize(
    ("command", "value", "query"),
    [
        (":FUNC1 PULS", "PULS", ":FUNC1?"),
        (":PULS:PER1 1e-5", 1e-5, ":PULS:PER1?"),
        (":PULS:WIDT2 2e-8", 2e-8, ":SOUR:PULS:WIDT2?"),
        (":FUNC1:PULS:TRAN 2e-9", 2e-9, ":FUNC1:PULS:TRAN?"),
        (":VOLT1:HIGH 0.75", 0.75, ":VOLT1:HIGH?"),
        (":VOLT2:LOW -0.75", -0.75, ":VOLT2:LOW?"),
        (":OUTP1:LOAD 1000", 1000.0, ":OUTP1:LOAD?"),
        (":OUTP2:POL INVerted", "INV", ":OUTP2:POL?"),
        (":ARM:SOUR1 MAN", "MAN", ":ARM:SOUR1?"),
        (":TRIG1:COUN 7", 7.0, ":TRIG1:COUN?"),
        (":TRIG:COUN2 5", 5.0, ":TRIG2:COUN?"),
        (":BURS1:NCYC 9", 9.0, ":BURS1:NCYC?"),
        (":VOLT1:LIM:HIGH 2", 2.0, ":VOLT1:LIM:HIGH?"),
        (":VOLT1:LIM:STAT ON", "1", ":VOLT1:LIM:STAT?"),
        (":OUTP2 ON", "1", ":OUTP2?"),
    ],
)
def test_what_is_set_is_read_back(bench: Bench, command: str, value: object, query: str) -> None:
    bench.pulser(command)
    reply = bench.pulser(query)
    assert bench.errors("pulser") == []
    assert reply == value if isinstance(value, str) else float(reply or "nan") == pytest.approx(value)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((":PULS:WIDT1 1ns",), -222),
        ((":PULS:WIDT1 2e-6",), -221),
        ((":VOLT1:LOW 0", ":VOLT1:HIGH 0.02"), -221),
        ((":VOLT1:HIGH 5.5",), -222),
        ((":VOLT1:LIM:HIGH 0.6", ":VOLT1:LIM:STAT 1", ":VOLT1:HIGH 0.7"), -222),
        ((":VOLT1:LIM:HIGH 0.3", ":VOLT1:LIM:STAT 1"), -221),
        ((":BURS1:NCYC 1",), -222),
        ((":FUNC3 PULS",), -114),
        ((":TRIG:COUN3 5",), -114),
        (("*TRG",), -211),
    ],
)
def test_what_it_cannot_do_is_refused_and_changes_nothing(
    bench: Bench, lines: tuple[str, ...], code: int
) -> None:
    *before, last = lines
    bench.pulser(*before or ["*CLS"])
    header = last.split()[0]
    was = bench.pulser(f"{header}?") if header.startswith(":") and "3" not in header else None
    bench.errors("pulser")
    bench.pulser(last)
    assert bench.errors("pulser") == [code]
    if was is not None:
        assert bench.pulser(f"{header}?") == was


def switch_counts(bench: Bench, volts_at_line: float, tries: int) -> int:
    """Reset by a strong negative pulse, pulse, read the barrier; how often it switched."""
    setting = volts_at_line / (2 * 776 / 827)  # doubled by the 50 ohm setting, divided by 50 and 1 ohm
    bench.pulser(
        "*RST", ":FUNC1 PULS", ":ARM:SOUR1 MAN", ":TRIG1:COUN 1", ":PULS:WIDT1 10ns", ":OUTP1:POL NORM"
    )
    bench.smu(":SOUR:VOLT:RANG 0.2", ":SOUR:VOLT 0.02", ":SENS:CURR:RANG 10e-6", ":OUTP ON")
    bench.route("1,0")
    switched = 0
    for _ in range(tries):
        for low, high, polarity in ((-0.8, 0.0, "INV"), (0.0, setting, "NORM")):
            bench.pulser(
                ":VOLT1:LOW -2", ":VOLT1:HIGH 2", f":VOLT1:LOW {low};HIGH {high}", f":OUTP1:POL {polarity}"
            )
            bench.pulser(":OUTP1 ON", "*TRG", "*OPC?", ":OUTP1 OFF")
        amperes = float(bench.smu(":READ?") or "nan")
        switched += amperes < 0.02 / 7000
    assert bench.errors("pulser") == []
    return switched


def test_pulses_switch_with_the_probability_of_the_physics(bench: Bench) -> None:
    cell = populations.draw("sot-mtj", 1, 1, {}, "sot").cell(0)
    volts = next(v * 1e-3 for v in range(100, 1500) if sot.switching_probability(cell, v * 1e-3, 10e-9) > 0.5)
    probability = float(sot.switching_probability(cell, volts, 10e-9))
    tries = 60
    count = switch_counts(bench, volts, tries)
    # Fixed seed; a right model fails one seed in 1e5 (4.4 sigma of a binomial).
    assert abs(count - tries * probability) <= 4.4 * math.sqrt(tries * probability * (1 - probability))
    assert bench.world.stress["sot.line"].pulses == 2 * tries


@pytest.mark.parametrize(("volts", "expected"), [(0.1, 0), (1.1, 10)])
def test_weak_pulses_never_and_strong_ones_always(bench: Bench, volts: float, expected: int) -> None:
    assert switch_counts(bench, volts, 10) == expected


def test_coupled_channels_take_each_setting_together(bench: Bench) -> None:
    bench.pulser(":VOLT2:HIGH 0.2", ":VOLT1:HIGH 0.3", ":TRAC:CHAN1 ON", ":VOLT1:LOW -0.1")
    assert float(bench.pulser(":VOLT2:HIGH?") or "nan") == pytest.approx(0.3)
    assert float(bench.pulser(":VOLT2:LOW?") or "nan") == pytest.approx(-0.1)
    bench.pulser(":TRACK:CHAN1 OFF", ":VOLT2:HIGH 0.4")
    assert float(bench.pulser(":VOLT1:HIGH?") or "nan") == pytest.approx(0.3)
    assert bench.errors("pulser") == []
