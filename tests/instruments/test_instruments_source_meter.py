"""The source meter role over every virtual model, on a resistor; judged on bytes and on the stress record."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instruments_meters import METERS, Meter
from instruments_ready import OFFSET_VOLTS, TOLERANCE, amperes_ready, volts_ready
from instruments_rigs import MeterRig

from labtrain.roles import Flag


def _begins(message: bytes, head: bytes) -> bool:
    return message.startswith((head + b" ", head + b"\n"))


def test_opening_sends_nothing(rig: MeterRig) -> None:
    assert rig.heard == []


def test_set_and_measure_in_voltage_mode(rig: MeterRig) -> None:
    meter = volts_ready(rig)
    meter.source_voltage = 0.3
    reading = meter.measure()
    assert reading.volts == pytest.approx(0.3, abs=2e-3)
    assert reading.amperes == pytest.approx(30e-6, rel=0.01)
    assert reading.programmed == 0.3 and reading.flags == Flag.NONE


def test_set_and_measure_in_current_mode(rig: MeterRig) -> None:
    meter = amperes_ready(rig)
    meter.source_current = -20e-6
    assert meter.voltage == pytest.approx(-0.2, rel=0.01)
    assert meter.current == pytest.approx(-20e-6, rel=0.01)


def test_setting_up_follows_the_safe_order(rig: MeterRig) -> None:
    assert volts_ready(rig).identity
    rig.heard.clear()
    rig.meter.configure("current", 50e-6, 0.4, 0.4, 1.0)
    sent = rig.sent()
    places = [next(k for k, m in enumerate(sent) if _begins(m, head)) for head in rig.facts.order]
    assert places == sorted(places) and places[0] == 0
    assert not rig.meter.output_enabled


def test_setting_up_twice_sends_nothing(rig: MeterRig) -> None:
    volts_ready(rig)
    rig.heard.clear()
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
    assert rig.heard == [] and rig.meter.output_enabled


def test_a_sweep_is_one_upload_and_one_readback(rig: MeterRig) -> None:
    meter = amperes_ready(rig)
    levels = np.linspace(-40e-6, 40e-6, 41)
    assert meter.identity  # the output is on before the counting starts
    rig.heard.clear()
    sweep = meter.sweep(levels)
    assert len(rig.heard) == rig.facts.sweep_messages
    assert not any(b"*WAI" in message for message in rig.heard)
    assert sweep.volts == pytest.approx(levels * 10e3, abs=2e-3)
    assert sweep.amperes == pytest.approx(levels, abs=100e-9)
    assert sweep.flags.tolist() == [0] * 41
    assert np.all(np.diff(sweep.seconds) > 0)
    assert meter.source_current == 0.0 and meter.output_enabled


@pytest.mark.parametrize("count", [1, 99, 100, 101, 2499, 2500, 6000])
def test_sweeps_of_any_length(count: int, facts: Meter) -> None:
    rig = MeterRig(facts=facts)
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.01)
    levels = 0.4 * np.sin(np.arange(count))
    sweep = rig.meter.sweep(levels)
    assert sweep.programmed.shape == sweep.volts.shape == sweep.flags.shape == (count,)
    assert sweep.volts == pytest.approx(levels, abs=3e-3)
    assert max(len(facts.lists([m])) for m in rig.heard) <= 100
    assert not rig.meter.output_enabled  # as it was before
    rig.close()


def test_a_sweep_ends_at_zero_at_the_instrument(rig: MeterRig) -> None:
    volts_ready(rig).sweep([0.1, 0.4])
    assert rig.instrument.source_voltage == 0.0
    assert rig.facts.lists(rig.heard)[-1] == 0.0


@given(st.sampled_from(METERS), st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=20))
def test_levels_are_rounded_before_they_are_sent(facts: Meter, levels: list[float]) -> None:
    rig = MeterRig(facts=facts)
    meter = volts_ready(rig)
    step = meter.resolution
    programmed = meter.quantise(levels)
    assert np.all(np.abs(programmed - levels) <= step / 2 * (1 + 1e-9))
    assert np.all(meter.quantise(programmed) == programmed)
    sweep = meter.sweep(levels)
    sent = facts.lists(rig.heard)
    assert np.all(sweep.programmed == programmed)
    assert sent == [*(float(f"{x:.9g}") for x in programmed), 0.0] == [*programmed, 0.0]
    rig.close()


def test_an_open_device_is_flagged_not_an_error(facts: Meter) -> None:
    rig = MeterRig(
        facts=facts, faults=__import__("labtrain.wiring", fromlist=["Faults"]).Faults(dead=("load",))
    )
    sweep = amperes_ready(rig).sweep([10e-6, 20e-6, -30e-6], abort_on_compliance=False)
    assert np.all(sweep.flags == Flag.COMPLIANCE)
    assert np.abs(sweep.volts) == pytest.approx(0.5, rel=0.01)
    rig.close()


def test_compliance_aborts_a_sweep_by_default() -> None:
    rig = MeterRig(ohms=100e3)
    sweep = amperes_ready(rig).sweep([1e-6, 2e-6, 20e-6, 1e-6])
    assert sweep.flags[:3].tolist() == [0, 0, Flag.COMPLIANCE]
    assert np.isnan(sweep.volts[3]) and sweep.programmed[3] == 1e-6
    rig.close()


LEFT_BEHIND = {
    "2400": (
        b":SOUR:FUNC VOLT;:SOUR:VOLT:RANG 2;:SOUR:LIST:VOLT 1,2,1;:SOUR:VOLT:MODE LIST;:TRIG:COUN 3",
        b":SOUR:LIST:CURR 0.1,0.2;:SOUR:CURR:MODE LIST;:ARM:COUN 2",
        b":SYST:RSEN ON;:SOUR:CLE:AUTO ON;:SENS:AVER ON",
        b":ARM:SOUR BUS;:TRIG:SOUR TLIN;:TRIG:DEL 10",
        b":FORM:DATA REAL;:FORM:ELEM CURR;:SENS:FUNC:OFF:ALL;:TRAC:FEED:CONT NEXT",
    ),
    "2450": (
        b":SOUR:FUNC VOLT;:SENS:FUNC 'CURR';:SOUR:SWE:VOLT:LIN 0,2,11,0.1",
        b":SENS:CURR:RSEN ON;:SENS:VOLT:RSEN ON",
        b":SOUR:VOLT:READ:BACK OFF;:SOUR:CURR:READ:BACK OFF;:FORM:DATA REAL",
        b":SENS:COUN 100;:SOUR:VOLT:DEL 10;:SENS:CURR:AVER ON;:SENS:CURR:AVER:COUN 100",
    ),
    "2602B": (
        b"smua.sense = 1 smub.sense = 1",
        b"smua.measure.count = 1000 smua.measure.interval = 1 smua.source.delay = 10 smua.measure.delay = 10",
        b"smua.measure.filter.enable = 1 smua.measure.rel.enablei = 1",
        b"format.data = 2 format.asciiprecision = 2",
        b"smua.trigger.source.listv({1, 2}) smua.trigger.source.action = 1 smua.trigger.count = 2",
    ),
}
"""What another program has left an instrument in, one after the other, all at once."""


@pytest.mark.parametrize("mode", ["voltage", "current"])
def test_what_another_program_left_behind_harms_nothing(facts: Meter, mode: str) -> None:
    rig = MeterRig(facts=facts)
    for line in LEFT_BEHIND[facts.model]:
        rig.virtual.handle(line + b"\n")
    assert rig.virtual.errors.codes() == []
    meter = volts_ready(rig) if mode == "voltage" else amperes_ready(rig)
    if mode == "voltage":
        meter.source_voltage = 0.3
    else:
        meter.source_current = 30e-6
    before = rig.clock.now_ns()
    reading = meter.measure()
    assert reading.volts == pytest.approx(0.3, abs=3e-3) and reading.amperes == pytest.approx(30e-6, rel=0.01)
    assert rig.clock.now_ns() - before < 1e9
    assert meter.sweep([0.1, 0.2] if mode == "voltage" else [1e-5, 2e-5]).volts == pytest.approx(
        [0.1, 0.2], abs=3e-3
    )
    stress = rig.stress("load.top")
    assert stress.max_volts <= 0.3 * TOLERANCE + OFFSET_VOLTS and stress.transients == 0
    assert rig.virtual.errors.codes() == []
    rig.close()
