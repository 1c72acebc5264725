"""A permit is never wider than the checks that it stands for, and ends with whatever they depend on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labtrain.bench import Bench
from labtrain.errors import LabtrainError, LimitExceeded
from labtrain.limits import Limits
from labtrain.roles.envelope import FixedEnvelope
from labtrain.roles.permit import ROUNDING
from labtrain.roles.source_checks import SourceChecks
from labtrain.roles.source_control import SourceControl
from labtrain.roles.source_state import SourceState

bounds = st.one_of(st.just(math.inf), st.floats(1e-9, 100))
sizes = st.floats(1e-9, 100)


class Steps:
    """What the checks ask of a driver."""

    settle_seconds = 3e-4

    def range_maximum(self, quantity: str, full_scale: float) -> float:
        return 1.05 * full_scale

    def resolution(self, quantity: str, full_scale: float) -> float:
        return full_scale * 2.5e-5


def checks(limits: Limits) -> tuple[SourceChecks, SourceControl]:
    driver, envelope = Steps(), FixedEnvelope(limits, "a terminal")
    control: Any = SourceControl(driver, None, envelope, None, "smu", False)  # type: ignore[arg-type]
    return SourceChecks(driver, envelope, control, "smu"), control  # type: ignore[arg-type]


@st.composite
def states(draw: st.DrawFn) -> SourceState:
    return SourceState(
        mode=draw(st.sampled_from(["voltage", "current"])),
        output=draw(st.booleans()),
        source_voltage=draw(st.floats(-1, 1)),
        source_current=draw(st.floats(-1, 1)),
        compliance_current=draw(sizes),
        compliance_voltage=draw(sizes),
        source_voltage_range=draw(st.sampled_from([0.2, 2.0, 20.0])),
        source_current_range=draw(st.sampled_from([1e-6, 1e-4, 1.0])),
    )


@given(
    state=states(),
    limits=st.builds(Limits, voltage=bounds, current=bounds, power=bounds, step=bounds, slew=bounds),
    mode=st.sampled_from(["voltage", "current"]),
    share=st.one_of(st.floats(-1, 1), st.sampled_from([1.0, -1.0, 0.0, -0.0])),
)
def test_what_a_permit_accepts_every_check_accepts(
    state: SourceState, limits: Limits, mode: Any, share: float
) -> None:
    checking, control = checks(limits)
    try:
        checking.level(mode, 0.0, state)
    except LabtrainError:
        assume(False)
    permit = control.memory.permit
    assume(permit.state is state)
    level = share * permit.largest
    assume(permit.lowest <= level <= permit.largest)
    rounded = (level * permit.per_unit + ROUNDING - ROUNDING) / permit.per_unit
    now = state.source_voltage if mode == "voltage" else state.source_current
    assume(permit.step is None or abs(rounded - now) <= permit.step)
    accepted = checking.level(mode, level, replace(state, output=True))
    assert accepted == rounded and math.copysign(1.0, rounded) == math.copysign(1.0, accepted)


@given(st.floats(-(2.0**50), 2.0**50))
def test_rounding_by_addition_is_rounding(number: float) -> None:
    assert number + ROUNDING - ROUNDING == round(number)


def driven(bench: Bench) -> Any:
    meter = bench.source_meter("smu")
    bench.switch_matrix("matrix").close((1, 21))
    meter.configure("voltage", 0.9, 60e-6, 60e-6, 0.1)
    meter.output_enabled = True
    meter.source_voltage = 0.9
    return meter


def test_a_permit_ends_with_a_route(small: str) -> None:
    with Bench.open(small.encode()) as bench:
        assert bench.contact_check("reference", "top").ok
        assert bench.contact_check("sot", "top").ok
        meter = driven(bench)
        meter.source_voltage = 0.9
        meter.source_voltage = 0.0
        meter.output_enabled = False
        bench.switch_matrix("matrix").connect_only((1, 20))
        with pytest.raises(LimitExceeded, match=r"sot\.top"):
            meter.source_voltage = 0.9


@pytest.mark.parametrize(
    "change", [("compliance_current", 90e-6), ("source_voltage_range", 0.2), ("source_mode", "current")]
)
def test_a_permit_ends_with_a_limit_a_range_or_a_mode(small: str, change: tuple[str, Any]) -> None:
    text = small.replace('current = "100 uA", power = "100 uW"', 'current = "100 uA", power = "60 uW"')
    with Bench.open(text.encode()) as bench:
        assert bench.contact_check("reference", "top").ok
        meter = driven(bench)
        meter.source_voltage = 0.0
        if change[0] != "compliance_current":
            meter.output_enabled = False
        before = meter._memory.permit
        setattr(meter, *change)
        with pytest.raises(LabtrainError):  # above power / limit, above the range, or not stated
            meter.source_voltage = 0.9
            meter.output_enabled = True
        assert meter._memory.state is not before.state
