"""Other people's drivers, unmodified, over a real socket: what they set is what the instrument holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from models_bench import Served, resistor

from labtrain.wiring import Wire

LINES = {"visa_library": "@py", "read_termination": "\n", "write_termination": "\n"}


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    opened: list[Served] = []

    def serve(model: str, *arrays: Any, **options: Any) -> Served:
        opened.append(Served(model, *arrays, mount="tcp", **options))
        return opened[-1]

    yield serve
    for one in opened:
        one.opened.close()


def pulser(one: Served) -> Any:
    return one.virtual.channel(1)


def test_pymeasure_agilent33500(served: Callable[..., Served]) -> None:
    from pymeasure.instruments.agilent import Agilent33500

    one = served("33522B", resistor("load", "one.1", 50.0))
    generator = Agilent33500(one.resource, **LINES)
    assert "33522B" in generator.id
    ch = generator.ch_1
    ch.shape, ch.pulse_period, ch.pulse_width, ch.pulse_transition = "PULS", 2e-3, 1e-6, 1e-8
    ch.voltage_high, ch.voltage_low, ch.output_load = 0.3, 0.0, 50
    ch.burst_state, ch.burst_mode, ch.burst_ncycles = True, "TRIG", 3
    generator.trigger_source = "BUS"
    ch.output = True
    generator.trigger()
    generator.wait_for_trigger(timeout=5)
    assert one.world.stress["load.top"].pulses == 3
    assert one.world.stress["load.top"].max_volts == pytest.approx(0.3, rel=0.03)
    for name in ("shape", "pulse_period", "pulse_width", "voltage_high", "burst_ncycles", "burst_state"):
        assert getattr(ch, name) == {
            "shape": "PULS", "pulse_period": 2e-3, "pulse_width": 1e-6, "voltage_high": 0.3,
            "burst_ncycles": 3, "burst_state": True,
        }[name]  # fmt: skip
    generator.ch_2.frequency, generator.ch_2.amplitude, generator.ch_2.offset = 1e6, 0.5, 0.1
    assert generator.ch_2.amplitude == pytest.approx(0.5) and generator.ch_2.offset == pytest.approx(0.1)
    generator.beep()
    assert generator.check_errors() == [] and one.errors() == []
    generator.adapter.close()


def test_pymeasure_keysight81160a(served: Callable[..., Served]) -> None:
    from pymeasure.instruments.keysight import Keysight81160A

    one = served("81160A", resistor("load", "one.1", 50.0))
    generator = Keysight81160A(one.resource, **LINES)
    ch = generator.ch_1
    ch.shape, ch.pulse_period, ch.pulse_width, ch.pulse_transition = "PULS", 1e-5, 1e-7, 2e-9
    ch.voltage_high, ch.voltage_low, ch.output_load = 0.4, 0.0, 50
    ch.limit_high, ch.limit_low, ch.limit_state_enabled = 0.5, -0.5, True
    ch.trigger_mode, ch.trigger_count = "MAN", 4
    ch.output = True
    generator.trigger()
    generator.wait_for_trigger(timeout=5)
    assert one.world.stress["load.top"].pulses == 4
    assert (ch.pulse_width, ch.voltage_high, ch.trigger_count) == (1e-7, pytest.approx(0.4), 4)
    ch.coupling_enabled = False
    ch.apply_pulse(1e5, 0.2, 0.1)
    assert pulser(one).port.on and pulser(one).period == pytest.approx(1e-5)
    assert one.errors() == []
    generator.adapter.close()


def test_pymeasure_keithley2700(served: Callable[..., Served]) -> None:
    from pymeasure.instruments.keithley import Keithley2700

    one = served("2700")
    logging.getLogger("pymeasure").setLevel(logging.CRITICAL)  # its word on the empty slot
    matrix = Keithley2700(one.resource, **LINES)
    assert matrix.cards[1] == "7709"
    matrix.closed_channels = [101, 110]
    assert matrix.closed_channels == [101, 110] and one.virtual.coils == {(1, 1), (2, 2)}
    assert matrix.get_state_of_channels([101, 102]) == "1, 0"
    matrix.close_rows_to_columns([3, 6], [4, 8], slot=1)
    assert one.virtual.coils == {(1, 1), (2, 2), (3, 4), (6, 8)}
    matrix.open_channels = [101]
    assert matrix.closed_channels == [110, 120, 148]
    matrix.display_closed_channels()
    assert matrix.text_enabled and matrix.display_text == "C: 10 20 48"
    matrix.open_all_channels()
    assert matrix.closed_channels == [] and one.virtual.coils == set()
    matrix.beep(500, 0.1)
    matrix.reset()
    assert matrix.check_errors() == [] and one.errors() == []
    matrix.adapter.close()


def test_qcodes_33522b(served: Callable[..., Served]) -> None:
    pytest.importorskip("qcodes", reason="QCoDeS is not installed (extra: compat)")
    from qcodes.instrument_drivers.Keysight import Keysight33522B

    one = served("33522B", resistor("load", "one.1", 50.0))
    generator = Keysight33522B("generator", one.resource, visalib="@py", silent=True, terminator="\n")
    try:
        ch = generator.ch1
        for name, value in {
            "function_type": "PULS",
            "amplitude": 0.2,
            "offset": 0.1,
            "pulse_width": 1e-7,
            "trigger_source": "BUS",
            "trigger_slope": "NEG",
            "trigger_count": 2,
            "trigger_delay": 0.0,
            "burst_mode": "N Cycle",
            "burst_ncycles": 7,
            "burst_state": "ON",
            "burst_phase": 0.0,
            "burst_int_period": 1e-3,
            "burst_polarity": "INV",
            "output_polarity": "NORM",
            "phase": 90.0,
            "amplitude_unit": "VPP",
            "frequency_mode": "CW",
            "output": "ON",
        }.items():
            parameter = getattr(ch, name)
            parameter(value)
            assert parameter.get() == (pytest.approx(value) if isinstance(value, float) else value), name
        generator.force_trigger()
        assert generator.ask("*OPC?") == "1"
        assert one.world.stress["load.top"].pulses == 7
        ch.burst_ncycles("INF")
        assert ch.burst_ncycles.get() == float("inf")
        assert generator.error() == (0, "No error")
    finally:
        generator.close()


def test_two_clients_of_one_instrument_see_one_state(served: Callable[..., Served]) -> None:
    from pymeasure.instruments.agilent import Agilent33500

    one = served("33522B", wires=(Wire("one.1", "ground"),))
    first, second = (Agilent33500(one.resource, **LINES) for _ in range(2))
    first.ch_1.voltage_high = 0.25
    assert first.ask("*OPC?") == "1"  # two connections have no order between them
    assert second.ch_1.voltage_high == pytest.approx(0.25)
    first.adapter.close()
    second.adapter.close()
