"""The role of a source meter refuses: nothing above a limit is ever sent, and nothing out of order."""

from __future__ import annotations

import math

import pytest
from instruments_meters import Meter
from instruments_ready import OFFSET_VOLTS, volts_ready
from instruments_rigs import MeterRig

from labtrain.errors import (
    InstrumentReported,
    InstrumentStateChanged,
    InstrumentTimeout,
    LimitExceeded,
    UsageError,
)
from labtrain.limits import Limits
from labtrain.roles import SourceMeter

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
