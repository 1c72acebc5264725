"""No sequence of public calls takes any terminal above its limit: judged on the world's stress record."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from labtrain.bench import Bench
from labtrain.errors import LabtrainError

SLACK = 1.005
"""Sources err by up to 0.02 % of value and their offset; a limit is programmed, not calibrated."""

levels = st.one_of(
    st.floats(-2, 2), st.floats(-1e-4, 1e-4), st.sampled_from([0.0, 0.3, 0.5, 1.0, 60e-6, 21.0, float("nan")])
)
positive = st.one_of(
    st.floats(1e-9, 2), st.sampled_from([0.3, 0.5, 60e-6, 1e-6, 21.0, float("inf"), float("nan")])
)
columns = st.sampled_from([0, 1, 2, 3, 20, 21, 22])
rows = st.sampled_from([0, 1, 2])
terminals = st.sampled_from(
    [("neurons[0]", "top"), ("neurons[1]", "top_pair"), ("sot", "top"), ("reference", "top")]
)


class Chip(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench.open("demo")
        self.world = self.bench._connection.connector.world.world
        self.smu, self.matrix = self.bench.source_meter("smu"), self.bench.switch_matrix("matrix")
        self.pulser = self.bench.pulse_generator("pulser.1")

    def teardown(self) -> None:
        self.bench.close()
        self.unhurt()

    @rule(row=rows, column=columns)
    def close(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.close((row, column))

    @rule(row=rows, column=columns)
    def open(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.open((row, column))

    @rule(row=rows, column=columns)
    def connect_only(self, row: int, column: int) -> None:
        with suppress(LabtrainError):
            self.matrix.connect_only((row, column))

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
                move((1, column))

    @rule(several=st.lists(levels, min_size=1, max_size=5))
    def sweep(self, several: list[float]) -> None:
        with suppress(LabtrainError):
            self.smu.sweep(several)

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
        assert self.world.stress and not any(self.world._contacts.values())
        assert not any(port.on for port in (*self.world._meters, *self.world._generators))

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
        assert not suffered.broken and suffered.transients == 0


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Chip,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_public_calls_takes_a_terminal_above_its_limit() -> None:
    run(15, 30)


@pytest.mark.slow
def test_no_sequence_in_a_hundred_thousand_steps() -> None:
    run(1000, 100)
