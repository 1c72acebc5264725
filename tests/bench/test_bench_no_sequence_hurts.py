"""No sequence of public calls takes any terminal above its limit: judged on the world's stress record."""

from __future__ import annotations

from contextlib import suppress

import pytest
from bench_models import bench_text, combinations
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from labtrain.bench import Bench
from labtrain.bench.envelopes import ChannelEnvelope
from labtrain.errors import LabtrainError
from labtrain.limits import Limits

SLACK = 1.005
"""Sources err by up to 0.02 % of value and their offset; a limit is programmed, not calibrated."""

levels = st.one_of(
    st.floats(-2, 2), st.floats(-1e-4, 1e-4), st.sampled_from([0.0, 0.3, 0.5, 1.0, 60e-6, 21.0, float("nan")])
)
positive = st.one_of(
    st.floats(1e-9, 2), st.sampled_from([0.3, 0.5, 60e-6, 1e-6, 21.0, float("inf"), float("nan")])
)
columns = st.integers(0, 6)
rows = st.sampled_from([0, 1, 1, 1, 2])
terminals = st.sampled_from(
    [("neurons[0]", "top"), ("neurons[1]", "top_pair"), ("sot", "top"), ("reference", "top")]
)


class Chip(RuleBasedStateMachine):
    models = ("2450", "81160A", "serial-matrix")

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench.open(bench_text(*self.models).encode())
        self.world = self.bench._connection.connector.world.world
        self.smu, self.matrix = self.bench.source_meter("smu"), self.bench.switch_matrix("matrix")
        self.pulser = self.bench.pulse_generator("pulser.1")

    @initialize(known=st.booleans())
    def contact(self, known: bool) -> None:
        if known:
            for device in self.bench.select("neurons,sot,reference"):
                assert self.bench.out_of_contact(device) == []

    def place(self, row: int, column: int) -> tuple[int, int]:
        return self.matrix.rows.start + row, self.matrix.columns.start + column

    def teardown(self) -> None:
        self.bench.close()
        self.unhurt()

    @rule(row=rows, column=columns)
    def close(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.close(self.place(row, column))

    @rule(row=rows, column=columns)
    def open(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.open(self.place(row, column))

    @rule(row=rows, column=columns)
    def connect_only(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.connect_only(self.place(row, column))

    @rule(mode=st.sampled_from(["voltage", "current"]), span=positive, limit=positive, measured=positive)
    def configure(self, mode: str, span: float, limit: float, measured: float) -> None:
        with suppress(LabtrainError):
            self.smu.configure(mode, span, limit, measured, 0.1)

    @rule(
        name=st.sampled_from(
            ["source_voltage", "source_current", "compliance_current", "compliance_voltage"]
            + ["source_voltage_range", "source_current_range", "voltage_range", "current_range"]
        ),
        value=levels,
    )
    def set(self, name: str, value: float) -> None:
        with suppress(LabtrainError):
            setattr(self.smu, name, value)

    @rule(on=st.booleans())
    def output(self, on: bool) -> None:
        with suppress(LabtrainError):
            self.smu.output_enabled = on

    @rule(mode=st.sampled_from(["voltage", "current"]), column=columns)
    def drive_then_move_a_relay(self, mode: str, column: int) -> None:
        with suppress(LabtrainError):
            span, limit, level = (0.3, 20e-6, 0.2) if mode == "voltage" else (20e-6, 0.3, 20e-6)
            self.smu.configure(mode, span, limit, limit, 0.1)
            self.smu.output_enabled = True
            setattr(self.smu, f"source_{mode}", level)
        for move in (self.matrix.close, self.matrix.open):
            with suppress(LabtrainError):
                move(self.place(1, column))

    @rule(several=st.lists(levels, min_size=1, max_size=5))
    def sweep(self, several: list[float]) -> None:
        with suppress(LabtrainError):
            self.smu.sweep(several)

    @rule(level=levels, count=st.integers(1, 4), interval=st.sampled_from([0.0, 0.1, 100.0]))
    def digitise(self, level: float, count: int, interval: float) -> None:
        with suppress(LabtrainError):
            self.bench.digitizer(self.smu.name).acquire(level, count, interval)

    @rule(amplitude=levels, width=st.floats(1e-9, 1e-7), count=st.integers(1, 3))
    def pulse(self, amplitude: float, width: float, count: int) -> None:
        with suppress(LabtrainError):
            self.pulser.pulse(amplitude, width, count)

    @rule(volts=levels, width=st.floats(1e-9, 1e-7), count=st.integers(1, 3))
    def pulse_at_the_device(self, volts: float, width: float, count: int) -> None:
        with suppress(LabtrainError):
            self.bench.pulse_path("sot", "line").pulse(volts, width, count)

    @rule(place=terminals, amperes=st.floats(-6e-5, 6e-5), volts=st.floats(0.01, 1))
    def route(self, place: tuple[str, str], amperes: float, volts: float) -> None:
        with suppress(LabtrainError), self.bench.route(*place) as meter:
            meter.configure("current", abs(amperes) or 1e-6, volts, volts, 0.1)
            meter.sweep([amperes])

    @rule()
    def safe(self) -> None:
        self.bench.safe_state()
        assert self.world.stress and not self.world.closed_relays
        assert not self.world.outputs_on

    @invariant()
    def unhurt(self) -> None:
        stress = self.world.stress
        for array in self.bench.plan.arrays.values():
            for device in array.devices:
                for terminal in device.terminals.values():
                    self._judge(stress[f"{device.name}.{terminal.name}"], terminal.limits)

    @staticmethod
    def _judge(suffered, limits) -> None:
        assert suffered.max_volts <= limits.voltage * SLACK
        assert suffered.max_amperes <= limits.current * SLACK
        assert suffered.max_watts <= limits.power * SLACK
        assert suffered.max_pulse_joules <= limits.pulse_energy * SLACK
        assert suffered.pulses <= limits.total_pulses
        assert not suffered.broken and suffered.transients == 0


def run(models: tuple[str, str, str], examples: int, steps: int) -> None:
    chip = type("Chip", (Chip,), {"models": models})
    run_state_machine_as_test(
        chip,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("models", combinations(), ids="+".join)
def test_no_sequence_of_public_calls_takes_a_terminal_above_its_limit(models: tuple[str, str, str]) -> None:
    run(models, 15, 30)


def test_the_machine_would_notice_limits_that_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Chip()
    chip.contact(True)
    chip.unhurt()
    monkeypatch.setattr(ChannelEnvelope, "limits", lambda self: (Limits(), "nowhere"))
    chip.close(1, 4)
    chip.configure("voltage", 1.0, 100e-6, 100e-6)
    chip.output(True)
    chip.set("source_voltage", 0.4)
    with pytest.raises(AssertionError):
        chip.unhurt()
    chip.bench.close()


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("models", combinations(), ids="+".join)
def test_no_sequence_in_a_hundred_thousand_steps(models: tuple[str, str, str]) -> None:
    run(models, 1000, 100)
