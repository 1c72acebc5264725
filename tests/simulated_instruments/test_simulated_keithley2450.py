"""The virtual 2450: what its manual says it does, lists, limits, readings."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from simulated_bench import Bench, pairs, plan, single

RESISTOR = single("r", "resistor", {"top": "matrix.col0"}, resistance=10e3)


@pytest.fixture
def bench() -> Bench:
    bench = Bench(plan([RESISTOR]))
    bench.route("1,0")
    return bench


def reading(bench: Bench, line: str = ":READ?") -> float:
    return float(bench.smu(line) or "nan")


def test_it_wakes_up_as_the_manual_says() -> None:
    bench = Bench(plan([RESISTOR]))
    assert bench.smu("*LANG?") == "SCPI"
    assert bench.smu(":SOUR:FUNC?;:SENS:FUNC?;:OUTP?") == 'VOLT;"CURR:DC";0'
    assert float(bench.smu(":SOUR:CURR:VLIM?") or 0) == 21.0
    assert float(bench.smu(":SOUR:VOLT:ILIM?") or 0) == 105e-6


def test_ohms_law_within_the_data_sheet(bench: Bench) -> None:
    bench.smu(":SOUR:VOLT:RANG 2", ":SOUR:VOLT:ILIM 1e-3", ":SOUR:VOLT 1", ":OUTP ON")
    # source 0.02 % + 300 uV, reading 0.02 % + 6 nA on 100 uA, 1.6 ohm of leads and contact in 10 kohm
    tolerance = 1e-4 * (2e-4 + 3e-4 + 2e-4 + 1.7e-4) + 6e-9
    assert reading(bench) == pytest.approx(1e-4, abs=tolerance)


def test_a_source_level_is_rounded_to_its_range(bench: Bench) -> None:
    bench.current_mode()
    bench.smu(":SOUR:CURR:READ:BACK OFF", ":OUTP ON")
    rows = bench.sweep([10e-6, 12.4e-9 + 10e-6, 15e-9 + 10e-6])
    volts = [row[1] for row in rows]
    assert rows[1][0] == pytest.approx(10.0124e-6)  # as programmed, without read-back
    # 5 nA steps on the 100 uA range are 50 uV at 10 kohm; noise at 0.01 NPLC is about 30 uV
    world_step = bench.world.stress["r.top"].max_amperes
    assert world_step == pytest.approx(10.015e-6, rel=4e-4, abs=15e-9)
    assert abs(volts[2] - volts[0] - 150e-6) < 400e-6


def test_readings_scatter_as_the_noise_model_says(bench: Bench) -> None:
    bench.current_mode()
    bench.smu(":OUTP ON")
    volts = np.array([row[1] for row in bench.sweep([20e-6] * 1000)])
    # 2 V range: 2 uV sqrt(100) = 20 uV, mains 30 uV 0.99 / sqrt 2 = 21 uV, quantisation 1 uV: 29 uV in all.
    # The standard error of a standard deviation is 2.2 % here; 6 sigma are allowed.
    assert volts.std() == pytest.approx(29e-6, rel=0.14)
    assert volts.mean() == pytest.approx(0.2, abs=0.2 * 1e-3 + 500e-6)


def test_errors_are_drawn_once_for_each_range_and_instrument() -> None:
    def offsets(seed: int) -> list[float]:
        bench = Bench(plan([RESISTOR], seed=seed))
        bench.smu(":SENS:CURR:NPLC 10", ":SOUR:VOLT:RANG 2", ":SOUR:VOLT:ILIM 1e-3")
        bench.smu(":OUTP ON", ":SENS:CURR:RANG 1e-4")
        first = [reading(bench) for _ in range(2)]
        bench.smu(":SENS:CURR:RANG 1e-3")
        return [*first, reading(bench)]

    once, again, other = offsets(1), offsets(1), offsets(2)
    assert once == again
    assert once[0] == pytest.approx(once[1], abs=2e-10)  # only noise between two readings of one range
    assert abs(once[0] - once[2]) > 1e-9
    assert abs(once[0] - other[0]) > 1e-9


def test_what_is_sourced_is_measured_on_the_source_range(bench: Bench) -> None:
    bench.smu(":SENS:FUNC 'VOLT'", ":SENS:VOLT:NPLC 10", ":SOUR:VOLT:RANG 2", ":OUTP ON")
    bench.smu(":SENS:VOLT:RANG 0.02", ":SOUR:VOLT 1")  # kept for later, and no bound on the reading now
    assert reading(bench) == pytest.approx(1.0, rel=1e-3)
    assert float(bench.smu(":SENS:VOLT:RANG?") or 0) == 0.02


def test_the_limit_holds_the_source_and_trips(bench: Bench) -> None:
    bench.smu(":SOUR:VOLT:RANG 2", ":SOUR:VOLT:ILIM 50e-6", ":SOUR:VOLT 1", ":OUTP ON")
    assert bench.smu(":SOUR:VOLT:ILIM:TRIP?") == "1"
    assert reading(bench) == pytest.approx(50e-6, rel=2e-3)
    bench.smu(":SENS:FUNC 'VOLT'")
    assert reading(bench) == pytest.approx(0.5, rel=5e-3)  # below what is programmed: measure, never assume
    bench.smu(":SOUR:VOLT 0.3")
    assert bench.smu(":SOUR:VOLT:ILIM:TRIP?") == "0"


def test_a_fixed_measure_range_clamps_the_source(bench: Bench) -> None:
    bench.smu(
        ":SOUR:VOLT:RANG 2", ":SENS:CURR:RANG 10e-6", ":SOUR:VOLT:ILIM 1e-3", ":SOUR:VOLT 1", ":OUTP ON"
    )
    assert bench.world.stress["r.top"].max_amperes == pytest.approx(10.5e-6, rel=1e-3)
    assert reading(bench) == pytest.approx(10.5e-6, rel=2e-3)


def test_an_output_that_is_off_drives_nothing(bench: Bench) -> None:
    bench.smu(":SOUR:VOLT:RANG 2", ":SOUR:VOLT 1")
    reading(bench)
    assert bench.world.stress["r.top"].max_volts == 0.0


def test_changing_the_function_turns_the_output_off(bench: Bench) -> None:
    bench.smu(":OUTP ON", ":SOUR:FUNC CURR")
    assert bench.smu(":OUTP?") == "0"


def test_a_list_takes_100_values_a_command_and_2500_in_all(bench: Bench) -> None:
    values = ",".join(["1e-6"] * 101)
    bench.smu(f":SOUR:LIST:CURR {values}")
    assert bench.errors("smu") == [-223]
    hundred = ",".join(["1e-6"] * 100)
    bench.smu(f":SOUR:LIST:CURR {hundred}", *[f":SOUR:LIST:CURR:APP {hundred}"] * 24)
    assert bench.errors("smu") == []
    assert bench.smu(":SOUR:LIST:CURR:POIN?") == "2500"
    bench.smu(":SOUR:LIST:CURR:APP 1e-6")
    assert bench.errors("smu") == [-223]


def test_a_list_sweep_reads_every_level_in_order(bench: Bench) -> None:
    levels = np.linspace(-40e-6, 40e-6, 257)
    bench.current_mode()
    bench.smu(":OUTP ON")
    rows = np.array(bench.sweep(levels))
    assert rows.shape == (257, 3)
    assert np.abs(rows[:, 0] - levels).max() < 40e-6 * 4e-4 + 25e-9  # read back
    assert np.abs(rows[:, 1] - levels * 10e3).max() < 1e-3
    assert np.all(np.diff(rows[:, 2]) > 1e-3)  # no 2450 does a point in less
    assert bench.smu(":OUTP?") == "1"


def test_a_sweep_goes_on_by_itself_and_can_be_aborted(bench: Bench) -> None:
    bench.current_mode()
    bench.smu(":OUTP ON", ":SOUR:LIST:CURR " + ",".join(["1e-6"] * 100), ":SOUR:SWE:CURR:LIST 1, 0.1, 1, OFF")
    before = bench.clock.now_ns()
    bench.smu(":INIT")
    assert bench.clock.now_ns() == before  # overlapped: INIT returns at once
    assert (bench.smu(":TRIG:STAT?") or "").startswith("RUNNING")
    bench.clock.sleep(1.05)
    assert 9 <= int(bench.smu(":TRAC:ACT?") or 0) <= 10
    bench.smu(":ABOR")
    assert (bench.smu(":TRIG:STAT?") or "").startswith("IDLE")
    bench.clock.sleep(5.0)
    assert int(bench.smu(":TRAC:ACT?") or 0) <= 10
    assert bench.smu(":OUTP?") == "1"


def test_output_off_ends_a_sweep(bench: Bench) -> None:
    bench.current_mode()
    bench.smu(":OUTP ON", ":SOUR:LIST:CURR 1e-6,2e-6,50e-6", ":SOUR:SWE:CURR:LIST 1, 1.0, 1, OFF", ":INIT")
    bench.clock.sleep(2.5)
    bench.smu(":OUTP OFF")
    bench.clock.sleep(10.0)
    assert bench.world.stress["r.top"].max_amperes < 3e-6
    assert bench.smu(":OUTP?;:TRIG:STAT?") == "0;IDLE;IDLE;0"


def test_a_sweep_stops_at_the_limit_where_told(bench: Bench) -> None:
    bench.current_mode(limit=0.25)
    bench.smu(
        ":OUTP ON", ":SOUR:LIST:CURR 10e-6,20e-6,30e-6,40e-6", ":SOUR:SWE:CURR:LIST 1, 0, 1, ON", ":INIT"
    )
    assert bench.smu("*OPC?;:TRAC:ACT?") == "1;3"
    bench.smu(":SOUR:SWE:CURR:LIST 1, 0, 1, OFF", ":INIT")
    assert bench.smu("*OPC?;:TRAC:ACT?") == "1;4"
    assert bench.smu(":TRAC:DATA? 1, 4, 'defbuffer1', SOURSTAT") == ",".join(
        f"{status:.6E}" for status in (0, 0, 8, 8)
    )


def test_a_linear_sweep_as_qcodes_sends_it(bench: Bench) -> None:
    bench.smu(
        ":SOUR:VOLT:RANG 2",
        ":SOURce:SWEep:VOLTage:LINear 0, 1, 11, 0.01, 1, BEST, OFF, OFF, 'defbuffer1'",
        ":INIT",
        "*WAI",
    )
    data = np.array((bench.smu(":TRACe:DATA? 1, 11, 'defbuffer1'") or "").split(","), dtype=float)
    assert data == pytest.approx(np.linspace(0, 1e-4, 11), abs=1e-7)
    assert bench.smu(":OUTP?") == "0"  # it was off before


@pytest.mark.parametrize(("form", "code"), [("REAL", "d"), ("SRE", "f")])
@pytest.mark.parametrize(("order", "sign"), [("SWAP", "<"), ("NORM", ">")])
def test_binary_readings_are_the_ascii_ones(
    bench: Bench, form: str, code: str, order: str, sign: str
) -> None:
    bench.current_mode()
    bench.smu(":OUTP ON")
    rows = np.array(bench.sweep([1e-6, 2e-6, 3e-6]))
    bench.smu(f":FORM:DATA {form}", f":FORM:BORD {order}")
    reply = bench.opened.handlers["smu"](b":TRAC:DATA? 1, 3, 'defbuffer1', SOUR, READ, REL\n")
    assert reply is not None and reply.startswith(b"#0") and reply.endswith(b"\n")
    values = struct.unpack(f"{sign}9{code}", reply[2:-1])
    assert np.reshape(values, (3, 3)) == pytest.approx(rows, rel=1e-6)
    bench.smu(":TRAC:DATA? 1, 3, 'defbuffer1', SOURSTAT")
    assert bench.errors("smu") == [1133]


def test_a_reading_beyond_a_fixed_range_is_the_overflow_marker() -> None:
    bench = Bench(plan([RESISTOR]))  # route open: the current source runs to its limit
    bench.current_mode(limit=2.0)
    bench.smu(":SENS:VOLT:RANG:AUTO ON", ":SOUR:CURR 1e-6", ":OUTP ON", ":SENS:FUNC 'VOLT'")
    assert reading(bench) == pytest.approx(2.0, rel=1e-3)


def test_reading_takes_the_time_of_its_aperture(bench: Bench) -> None:
    bench.smu(":SENS:CURR:NPLC 1")
    before = bench.clock.now_ns()
    reading(bench)
    assert 20e6 <= bench.clock.now_ns() - before <= 30e6


def test_a_dead_and_a_stuck_neuron_look_as_they_should() -> None:
    from labtrain.wiring import Faults

    bench = Bench(plan([pairs(3)], faults=Faults(dead=("neurons[1]",), stuck=("neurons[2]",))))
    levels = [20e-6, 25e-6, 30e-6, 35e-6, 40e-6]
    slopes = {}
    for index in range(3):
        bench.smu(":OUTP OFF")
        bench.route(f"1,{2 * index}")
        bench.current_mode(limit=0.5)
        bench.smu(":OUTP ON")
        volts = np.array([row[1] for row in bench.sweep(levels)])
        slopes[index] = (volts[-1] - volts[0]) / 20e-6
        if index == 1:
            assert volts == pytest.approx([0.5] * 5, rel=2e-3)
            assert bench.world.stress["neurons[1].top"].max_amperes == 0.0
    assert slopes[0] > 7e3  # a step on top of 4 kohm
    assert slopes[2] == pytest.approx(4.1e3, rel=0.2)  # 4 kohm and no step
