"""Any calls of a source meter's role in any order: no terminal above its limits."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from instruments_meters import METERS, Meter
from instruments_ready import OFFSET_VOLTS, TOLERANCE
from instruments_rigs import TIGHT, MeterRig

from labtrain.errors import (
    InstrumentError,
    LimitExceeded,
    UsageError,
)
from labtrain.roles import SourceMeter

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
