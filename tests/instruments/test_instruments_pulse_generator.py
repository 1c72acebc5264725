"""The contract of the pulse generator role, over every model; judged on bytes and on the stress record."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instruments_calls import mounted
from instruments_rigs import PulserRig

from labtrain.errors import InstrumentError, InstrumentStateChanged, LimitExceeded, UsageError
from labtrain.limits import Limits
from labtrain.roles import PulseGenerator

HALF_VOLT = Limits(voltage=0.5, current=20e-3)
MODELS = ("81160A", "33522B")
MOUNTS = ("in-process", "tcp", "replayed")
READ_BACK = {"81160A": (b":ARM:SOUR1?", b":TRIG1:COUN?"), "33522B": (b":TRIG1:SOUR?", b":BURS:NCYC?")}
FREE_RUNNING = {
    "81160A": (b":ARM:SOUR1 MAN\n", b":ARM:SOUR1 IMM\n"),
    "33522B": (b":BURS:MODE TRIG;PHAS 0;STAT 1\n", b":BURS:MODE TRIG;PHAS 0;STAT 0\n"),
}
LIMITED = {"81160A": b":VOLT1:LIM:STAT 1\n", "33522B": b":LIM:HIGH 0.25;LOW -0.25;STAT 1\n"}
LEVEL = re.compile(rb".*:VOLT1?:(HIGH|LOW) ")

every_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(params=[(model, mount) for model in MODELS for mount in MOUNTS], ids="-".join)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PulserRig]:
    model, mount = request.param
    with mounted(lambda stage: PulserRig(model, limits=HALF_VOLT, stage=stage), mount, tmp_path) as rig:
        yield rig


def position(messages: list[bytes], piece: bytes) -> int:
    """Where the first message stands that contains ``piece``."""
    return next(i for i, message in enumerate(messages) if piece in message)


def test_opening_sends_nothing(rig: PulserRig) -> None:
    assert rig.heard == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_pulse_reaches_the_device_nearly_doubled(rig: PulserRig, sign: int, n: int) -> None:
    rig.pulser.pulse(sign * 0.2, 100e-9, n)
    stress = rig.stress("load.top")
    assert stress.pulses == n
    assert stress.max_volts == pytest.approx(0.4 * 4e3 / 4.051e3, rel=5e-3)
    assert stress.seconds_on == pytest.approx(n * 100e-9, rel=0.1)  # and not a moment at the idle level


def test_the_doubling_counts_against_the_limit(rig: PulserRig) -> None:
    """A 0.5 V device limit refuses a 0.26 V pulse at the 50 ohm setting."""
    with pytest.raises(LimitExceeded, match="open-circuit") as caught:
        rig.pulser.pulse(0.26, 100e-9)
    assert caught.value.exit_code == 4 and rig.heard == []
    rig.pulser.pulse(0.25, 100e-9)
    assert rig.stress("load.top").max_volts <= 0.5


@every_model
def test_a_high_impedance_setting_is_not_doubled(model: str) -> None:
    rig = PulserRig(model, limits=HALF_VOLT, load_ohms=math.inf)
    rig.pulser.pulse(0.499, 100e-9)
    assert rig.stress("load.top").max_volts == pytest.approx(0.499 * 4e3 / 4.051e3, rel=5e-3)
    with pytest.raises(LimitExceeded):
        rig.pulser.pulse(0.51, 100e-9)
    rig.close()


@every_model
@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (Limits(voltage=0.39), "voltage"),
        (Limits(current=7e-3), "current"),
        (Limits(power=7e-4), "power"),
        (Limits(pulse_width=99e-9), "width"),
        (Limits(pulse_energy=7e-11), "energy"),
        (Limits(duty=0.09), "duty"),
    ],
)
def test_every_limit_refuses_and_sends_nothing(model: str, limit: Limits, name: str) -> None:
    rig = PulserRig(model, limits=limit)
    with pytest.raises(LimitExceeded, match=name):
        rig.pulser.pulse(0.2, 100e-9)
    assert rig.heard == []
    rig.close()


@pytest.mark.parametrize("amplitude", [0.0, "a little less", "-a little less", math.nan, math.inf, "0.2 V"])
def test_amplitudes_that_cannot_be_are_refused_never_clamped(rig: PulserRig, amplitude: object) -> None:
    smallest = rig.pulser.minimum_amplitude
    amplitude = {"a little less": 0.98 * smallest, "-a little less": -0.98 * smallest}.get(
        amplitude, amplitude
    )
    with pytest.raises(UsageError) as caught:
        rig.pulser.pulse(amplitude, 100e-9)
    assert caught.value.remedy and rig.heard == []


@pytest.mark.parametrize("width", [1.4e-9, 1e-12, 0.0, -1.0, math.nan, math.inf])
def test_widths_that_cannot_be_are_refused_never_clamped(rig: PulserRig, width: float) -> None:
    with pytest.raises(UsageError):
        rig.pulser.pulse(0.2, width)
    assert rig.heard == []


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_counts_that_cannot_be_are_refused(rig: PulserRig, n: int) -> None:
    with pytest.raises(UsageError):
        rig.pulser.pulse(0.2, 1e-7, n)
    assert rig.heard == []


def test_there_is_no_continuous_mode(rig: PulserRig) -> None:
    with pytest.raises(UsageError, match="continuous"):
        rig.pulser.arm(0.2, 1e-7, trigger_source="continuous")
    with pytest.raises(LimitExceeded, match="armed"):
        rig.pulser.output_enabled = True
    with pytest.raises(LimitExceeded, match="armed"):
        rig.pulser.trigger()
    assert rig.heard == []


def test_the_output_goes_on_last_after_reading_back(rig: PulserRig) -> None:
    rig.pulser.arm(0.2, 1e-7, 3)
    assert rig.pulser.identity
    on = rig.heard.index(b":OUTP1 1\n")
    for question in (*READ_BACK[rig.model], b":HIGH?", b":LOW?", b":OUTP1:POL?"):
        assert position(rig.heard, question) < on
    assert position(rig.heard, LIMITED[rig.model]) < on
    assert rig.sent()[-1] == b":OUTP1 1\n"
    assert not any(b"*WAI" in m for m in rig.heard)


def test_the_instruments_own_limits_are_set(rig: PulserRig) -> None:
    rig.pulser.arm(0.2, 1e-7)
    channel = rig.virtual.channel(1)
    assert rig.pulser.identity and channel.limited
    assert channel.limit_high == pytest.approx(0.5) and channel.limit_low == pytest.approx(-0.5)


def test_an_armed_pulse_is_fired_again_without_setting_up(rig: PulserRig) -> None:
    rig.pulser.pulse(0.2, 1e-7)
    rig.heard.clear()
    for _ in range(3):
        rig.pulser.pulse(0.2, 1e-7)
    assert rig.sent() == [b"*TRG\n"] * 3
    assert rig.stress("load.top").pulses == 4


LEFT_BEHIND = {
    "81160A": (
        ":TRAC:CHAN1 ON",
        ":VOLT1:HIGH 0.4;:VOLT1:LOW -0.4;:VOLT1:LIM:HIGH 0.5;:VOLT1:LIM:LOW -0.5;:VOLT1:LIM:STAT 1",
        ":OUTP1:POL INV;:BURS1:MODE GAT;:BURS1:NCYC 9;:BURS1:STAT 1;:ARM:SOUR1 INT2",
    ),
    "33522B": (
        "SOUR1:FUNC PULS;:SOUR1:VOLT:HIGH 0.4;:SOUR1:VOLT:LOW -0.4;:OUTP1:LOAD INF",
        "SOUR1:VOLT:LIM:HIGH 0.9;LOW -0.9;STAT 1",
        "OUTP1:POL INV;:SOUR1:BURS:MODE GAT;:SOUR1:BURS:NCYC 9;:TRIG1:SOUR TIM",
    ),
}
"""What another program has left an instrument in."""


@every_model
def test_what_another_program_left_behind_harms_nothing(model: str) -> None:
    rig = PulserRig(model, limits=HALF_VOLT)
    for line in LEFT_BEHIND[model]:
        rig.virtual.handle(line.encode() + b"\n")
    assert rig.virtual.errors.codes() == []
    rig.second.arm(0.05, 1e-7)
    rig.second.shutdown()
    rig.pulser.pulse(0.2, 1e-7, 3)
    assert rig.virtual.errors.codes() == []
    stress = rig.stress("load.top")
    assert stress.pulses == 3 and stress.max_volts == pytest.approx(0.4 * 4e3 / 4.051e3, rel=5e-3)
    assert rig.virtual.channel(2).high == pytest.approx(2 * 0.05)  # an EMF: the other channel's own still
    rig.close()


@every_model
def test_an_instrument_that_would_run_for_ever_stays_off(model: str) -> None:
    rig = PulserRig(model, limits=HALF_VOLT)
    link, plain = rig.link_port._link, rig.link_port._link._handle
    link._handle = lambda m: plain(m.replace(*FREE_RUNNING[model]))
    with pytest.raises(InstrumentStateChanged, match="continuous"):
        rig.pulser.pulse(0.2, 1e-7)
    assert not rig.virtual.channel(1).port.on and rig.stress("load.top").max_volts == 0
    rig.close()


def test_a_trigger_never_fires_the_other_channel_too(rig: PulserRig) -> None:
    rig.second.arm(0.1, 1e-7)
    rig.pulser.arm(0.2, 1e-7)
    with pytest.raises(LimitExceeded, match="channel 2"):
        rig.pulser.trigger()
    rig.second.shutdown()
    rig.pulser.trigger()
    rig.pulser.wait_complete()
    assert rig.stress("load.top").pulses == 1 and rig.stress("other.top").pulses == 0


def test_a_burst_longer_than_the_timeout_is_refused(rig: PulserRig) -> None:
    rig.pulser.arm(0.2, 1e-3, 100)
    with pytest.raises(UsageError, match="time-out"):
        rig.pulser.wait_complete(timeout=0.1)


def test_a_role_is_final() -> None:
    with pytest.raises(TypeError, match="final"):
        type("Mine", (PulseGenerator,), {})


_numbers = st.one_of(
    st.floats(-1, 1),
    st.floats(1e-9, 1e-5),
    st.sampled_from([0.05, 0.25, 1.5e-9, 1e-3, math.nan, math.inf, 5.0]),
)
_calls = st.one_of(
    st.tuples(st.just("pulse"), st.tuples(_numbers, _numbers, st.integers(-1, 4))),
    st.tuples(st.just("pulse"), st.tuples(st.floats(-0.25, 0.25), st.floats(2e-9, 1e-5), st.integers(1, 4))),
    st.tuples(st.just("arm"), st.tuples(_numbers, _numbers)),
    st.tuples(st.just("trigger"), st.tuples()),
    st.tuples(st.just("wait_complete"), st.tuples()),
    st.tuples(st.just("shutdown"), st.tuples()),
    st.tuples(st.just("output_enabled"), st.booleans()),
)


@every_model
@settings(max_examples=60)
@given(calls=st.lists(_calls, min_size=1, max_size=10), load=st.sampled_from([50.0, 1e3, math.inf]))
def test_no_sequence_of_calls_takes_a_terminal_above_its_limits(
    model: str, calls: list[tuple], load: float
) -> None:
    rig = PulserRig(model, limits=HALF_VOLT, load_ohms=load)
    fired = 0
    for verb, arguments in calls:
        try:
            if verb == "output_enabled":
                rig.pulser.output_enabled = arguments
            else:
                getattr(rig.pulser, verb)(*arguments)
        except (LimitExceeded, UsageError, InstrumentError):
            continue
    fired = sum(m == b"*TRG\n" for m in rig.heard)
    rig.clock.sleep(10.0)
    stress = rig.stress("load.top")
    assert stress.max_volts <= 0.5 * 1.001
    assert stress.pulses <= 4 * fired
    for message in rig.heard:
        if LEVEL.match(message):
            volts = float(message.split()[1])
            assert abs(volts) * rig.pulser.emf_factor <= 0.5 * (1 + 1e-9)
    assert not rig.virtual.channel(1).port.on or rig.virtual.channel(1).port.emf == 0
    rig.close()
