"""Ways a chip dies, numbered as in docs/safety.md, each judged on the world's stress record."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from labtrain.bench import Bench
from labtrain.bench.endurance import EnduranceBook
from labtrain.errors import CheckFailed, InstrumentStateChanged, LimitExceeded, UsageError

QUIET = 0.0205
"""A contact check's 20 mV and the 2450's error on its 200 mV range (0.015 % + 200 uV, data sheet)."""

RAW = ("seed = 7", "hazards.raw = true")
STEPS = ('power = "100 uW" }', 'power = "100 uW", step = "50 mV", slew = "1 kV/s" }')


@pytest.fixture
def bench(small: str) -> Iterator[Bench]:
    with Bench.open(small.replace(*RAW).replace(*STEPS).encode()) as bench:
        for name in ("reference", "sot"):
            assert bench.out_of_contact(name) == []
        yield bench


def stress(bench: Bench, terminal: str):
    return bench._connection.connector.world.world.stress[terminal]


@pytest.mark.parametrize("amplitude", [0.3, -0.3])
def test_2_an_armed_channel_idles_at_zero_for_both_polarities(bench: Bench, amplitude: float) -> None:
    pulser = bench.pulse_generator("pulser.1")
    pulser.arm(0.2 * np.sign(-amplitude), 20e-9)
    pulser.arm(amplitude, 20e-9)
    bench.clock.sleep(10.0)
    suffered = stress(bench, "sot.line")
    assert suffered.max_volts < 1e-6 and suffered.seconds_on == 0 and suffered.pulses == 0
    pulser.trigger()
    pulser.wait_complete()
    suffered = stress(bench, "sot.line")
    assert suffered.pulses == 1 and suffered.max_volts == pytest.approx(0.6 * 776 / 826, rel=0.02)


def test_3_bursts_are_counted_and_finite_and_never_clamped_up(bench: Bench) -> None:
    pulser = bench.pulse_generator("pulser.1")
    for count in (1, 3):  # the instrument's burst function needs two or more; a count of one is a trigger
        before = stress(bench, "sot.line").pulses
        pulser.pulse(0.3, 20e-9, count)
        bench.clock.sleep(10.0)
        assert stress(bench, "sot.line").pulses - before == count
    with pytest.raises(UsageError, match="smallest"):
        pulser.pulse(0.01, 20e-9)
    with pytest.raises(UsageError, match="continuous"):
        pulser.arm(0.3, 20e-9, trigger_source="continuous")
    assert stress(bench, "sot.line").pulses == 4


def test_4_a_limit_that_has_moved_keeps_the_output_off(bench: Bench) -> None:
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.1, 1e-6, 1e-6, 1.0)
        with pytest.raises(InstrumentStateChanged, match="limit"):
            meter.current_range = 1e-3  # a 2450 raises the limit to 106 uA, and says nothing
        with pytest.raises((LimitExceeded, InstrumentStateChanged)):
            meter.output_enabled = True
        assert not meter.output_enabled
    assert stress(bench, "reference.top").max_amperes < 3e-6  # the contact check's


def test_4_without_a_stated_limit_nothing_goes_on(bench: Bench) -> None:
    meter = bench.source_meter("smu")
    meter.source_mode = "current"
    with pytest.raises(LimitExceeded, match="no limit has been stated"):
        meter.output_enabled = True


def test_5_no_range_moves_under_an_output(bench: Bench) -> None:
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.output_enabled = True
        for change in (("source_voltage_range", 2.0), ("current_range", 1e-3), ("current_range_auto", True)):
            with pytest.raises(LimitExceeded, match="overshoots"):
                setattr(meter, *change)
    assert stress(bench, "reference.top").transients == 0
    assert stress(bench, "reference.top").max_volts < QUIET


def test_9_a_lifted_device_sees_twenty_millivolts_and_nothing_else(small: str) -> None:
    with Bench.open((small + '\n[faults]\ndead = ["neurons[1]"]\n').encode()) as bench:
        for _ in range(2):
            with (
                pytest.raises(CheckFailed, match=r"neurons\[1\].top") as caught,
                bench.route("neurons[1]", "top"),
            ):
                pass
        assert caught.value.exit_code == 1
        with bench.route("neurons[0]", "top"):
            pass
        assert stress(bench, "neurons[0].top").max_volts < QUIET


def test_9_nothing_is_driven_unchecked_by_the_roles_either(small: str) -> None:
    with Bench.open(small.encode()) as bench:
        meter = bench.source_meter("smu")
        bench.switch_matrix("matrix").close((1, 21))
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        with pytest.raises(LimitExceeded, match="before its contact"):
            meter.output_enabled = True
        with pytest.raises(LimitExceeded, match="sot"):
            bench.pulse_generator("pulser.1").pulse(0.2, 20e-9)
        assert stress(bench, "reference.top").seconds_on == stress(bench, "sot.line").pulses == 0


def test_9_a_bench_may_do_without(small: str) -> None:
    with Bench.open(small.replace("seed = 7", "hazards.contact_check = false").encode()) as bench:
        with bench.route("reference", "top"):
            pass
        assert stress(bench, "reference.top").seconds_on == 0


@pytest.mark.parametrize(
    ("levels", "what"),
    [([0.0, 0.04, 0.11], "step"), ([0.04, 0.08, 0.12], "step"), ([0.03, 1.2], "voltage")],
    ids=["a step in it", "the way back to zero", "a point in it"],
)
def test_11_every_point_and_every_step_of_a_sweep_counts(
    bench: Bench, levels: list[float], what: str
) -> None:
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.2, 20e-6, 20e-6, 1.0)
        with pytest.raises(LimitExceeded, match=what):
            meter.sweep(levels)
        with pytest.raises(LimitExceeded, match="step"):
            meter.source_voltage = 0.1
            meter.output_enabled = True
        meter.source_voltage = 0.0
        assert not np.isnan(meter.sweep([0.04, 0.08, 0.04]).amperes).any()
    assert stress(bench, "reference.top").max_volts < 0.0805


def test_12_a_meter_that_was_power_cycled_is_switched_off_and_named(bench: Bench) -> None:
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.output_enabled = True
        bench.raw("smu", "*RST")
        with pytest.raises(InstrumentStateChanged, match="not set as labtrain left it") as caught:
            meter.source_voltage = 0.04
        assert caught.value.exit_code == 3
    assert stress(bench, "reference.top").max_volts < QUIET


def test_14_pulses_are_charged_whoever_sends_them(small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = small.replace('power = "2.8 mW" }', 'power = "2.8 mW", total_pulses = "10" }')
    with Bench.open(text.encode()) as bench:
        assert bench.out_of_contact("sot") == []
        pulser, path = bench.pulse_generator("pulser.1"), bench.pulse_path("sot", "line")
        pulser.pulse(0.3, 20e-9, 4)
        path.pulse(0.5, 20e-9, 4)
        with pytest.raises(LimitExceeded, match="total pulses"):
            pulser.pulse(0.3, 20e-9, 4)
        with pytest.raises(LimitExceeded, match="from outside"):
            pulser.arm(0.3, 20e-9, trigger_source="external")
        pulser.arm(0.3, 20e-9, 2)
        charge = EnduranceBook.charge
        order: list[int] = []

        def noted(self, *arguments) -> None:
            order.append(stress(bench, "sot.line").pulses)
            charge(self, *arguments)

        monkeypatch.setattr(EnduranceBook, "charge", noted)
        pulser.trigger()
        assert order == [8], "charged before a pulse left"
        life = bench._book.life("sot.line")
        assert (life.pulses, life.stress_seconds) == (10, pytest.approx(200e-9))
        assert life.max_volts == pytest.approx(0.6 * 755 / 805, rel=0.01)
        assert bench._book.life("sot.top").ohm == pytest.approx(bench._contacts.found["sot.top"].ohm)


def test_a_pulse_does_not_leave_by_another_terminal(bench: Bench) -> None:
    """Found by the state machine: a pulse on the line went through the barrier into what hung on its row."""
    matrix, pulser = bench.switch_matrix("matrix"), bench.pulse_generator("pulser.1")
    matrix.close((1, 20))
    for column in (0, 1, 2, 3, 21):
        matrix.close((1, column))
    with pytest.raises(LimitExceeded, match=r"leave by top through matrix\.1,20"):
        pulser.pulse(0.6, 20e-9)
    assert stress(bench, "sot.line").pulses == 0
    matrix.open_all()
    bench.safe_state()
    pulser.pulse(0.6, 20e-9)
    assert stress(bench, "sot.top").max_amperes < 30e-6
