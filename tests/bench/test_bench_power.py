"""An instrument whose power has been off is noticed by its power-on bit: a clear error, and a safe bench."""

from __future__ import annotations

from typing import Any

import pytest

from labtrain.bench import Bench
from labtrain.errors import InstrumentStateChanged, InstrumentTimeout
from labtrain.session.sink import NullSink

MODELS = {"2450": "smu.hi", "2400": "smu.hi", "2602B": "smu.a.hi"}


def virtual(bench: Bench, alias: str) -> Any:
    return bench._connection.connector.world._instruments[alias]


def is_safe(world: Any) -> bool:
    assert world.stress  # time has caught up: relays that were told to open have opened
    return not world.outputs_on and not world.closed_relays


class Documents(NullSink):
    def __init__(self) -> None:
        super().__init__()
        self.noted: dict[str, Any] = {}

    def document(self, name: str, value: Any) -> None:
        self.noted[name] = value


def test_the_record_says_who_was_switched_on_before(small: str) -> None:
    sink = Documents()
    with Bench.open(small.encode(), sink=sink):
        pass
    assert sink.noted["instruments/smu"]["power_was_off"] is True
    assert sink.noted["instruments/matrix"]["power_was_off"] is False  # it cannot say


def scripted(small: str, alias: str, at: int) -> bytes:
    return f'{small}\n[[faults.instruments.{alias}]]\nkind = "power-cycle"\nat = {at}\n'.encode()


@pytest.mark.parametrize("model", MODELS)
def test_a_meter_that_comes_back_is_switched_off_and_named(small: str, model: str) -> None:
    text = small.replace('"2450"', f'"{model}"').replace('wires."smu.hi"', f'wires."{MODELS[model]}"')
    with Bench.open(text.encode()) as bench, bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.output_enabled = True
        meter.source_voltage = 0.1
        virtual(bench, "smu").power_cycle()
        bench._connection.ports["smu"].incidents += 1  # the link was lost, and is there again
        with pytest.raises(InstrumentStateChanged, match="power has been off") as caught:
            meter.source_voltage = 0.05
        assert caught.value.exit_code == 3 and not meter.output_enabled
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.output_enabled = True
        assert meter.measure().volts == pytest.approx(0.0, abs=1e-3)


def test_power_lost_with_a_reply_under_way(small: str) -> None:
    found = []
    for at in range(30, 90, 7):  # wherever in a run it happens
        with pytest.raises((InstrumentTimeout, InstrumentStateChanged)) as caught:
            with Bench.open(scripted(small, "smu", at)) as bench:
                world = bench._connection.connector.world.world
                for _ in range(20):
                    with bench.route("reference", "top") as meter:
                        meter.configure("voltage", 0.1, 20e-6, 20e-6, 0.1)
                        meter.sweep([0.02, 0.1])
        assert is_safe(world)
        found.append(caught.type)
    assert InstrumentTimeout in found


def test_nobody_looks_until_the_end_and_still_it_is_told(small: str) -> None:
    with pytest.raises(InstrumentStateChanged, match="while the bench was open") as caught:
        with Bench.open(small.encode()) as bench, bench.route("reference", "top"):
            world = bench._connection.connector.world.world
            virtual(bench, "pulser").power_cycle()
    assert caught.value.instrument == "pulser"
    assert is_safe(world)


def test_a_generator_that_comes_back_does_not_fire(small: str) -> None:
    with Bench.open(small.encode()) as bench:
        assert bench.out_of_contact("sot") == []
        pulser = bench.pulse_generator("pulser.1")
        pulser.pulse(0.3, 20e-9)
        virtual(bench, "pulser").power_cycle()  # a sine, and for ever, as soon as it is on
        bench._connection.ports["pulser"].incidents += 1
        with pytest.raises(InstrumentStateChanged, match="power has been off"):
            pulser.arm(0.3, 20e-9)
        world = bench._connection.connector.world.world
        assert not world.outputs_on
        before = world.stress["sot.line"].pulses
        pulser.pulse(0.3, 20e-9, 2)  # armed anew, from nothing
        assert world.stress["sot.line"].pulses == before + 2
        assert pulser.settings.count == 2
