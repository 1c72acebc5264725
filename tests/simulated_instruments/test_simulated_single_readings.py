"""One reading in plain numbers is a sweep of one level, to the bit; what an output does while off."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_bench import WIRES, Bench, pairs, plan, single

from labtrain.clock import VirtualClock
from labtrain.wiring import ArrayPlan, Crosspoint, Wire
from simulated_instruments.series import OpenRoute, SeriesChain
from simulated_instruments.smu_accuracy import KEITHLEY_2450, Quantity, ReadingModel
from simulated_instruments.smu_specifications import KEITHLEY_2400, KEITHLEY_2602B
from simulated_instruments.sources import Mode
from simulated_instruments.world import World

TOP = {"top": "matrix.col0"}
DEVICES: dict[str, tuple[ArrayPlan, ...]] = {
    "resistor": (single("d", "resistor", TOP, resistance=10e3),),
    "short": (single("d", "short", TOP),),
    "open": (single("d", "open", TOP),),
    "diode": (single("d", "diode", TOP),),
    "neuron": (pairs(1),),
    "memristor": (single("d", "memristor", TOP),),
    "nothing": (),
}


def world_on(kind: str, seed: int) -> World:
    world = World(plan(DEVICES[kind], seed=seed), VirtualClock())
    world.add_meter("smu.hi", "smu.lo")
    world.set_contacts("matrix", [Crosspoint("matrix", 1, 0)])
    return world


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(DEVICES)),
    seed=st.integers(0, 2**32),
    mode=st.sampled_from(["voltage", "current"]),
    levels=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=6),
    limit=st.floats(0.01, 1.0),
    seconds=st.floats(1e-5, 1e-2),
)
def test_single_readings_are_the_sweeps(
    kind: str, seed: int, mode: Mode, levels: list[float], limit: float, seconds: float
) -> None:
    ours, theirs = world_on(kind, seed), world_on(kind, seed)
    scale = {"voltage": 0.3, "current": 40e-6}[mode]
    for world in (ours, theirs):
        port = world._circuits.meters[0]
        port.on, port.mode = True, mode
        port.limit = limit * (1e-4 if mode == "voltage" else 1.0)
        world.changed()
    assert isinstance(ours.circuit_of("smu.hi")[1], (SeriesChain, OpenRoute))
    for level in levels:
        meter = ours._circuits.meters[0]
        meter.level = scale * level
        ours.level_changed(meter)
        once = ours.measure(meter, seconds)
        swept = theirs.sweep(theirs._circuits.meters[0], np.array([scale * level]), seconds, 0.0)
        assert once == tuple(column[0] for column in swept)
    whole = world_on(kind, seed)
    port = whole._circuits.meters[0]
    port.on, port.mode, port.limit = True, mode, theirs._circuits.meters[0].limit
    columns = whole.sweep(port, scale * np.array(levels), seconds, 0.0)
    assert once == tuple(column[-1] for column in columns)  # the points of a batch do not feel each other


SHEETS = {"2450": KEITHLEY_2450, "2400": KEITHLEY_2400, "2602B": KEITHLEY_2602B}


@settings(max_examples=100, deadline=None)
@given(
    sheet=st.sampled_from(sorted(SHEETS)),
    seed=st.integers(0, 2**32),
    quantity=st.sampled_from(["VOLT", "CURR"]),
    truth=st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=8),
    size=st.sampled_from([1e-9, 1e-6, 1e-3, 1.0, 300.0]),
    place=st.integers(-1, 3),
    nplc=st.floats(0.001, 10.0),
    ideal=st.booleans(),
)
def test_one_reading_and_one_level_have_the_errors_of_many(
    sheet: str,
    seed: int,
    quantity: Quantity,
    truth: list[float],
    size: float,
    place: int,
    nplc: float,
    ideal: bool,
) -> None:
    values = size * np.array(truth)
    many, once = (ReadingModel(seed, "smu", ideal, SHEETS[sheet]) for _ in range(2))
    scales = SHEETS[sheet].full_scales[quantity]
    full_scale = None if place < 0 else scales[place]
    expected = many.read(quantity, full_scale, nplc, values)
    assert [once.read_once(quantity, full_scale, nplc, v) for v in values.tolist()] == expected.tolist()
    assert once.readings == many.readings == len(values)
    sourced = many.sourced(quantity, scales[-1], values).tolist()
    assert [once.sourced_once(quantity, scales[-1], v) for v in values.tolist()] == sourced


# an output that is off

BESIDE = (*WIRES, Wire("pulser.1", "matrix.row2"))


def loaded(state: Literal["NORM", "HIMP", "ZERO"]) -> tuple[float, Bench]:
    """A generator of 100 mV on a resistor of 10 kohm, a 2450 on the same column with its output off."""
    bench = Bench(plan(DEVICES["resistor"], wires=BESIDE))
    bench.smu(":SOUR:FUNC VOLT", ":SENS:CURR:RANG 1e-1", ":SOUR:VOLT:ILIM 0.1", f":OUTP:SMOD {state}")
    bench.route("1,0", "2,0")
    bench.pulser(":FUNC1 DC", ":OUTP1:LOAD INF", ":VOLT1:OFFS 0.1", ":OUTP1 ON")
    assert bench.errors("smu") == bench.errors("pulser") == []
    return bench.world.stress["d.top"].max_volts, bench


def test_only_high_impedance_lets_go_of_the_device() -> None:
    free, bench = loaded("HIMP")
    assert free == pytest.approx(0.1, rel=0.02)
    assert not bench.world._circuits.meters[0].on
    for state in ("NORM", "ZERO"):  # 0 V within 10 mA: the generator's 50 ohm are short-circuited
        held, bench = loaded(state)  # type: ignore[arg-type]
        assert held < 5e-3
        assert bench.world._circuits.meters[0].idle and bench.smu(":OUTP?") == "0"


def test_a_source_at_rest_is_limited_to_a_tenth_of_its_range() -> None:
    bench = Bench(plan(DEVICES["resistor"]))
    port = bench.world._circuits.meters[0]
    assert (port.on, port.idle, port.mode, port.level) == (True, True, "voltage", 0.0)  # as it wakes up
    bench.smu(":SENS:CURR:RANG 1e-4")
    assert port.limit == pytest.approx(1e-5)
    bench.smu(":OUTP:SMOD ZERO", ":SOUR:VOLT:ILIM 3e-4")
    assert port.limit == pytest.approx(3e-4)
    bench.smu(":OUTP:SMOD GUAR", ":SOUR:VOLT:RANG 2")
    assert (port.mode, port.level, port.limit) == ("current", 0.0, pytest.approx(0.2))
    bench.smu(":OUTP:SMOD NORM", ":SOUR:VOLT 1", ":OUTP ON")
    assert not port.idle and bench.world.outputs_on
    bench.smu(":OUTP OFF")
    assert port.idle and not bench.world.outputs_on
