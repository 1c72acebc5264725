"""The virtual 2400: what its manual says it does, and what bites."""

from __future__ import annotations

import numpy as np
import pytest
from models_smu_bench import OHMS, Meters


@pytest.fixture
def bench() -> Meters:
    return Meters()


def smu(bench: Meters, *lines: str) -> str:
    return bench.ask("k2400", *lines)


def values(text: str) -> list[float]:
    return [float(one) for one in text.split(",")]


VOLTS = (":SOUR:FUNC VOLT", ":SOUR:VOLT:RANG 2", ":SENS:CURR:PROT 1e-3", ":SENS:CURR:RANG 1e-4")


def stress(bench: Meters) -> object:
    return bench.world.stress["k2400.top"]


def test_it_wakes_up_as_the_manual_says(bench: Meters) -> None:
    assert smu(bench, ":SOUR:FUNC?;:SENS:FUNC?;:OUTP?") == 'VOLT;"CURR:DC";0'
    assert smu(bench, ":FORM:ELEM?") == "VOLT,CURR,RES,TIME,STAT"
    assert values(smu(bench, ":SENS:CURR:PROT?")) == [105e-6]
    assert values(smu(bench, ":SENS:VOLT:PROT?")) == [21.0]


@pytest.mark.parametrize("text", ["source:voltage:level 0.5", "VOLT 500 MV", "sour1:volt:imm:ampl 5E-1"])
def test_any_spelling_is_understood(bench: Meters, text: str) -> None:
    smu(bench, *VOLTS, text)
    assert values(smu(bench, "SOURce:VOLTage?")) == [0.5] and bench.codes("k2400") == []


def test_a_reading_has_five_elements_whatever_is_measured(bench: Meters) -> None:
    volts, amperes, ohms, _, status = values(smu(bench, *VOLTS, ":SOUR:VOLT 0.5", ":OUTP 1", ":READ?"))
    assert volts == 0.5 and amperes == pytest.approx(50e-6, rel=5e-3)  # not measured: as programmed
    assert ohms == 9.91e37 and status == 0
    row = values(smu(bench, ":SENS:FUNC 'VOLT','RES'", ":READ?"))
    assert (
        row[0] == pytest.approx(0.5, abs=1e-3) and row[0] != 0.5 and row[2] == pytest.approx(OHMS, rel=5e-3)
    )
    smu(bench, ":SENS:FUNC:CONC OFF", ":SENS:FUNC 'CURR'", ":SOUR:FUNC CURR", ":OUTP 1")
    assert values(smu(bench, ":READ?"))[0] == 9.91e37  # neither sourced nor measured


def test_measuring_with_the_output_off_is_error_803(bench: Meters) -> None:
    assert smu(bench, ":READ?") == "" and bench.codes("k2400") == [803]


def test_measure_is_configure_and_read(bench: Meters) -> None:
    smu(bench, *VOLTS, ":SENS:CURR:PROT 1e-6", ":SENS:CURR:NPLC 10", ":SOUR:VOLT 1")
    assert stress(bench).max_amperes == 0.0
    assert values(smu(bench, ":MEAS:CURR?"))[1] == pytest.approx(1e-4, rel=5e-3)
    assert values(smu(bench, ":SENS:CURR:PROT?;:SENS:CURR:NPLC?".split(";")[0])) == [105e-6]
    assert smu(bench, ":OUTP?;:SENS:CURR:RANG:AUTO?;:SENS:CURR:NPLC?") == "1;1;1.00"


def test_the_limit_holds_and_an_overflow_says_so(bench: Meters) -> None:
    smu(bench, *VOLTS, ":SENS:CURR:PROT 50e-6", ":SOUR:VOLT 1", ":OUTP 1")
    assert smu(bench, ":SENS:CURR:PROT:TRIP?") == "1"
    assert values(smu(bench, ":READ?"))[1] == pytest.approx(50e-6, rel=2e-3)
    smu(bench, ":SENS:CURR:PROT 1e-3", ":SENS:CURR:RANG 1e-5")
    assert values(smu(bench, ":READ?"))[1] == pytest.approx(10.5e-6, rel=3e-3)  # range compliance


def test_a_measure_range_above_the_limits_is_error_824(bench: Meters) -> None:
    smu(bench, ":SENS:CURR:PROT 1e-5", ":SENS:CURR:RANG 1e-3")
    assert bench.codes("k2400") == [824]
    smu(bench, ":SENS:CURR:PROT 1e-2", ":SENS:CURR:RANG 1e-2", ":SENS:CURR:PROT 1e-6")
    assert bench.codes("k2400") == [-222]  # below a thousandth of the range


def test_protection_takes_the_next_step(bench: Meters) -> None:
    smu(bench, ":SOUR:VOLT:PROT 30")
    assert values(smu(bench, ":SOUR:VOLT:PROT?")) == [40.0]


