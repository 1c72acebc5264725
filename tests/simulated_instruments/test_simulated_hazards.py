"""The ways a chip dies are really there: seen in the stress record, or no safety test could fail."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_bench import WIRES, Bench, pairs, plan, single

from labtrain.wiring import Wire

LOAD = single("load", "resistor", {"top": "pulser.1"}, resistance=4e3)
PULSED = plan([LOAD])


def armed(bench: Bench, low: float, high: float, *more: str) -> Bench:
    bench.pulser("*RST", ":FUNC1 PULS", ":ARM:SOUR1 MAN", ":TRIG1:COUN 1", *more)
    bench.pulser(":VOLT1:LOW -4", ":VOLT1:HIGH 4", f":VOLT1:LOW {low}", f":VOLT1:HIGH {high}")
    assert bench.errors("pulser") == []
    return bench


def test_1_a_50_ohm_setting_doubles_into_4_kohm() -> None:
    bench = armed(Bench(PULSED), 0.0, 0.26)
    bench.pulser(":OUTP1 ON", "*TRG", "*OPC?")
    stress = bench.world.stress["load.top"]
    assert stress.max_volts == pytest.approx(0.52 * 4000 / 4051, rel=1e-3)
    assert stress.max_volts > 0.5
    assert stress.pulses == 1


def test_1_the_load_setting_changes_what_is_shown_not_what_comes_out() -> None:
    bench = armed(Bench(PULSED), 0.0, 0.2)
    bench.pulser(":OUTP1:LOAD INF")
    assert float(bench.pulser(":VOLT1:HIGH?") or 0) == pytest.approx(0.4)
    bench.pulser(":VOLT1:HIGH 0.2", ":OUTP1 ON", "*TRG", "*OPC?")
    assert bench.world.stress["load.top"].max_volts == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(("polarity", "resting"), [("NORM", True), ("INV", False)])
def test_2_negative_pulses_at_normal_polarity_idle_at_their_amplitude(polarity: str, resting: bool) -> None:
    bench = armed(Bench(PULSED), -0.2, 0.0, f":OUTP1:POL {polarity}")
    bench.pulser(":OUTP1 ON")
    bench.clock.sleep(1.0)
    stress = bench.world.stress["load.top"]
    assert (stress.seconds_on > 0.9) == resting
    assert (stress.max_volts > 0.39) == resting
    assert stress.pulses == 0
    bench.pulser("*TRG", "*OPC?")
    assert bench.world.stress["load.top"].pulses == 1


def test_3_an_81160a_as_it_wakes_up_runs_for_ever() -> None:
    bench = Bench(PULSED)
    bench.pulser("*RST", ":FUNC1 PULS", ":PULS:PER1 1e-3;:PULS:WIDT1 10ns", ":OUTP1 ON")
    bench.clock.sleep(2.0)
    assert bench.world.stress["load.top"].pulses == pytest.approx(2001, abs=1)
    bench.pulser(":OUTP1 OFF")
    bench.clock.sleep(2.0)
    assert bench.world.stress["load.top"].pulses == pytest.approx(2001, abs=1)


def test_3_a_triggered_burst_is_finite_and_counts() -> None:
    bench = armed(Bench(PULSED), 0.0, 0.2, ":PULS:PER1 1e-3", ":TRIG1:COUN 5")
    bench.pulser(":OUTP1 ON")
    bench.clock.sleep(1.0)
    assert bench.world.stress["load.top"].pulses == 0
    bench.pulser("*TRG")
    bench.clock.sleep(2.5e-3)
    assert bench.world.stress["load.top"].pulses == 3  # at 0, 1 and 2 ms
    bench.pulser(":OUTP1 OFF")  # in the middle
    bench.clock.sleep(1.0)
    assert bench.world.stress["load.top"].pulses == 3


def test_4_a_measure_range_moves_the_limit() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.smu(":SOUR:FUNC VOLT", ":SOUR:VOLT:RANG 2", ":SOUR:VOLT:ILIM 1e-6")
    assert float(bench.smu(":SOUR:VOLT:ILIM?") or 0) == 1e-6
    bench.smu(":SENS:CURR:RANG 1e-3")
    assert float(bench.smu(":SOUR:VOLT:ILIM?") or 0) == pytest.approx(106e-6)
    assert bench.errors("smu") == []  # silently
    bench.smu(":SOUR:VOLT 0.2", ":OUTP ON")
    assert bench.world.stress["neurons[0].top"].max_amperes > 20e-6


def test_4_the_limit_of_current_mode_is_21_volts_until_told() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.smu(":SOUR:FUNC CURR", ":SENS:FUNC 'VOLT'", ":SOUR:CURR:RANG 1e-4", ":SOUR:CURR 10e-6", ":OUTP ON")
    assert float(bench.smu(":READ?") or 0) == pytest.approx(21.0, rel=1e-3)  # into an open relay
    bench.route("1,0")  # hot: the cable's charge goes through the barrier
    stress = bench.world.stress["neurons[0].top"]
    assert stress.broken
    assert stress.transients == 1
    assert stress.max_pulse_joules == pytest.approx(0.5 * 100e-12 * 21**2, rel=1e-2)


def test_5_a_range_change_overshoots() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.smu(":SOUR:VOLT:RANG 0.2", ":SOUR:VOLT 0.1", ":OUTP ON")
    assert bench.world.stress["neurons[0].top"].max_volts < 0.102
    bench.smu(":SOUR:VOLT:RANG 2")
    stress = bench.world.stress["neurons[0].top"]
    assert stress.transients == 1
    assert stress.max_volts == pytest.approx(0.35, rel=5e-3)


def test_5_no_overshoot_with_the_output_off() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.smu(":SOUR:VOLT:RANG 0.2", ":SOUR:VOLT 0.1", ":SOUR:VOLT:RANG 2", ":OUTP ON")
    assert bench.world.stress["neurons[0].top"].max_volts < 0.102
    assert bench.world.stress["neurons[0].top"].transients == 0


def test_6_wai_blocks_what_comes_after_it() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.current_mode()
    bench.smu(":OUTP ON", ":SOUR:LIST:CURR " + ",".join(["20e-6"] * 20), ":SOUR:SWE:CURR:LIST 1, 1.0, 1, OFF")
    before = bench.clock.now_ns()
    bench.smu(":INIT;*WAI;:OUTP OFF")
    assert bench.clock.now_ns() - before > 19e9
    assert bench.world.stress["neurons[0].top"].seconds_on > 19.0


def test_7_switching_a_relay_hot_is_on_record() -> None:
    bench = Bench(plan([pairs(2)]))
    bench.smu(":SOUR:VOLT:RANG 2", ":SOUR:VOLT 0.2", ":OUTP ON")
    bench.route("1,0")
    assert bench.world.stress["neurons[0].top"].transients == 1
    bench.route("1,2")  # and broken under voltage
    assert bench.world.stress["neurons[0].top"].transients == 2
    assert bench.world.stress["neurons[1].top"].transients == 1


def test_7_a_cold_relay_leaves_nothing() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.smu(":SOUR:VOLT:RANG 2", ":SOUR:VOLT 0.2")
    bench.route("1,0")
    bench.route()
    assert bench.world.stress["neurons[0].top"].transients == 0


def test_8_remote_sense_without_its_lead_drives_to_the_end_of_the_range() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.smu(":SOUR:VOLT:RANG 0.2", ":SOUR:VOLT 0.01", ":SENS:CURR:RSEN ON", ":OUTP ON")
    assert bench.world.stress["neurons[0].top"].max_volts > 0.2


def test_8_protection_holds_what_nothing_else_does() -> None:
    bench = Bench(plan([single("r", "resistor", {"top": "matrix.col0"}, resistance=1e6)]))
    bench.route("1,0")
    bench.smu(":SOUR:VOLT:PROT PROT2", ":SOUR:VOLT:RANG 20", ":SOUR:VOLT 10", ":OUTP ON")
    assert bench.world.stress["r.top"].max_volts == pytest.approx(2.0, rel=1e-4)


def test_a_line_fuses_and_stays_open() -> None:
    bench = Bench(plan([single("sot", "sot-mtj", {"line": "pulser.1"})]))
    armed(bench, 0.0, 2.0, ":PULS:WIDT1 10ns")
    bench.pulser(":OUTP1 ON", "*TRG", "*OPC?")
    assert bench.world.stress["sot.line"].broken
    amperes = bench.world.stress["sot.line"].max_amperes
    bench.pulser("*TRG", "*OPC?")
    assert bench.world.stress["sot.line"].pulses == 1  # nothing arrives any more
    assert bench.world.stress["sot.line"].max_amperes == amperes


def test_an_attenuator_protects() -> None:
    wires = (*WIRES, Wire("pulser.1", "line", attenuation=0.1))
    bench = Bench(plan([single("load", "resistor", {"top": "line"}, resistance=50.0)], wires=wires))
    armed(bench, 0.0, 1.0)
    bench.pulser(":OUTP1 ON", "*TRG", "*OPC?")
    assert bench.world.stress["load.top"].max_volts == pytest.approx(0.1, rel=0.02)


def test_a_sweep_is_judged_at_every_point() -> None:
    bench = Bench(plan([pairs(1)]))
    bench.route("1,0")
    bench.current_mode()
    bench.smu(":OUTP ON")
    bench.sweep([*np.linspace(0, 20e-6, 20), 44e-6, *np.linspace(20e-6, 0, 20)])
    assert bench.world.stress["neurons[0].top"].max_amperes == pytest.approx(44e-6, rel=2e-3)
