"""The source meter role over every virtual model, on a resistor; judged on bytes and on the stress record."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instruments_calls import mounted
from instruments_meters import METERS, Meter
from instruments_rigs import TIGHT, MeterRig

from labtrain.errors import (
    InstrumentError,
    InstrumentReported,
    InstrumentStateChanged,
    InstrumentTimeout,
    LimitExceeded,
    UsageError,
)
from labtrain.limits import Limits
from labtrain.roles import Flag, SourceMeter

TOLERANCE = 1.002
"""The virtual 2450's own source errors: gain within 0.02 %, offset within a millivolt's part."""
OFFSET_VOLTS = 1e-3


@pytest.fixture(params=METERS, ids=str)
def facts(request: pytest.FixtureRequest) -> Meter:
    return request.param


@pytest.fixture(params=["in-process", "tcp", "replayed"])
def rig(request: pytest.FixtureRequest, facts: Meter, tmp_path: Path) -> Iterator[MeterRig]:
    with mounted(lambda stage: MeterRig(stage=stage, facts=facts), request.param, tmp_path) as rig:
        yield rig


def volts_ready(rig: MeterRig) -> SourceMeter:
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
    rig.meter.output_enabled = True
    return rig.meter


def amperes_ready(rig: MeterRig) -> SourceMeter:
    rig.meter.configure("current", 60e-6, 0.5, 0.5, 0.1)
    rig.meter.output_enabled = True
    return rig.meter


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


# limits: nothing above them is ever sent


@pytest.mark.parametrize("bad", [0.5001, -0.5001, 1.0, math.inf, -math.inf, math.nan])
def test_a_level_above_the_limit_is_refused_and_nothing_is_sent(rig: MeterRig, bad: float) -> None:
    meter = volts_ready(rig)
    rig.heard.clear()
    with pytest.raises(LimitExceeded) as caught:
        meter.source_voltage = bad
    assert caught.value.exit_code == 4 and "nothing was sent" in str(caught.value) and caught.value.remedy
    for levels in ([0.1, bad], [bad]):
        with pytest.raises(LimitExceeded):
            meter.sweep(levels)
    assert rig.heard == []


def test_worst_case_power_counts_the_compliance() -> None:
    rig = MeterRig(limits=Limits(voltage=0.5, current=60e-6, power=20e-6))
    meter = volts_ready(rig)
    meter.source_voltage = 0.333
    with pytest.raises(LimitExceeded, match="power"):
        meter.source_voltage = 0.334  # x 60 uA = 20.04 uW
    with pytest.raises(LimitExceeded, match="power"):
        meter.sweep([0.1, 0.4])
    rig.close()


def test_the_output_stays_off_without_a_stated_limit(rig: MeterRig) -> None:
    rig.meter.source_voltage_range = 0.2
    rig.meter.current_range = 100e-6
    with pytest.raises(LimitExceeded, match="no limit has been stated"):
        rig.meter.output_enabled = True
    rig.meter.compliance_current = 50e-6
    rig.meter.output_enabled = True
    assert rig.meter.output_enabled


def test_a_limit_stated_for_one_mode_does_not_serve_the_other(rig: MeterRig) -> None:
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6)
    rig.meter.source_mode = "current"
    with pytest.raises(LimitExceeded, match="no limit|auto"):
        rig.meter.output_enabled = True


def test_ranges_change_with_the_output_off_only(rig: MeterRig) -> None:
    meter = volts_ready(rig)
    rig.heard.clear()
    for name in ("source_voltage_range", "current_range", "source_current_range", "voltage_range"):
        with pytest.raises(LimitExceeded, match="overshoots"):
            setattr(meter, name, 2.0)
        with pytest.raises(LimitExceeded):
            setattr(meter, f"{name}_auto", True)
    with pytest.raises(LimitExceeded, match="mode"):
        meter.source_mode = "current"
    assert rig.sent() == []
    assert rig.stress("load.top").max_volts <= OFFSET_VOLTS


def test_automatic_ranges_need_the_bench_files_leave(rig: MeterRig) -> None:
    with pytest.raises(LimitExceeded, match="automatic ranges"):
        rig.meter.voltage_range_auto = True
    assert rig.sent() == []


def test_a_limit_that_moves_is_noticed() -> None:
    """A 2450 raises its limit where a fixed measure range makes it too small, and says nothing."""
    rig = MeterRig()
    with pytest.raises(InstrumentStateChanged, match="limit"):
        rig.meter.configure("voltage", 0.5, 10e-6, 1e-3)
    assert not rig.output


def test_a_limit_touched_at_the_front_panel_keeps_the_output_off(rig: MeterRig) -> None:
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6)
    rig.virtual.handle(rig.facts.touch)
    with pytest.raises(InstrumentStateChanged):
        rig.meter.output_enabled = True
    assert not rig.output


def test_steps_and_slews_are_limited_along_a_sweep_and_back(facts: Meter) -> None:
    rig = MeterRig(facts=facts, limits=Limits(voltage=0.5, current=60e-6, power=30e-6, step=0.1))
    meter = volts_ready(rig)
    meter.sweep([0.1, 0.2, 0.3, 0.2, 0.1])
    for levels in ([0.2], [0.1, 0.25], [0.1, 0.2]):  # there; between; the return to zero
        with pytest.raises(LimitExceeded, match="step"):
            meter.sweep(levels)
    meter.source_voltage = 0.1
    with pytest.raises(LimitExceeded, match="step"):
        meter.source_voltage = 0.3
    meter.ramp_to_voltage(0.4, steps=10)
    assert meter.source_voltage == pytest.approx(0.4)
    meter.shutdown()
    assert not meter.output_enabled
    rig.close()


def test_slew_is_refused_in_one_go_and_possible_in_steps() -> None:
    rig = MeterRig(limits=Limits(voltage=0.5, current=60e-6, power=30e-6, slew=20.0))
    meter = volts_ready(rig)
    with pytest.raises(LimitExceeded, match="slew"):
        meter.source_voltage = 0.1
    meter.sweep([0.01, 0.02, 0.01])
    rig.close()


def test_an_incident_makes_the_role_look_again(facts: Meter) -> None:
    """After a time-out the instrument may be at power-on defaults: safe state and exit 3."""
    rig = MeterRig(facts=facts)
    meter = volts_ready(rig)
    link, plain = rig.link_port._link, rig.virtual.handle
    link._handle = lambda message: None
    with pytest.raises(InstrumentTimeout):
        meter.measure()
    rig.virtual.handle(b"*RST\n")
    link._handle = plain
    with pytest.raises(InstrumentStateChanged) as caught:
        meter.source_voltage = 0.1
    assert caught.value.exit_code == 3 and not rig.output
    rig.close()


def test_an_incident_that_changed_nothing_goes_on(facts: Meter) -> None:
    rig = MeterRig(facts=facts)
    meter = volts_ready(rig)
    link, plain = rig.link_port._link, rig.link_port._link._handle
    link._handle = lambda message: None
    with pytest.raises(InstrumentTimeout):
        meter.measure()
    link._handle = plain
    meter.source_voltage = 0.1
    assert meter.voltage == pytest.approx(0.1, abs=2e-3)
    rig.close()


def test_an_interrupt_in_a_sweep_stops_it(facts: Meter) -> None:
    rig = MeterRig(facts=facts)
    meter = volts_ready(rig)
    heard = rig.link_port._link._handle

    def interrupted(message: bytes) -> bytes | None:
        if message.startswith(facts.poll):
            raise KeyboardInterrupt
        return heard(message)

    rig.link_port._link._handle = interrupted
    with pytest.raises(KeyboardInterrupt):
        meter.sweep([0.1] * 100, abort_on_compliance=False)
    assert facts.abort in rig.heard and not facts.running(rig.virtual)
    meter.shutdown()
    assert not rig.output
    rig.close()


def test_an_instruments_own_error_is_raised(rig: MeterRig) -> None:
    rig.virtual.handle(rig.facts.nonsense)
    with pytest.raises(InstrumentReported, match=rig.facts.complaint):
        rig.meter.configure("voltage", 0.5, 60e-6, 60e-6)


def test_measuring_nothing_is_refused(rig: MeterRig) -> None:
    with pytest.raises(UsageError, match="output is off"):
        rig.meter.measure()


@pytest.mark.parametrize(
    "bad", [("ac", 0.1, 1e-6, 1e-6), ("voltage", 0.0, 1e-6, 1e-6), ("voltage", 0.1, math.nan, 1e-6)]
)
def test_bad_set_ups_say_what_is_allowed(rig: MeterRig, bad: tuple[str, float, float, float]) -> None:
    with pytest.raises(UsageError) as caught:
        rig.meter.configure(*bad)
    assert caught.value.remedy and rig.sent() == []


def test_a_level_beyond_the_range_says_what_to_do() -> None:
    rig = MeterRig(limits=Limits(voltage=10.0, current=60e-6))
    rig.meter.configure("voltage", 0.1, 60e-6, 60e-6)
    with pytest.raises(UsageError, match="level_range"):
        rig.meter.source_voltage = 5.0
    rig.close()


# a role is closed


def test_a_role_is_final() -> None:
    with pytest.raises(TypeError, match="final"):
        type("Mine", (SourceMeter,), {})


def test_unknown_attributes_raise(rig: MeterRig) -> None:
    with pytest.raises(AttributeError, match="source_voltag"):
        rig.meter.source_voltag = 1.0
    with pytest.raises(AttributeError, match="complience_current"):
        _ = rig.meter.complience_current
    with pytest.raises(AttributeError, match="no setter"):
        rig.meter.voltage = 1.0
    assert not hasattr(rig.meter, "__dict__") and not hasattr(rig.meter, "write")


_numbers = st.one_of(
    st.floats(-2, 2),
    st.floats(-1e-3, 1e-3),
    st.sampled_from([0.0, 0.5, 60e-6, 1e-4, 21.0, math.nan, math.inf]),
)
_settable = [
    n
    for n in dir(SourceMeter)
    if isinstance(getattr(SourceMeter, n), property) and getattr(SourceMeter, n).fset
]
_steps = st.one_of(
    st.tuples(
        st.just("set"),
        st.sampled_from(_settable),
        st.one_of(_numbers, st.booleans(), st.sampled_from(["voltage", "current"])),
    ),
    st.tuples(
        st.just("configure"), st.sampled_from(["voltage", "current"]), st.tuples(_numbers, _numbers, _numbers)
    ),
    st.tuples(st.just("sweep"), st.just(""), st.lists(_numbers, max_size=4)),
    st.tuples(st.just("ramp_to_voltage"), st.just(""), _numbers),
    st.tuples(st.just("ramp_to_current"), st.just(""), _numbers),
    st.tuples(st.just("measure"), st.just(""), st.none()),
    st.tuples(st.just("shutdown"), st.just(""), st.none()),
    st.tuples(st.just("good"), st.sampled_from(["voltage", "current"]), st.none()),
)


def _take(meter: SourceMeter, step: tuple[str, str, object]) -> None:
    verb, name, value = step
    if verb == "set":
        setattr(meter, name, value)
    elif verb == "configure":
        meter.configure(name, *value)
    elif verb == "good":
        meter.configure(name, *((0.5, 60e-6, 60e-6) if name == "voltage" else (60e-6, 0.5, 0.5)), 0.01)
        meter.output_enabled = True
    elif verb == "sweep":
        meter.sweep(value)
    elif verb.startswith("ramp"):
        getattr(meter, verb)(value, steps=3, pause=0.0)
    else:
        getattr(meter, verb)()


@settings(max_examples=120)
@given(
    st.sampled_from(METERS),
    st.lists(_steps, min_size=1, max_size=12),
    st.sampled_from([100.0, 10e3, 1e6]),
)
def test_no_sequence_of_calls_takes_a_terminal_above_its_limits(
    facts: Meter, steps: list[tuple], ohms: float
) -> None:
    rig = MeterRig(ohms=ohms, facts=facts)
    for step in steps:
        try:
            _take(rig.meter, step)
        except (LimitExceeded, UsageError, InstrumentError):
            pass
        except (TypeError, ValueError) as error:  # a plain wrong type is Python's own business
            assert not isinstance(error, OverflowError)
    sent = facts.sent(rig.heard)
    assert all(abs(volts) <= TIGHT.voltage for volts in sent["voltage"])
    assert all(abs(amperes) <= TIGHT.current for amperes in sent["current"])
    stress = rig.stress("load.top")
    assert stress.max_volts <= TIGHT.voltage * TOLERANCE + OFFSET_VOLTS
    assert stress.max_amperes <= TIGHT.current * TOLERANCE + OFFSET_VOLTS / ohms
    assert stress.transients == 0
    rig.close()