def test_lists_take_100_values_a_command_and_2500_in_all(bench: Meters) -> None:
    hundred = ",".join(["1e-6"] * 100)
    smu(bench, f":SOUR:LIST:CURR {hundred},1e-6")
    assert bench.codes("k2400") == [-223]
    smu(bench, f":SOUR:LIST:CURR {hundred}", *[f":SOUR:LIST:CURR:APP {hundred}"] * 24)
    assert smu(bench, ":SOUR:LIST:CURR:POIN?") == "2500" and bench.codes("k2400") == []
    smu(bench, ":SOUR:LIST:CURR:APP 1e-6")
    assert bench.codes("k2400") == [-223]


CURRENT = (":SOUR:FUNC CURR", ":SOUR:CURR:RANG 1e-4", ":SENS:FUNC 'VOLT'", ":SENS:VOLT:PROT 1")


def test_a_list_runs_into_the_trace_buffer(bench: Meters) -> None:
    smu(bench, *CURRENT, ":SOUR:LIST:CURR 1e-5,-2e-5,3e-5", ":SOUR:CURR:MODE LIST", ":TRIG:COUN 3")
    smu(bench, ":TRAC:POIN 3;FEED SENS;FEED:CONT NEXT", ":FORM:ELEM VOLT", ":OUTP 1", ":INIT")
    assert values(smu(bench, ":TRAC:DATA?")) == pytest.approx([0.1, -0.2, 0.3], abs=2e-3)
    assert bench.codes("k2400") == []


@pytest.mark.parametrize("points", [":SOUR:CURR:STEP 1e-5", ":SOUR:SWE:POIN 5"])
def test_a_staircase_goes_from_start_to_stop(bench: Meters, points: str) -> None:
    smu(bench, *CURRENT, ":SOUR:CURR:STAR -2e-5", ":SOUR:CURR:STOP 2e-5", points, ":FORM:ELEM VOLT,CURR")
    text = smu(bench, ":SOUR:CURR:MODE SWE", ":TRIG:COUN 5", ":OUTP 1", ":READ?")
    rows = np.array(values(text)).reshape(5, 2)
    assert rows[:, 1] == pytest.approx(np.linspace(-2e-5, 2e-5, 5), abs=50e-9)
    assert rows[:, 0] == pytest.approx(rows[:, 1] * OHMS, abs=2e-3)


def test_back_in_fixed_mode_the_source_jumps_to_its_fixed_level(bench: Meters) -> None:
    """The hazard of list mode: a level that was programmed long ago comes back."""
    smu(bench, *CURRENT, ":SOUR:CURR 5e-5", ":OUTP 1", ":SOUR:LIST:CURR 1e-5,0", ":SOUR:CURR:MODE LIST")
    smu(bench, ":TRIG:COUN 2", ":READ?", ":SOUR:CURR:MODE FIX", ":TRIG:COUN 1", ":FORM:ELEM CURR,VOLT")
    assert values(smu(bench, ":READ?"))[0] == pytest.approx(0.5, rel=5e-3)


def test_outside_idle_it_answers_when_the_sweep_is_over(bench: Meters) -> None:
    smu(bench, *CURRENT, ":SENS:VOLT:NPLC 1", ":OUTP 1", ":TRIG:COUN 100")
    before = bench.clock.now_ns()
    assert smu(bench, "*OPC?;:INIT") == "1" and bench.clock.now_ns() == before
    smu(bench, ":OUTP?")
    assert (bench.clock.now_ns() - before) * 1e-9 >= 100 * 0.06  # three apertures a point: autozero


def test_abort_gets_through(bench: Meters) -> None:
    smu(bench, *CURRENT, ":OUTP 1", ":TRIG:COUN 2500", ":INIT")
    before = bench.clock.now_ns()
    smu(bench, ":ABOR", ":OUTP OFF")
    assert bench.clock.now_ns() == before and smu(bench, ":OUTP?") == "0"


def test_a_sweep_may_stop_in_compliance(bench: Meters) -> None:
    smu(bench, *CURRENT, ":SENS:VOLT:PROT 0.25", ":SOUR:SWE:CAB LATE", ":FORM:ELEM VOLT", ":OUTP 1")
    text = smu(bench, ":SOUR:LIST:CURR 1e-5,3e-5,5e-5,2e-5", ":SOUR:CURR:MODE LIST", ":TRIG:COUN 4", ":READ?")
    assert values(text) == pytest.approx([0.1, 0.25], abs=2e-3)


def test_a_binary_block_is_single_precision(bench: Meters) -> None:
    smu(bench, *VOLTS, ":SOUR:VOLT 0.5", ":OUTP 1", ":FORM:ELEM VOLT,CURR;:FORM:DATA SRE;:FORM:BORD SWAP")
    reply = bench.raw("k2400", ":READ?")
    assert reply is not None and reply[:2] == b"#0" and reply[-1:] == b"\n"
    assert np.frombuffer(reply[2:-1], "<f4") == pytest.approx([0.5, 50e-6], rel=5e-3)


def test_range_changes_with_the_output_on_overshoot(bench: Meters) -> None:
    smu(bench, *VOLTS, ":OUTP 1", ":SENS:CURR:RANG 1e-5")
    assert stress(bench).max_transient_volts == pytest.approx(0.25, abs=2e-3)
