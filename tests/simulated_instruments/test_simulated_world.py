"""Laws of the world behind the instruments: Kirchhoff, routes, the short cut, wear, resuming."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_bench import WIRES, Bench, chip, pairs, plan, single

from labtrain import populations
from labtrain.clock import VirtualClock
from labtrain.errors import UsageError
from labtrain.physics import neuron
from labtrain.wiring import Crosspoint, Faults, Wire
from simulated_instruments.circuit import attenuator
from simulated_instruments.nodal import Drive, NodalSystem
from simulated_instruments.series import OpenRoute, SeriesChain, shorten
from simulated_instruments.sources import MeterPort
from simulated_instruments.world import World


def world_with(*crosspoints: tuple[int, int], **more: object) -> tuple[World, MeterPort]:
    """A bare world, one meter that is on, some relays closed; no instrument between."""
    world = World(plan(**more), VirtualClock())  # type: ignore[arg-type]
    port = world.add_meter("smu.hi", "smu.lo")
    port.on = True
    world.set_contacts("matrix", [Crosspoint("matrix", r, c) for r, c in crosspoints])
    return world, port


LEVELS = st.lists(st.floats(-45e-6, 45e-6), min_size=1, max_size=5)
VOLTS = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), levels=LEVELS, limit=st.floats(0.02, 1.0), reverse=st.booleans())
def test_the_short_cut_is_the_full_solve_under_current(
    seed: int, levels: list[float], limit: float, reverse: bool
) -> None:
    # A falling V(I) has several operating points at one voltage, so its limit is kept out of reach.
    arrays = [pairs(1, polarity=-1.0 if reverse else 1.0)]
    drive = Drive("current", np.array(levels), 5.0 if reverse else limit)
    assert_short_cut_is_full_solve(seed, arrays, drive)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), levels=VOLTS, limit=st.floats(1e-6, 1e-3))
def test_the_short_cut_is_the_full_solve_under_voltage(seed: int, levels: list[float], limit: float) -> None:
    assert_short_cut_is_full_solve(seed, [pairs(1)], Drive("voltage", np.array(levels), limit))


def assert_short_cut_is_full_solve(seed: int, arrays: list, drive: Drive) -> None:
    world, port = world_with((1, 0), arrays=arrays, seed=seed)
    circuit, chain = world.circuit_of(port.hi)
    assert isinstance(chain, SeriesChain)
    quick, full = chain.solve(drive), NodalSystem(circuit).solve([drive], [])
    # The full solve's nodes leak 1e-13 S, and 1 mohm wires limit it to some 1e-13 A: at a neuron's step,
    # of some ten kilohm, that is some 1e-9 V.
    for name, scale in (
        ("volts", 5e-9),
        ("amperes", 1e-12),
        ("branch_volts", 5e-9),
        ("branch_amperes", 1e-12),
    ):
        assert np.abs(getattr(quick, name) - getattr(full, name)).max() <= scale, name
    away = np.abs(np.abs(quick.volts if drive.mode == "current" else quick.amperes) - drive.limit) > 1e-9
    assert np.array_equal(quick.limited | ~away, full.limited | ~away)
    emf = np.full(quick.branch_volts.shape, 1e-6)
    for one, other in zip(quick.disturbed(emf), full.disturbed(emf), strict=True):
        assert other == pytest.approx(one, rel=1e-6, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    relays=st.sets(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 2, 20, 21])), max_size=8),
    level=st.floats(-0.3, 0.3),
    emf=st.floats(-0.5, 0.5),
)
def test_kirchhoffs_current_law_at_every_node(relays: set[tuple[int, int]], level: float, emf: float) -> None:
    world = World(plan(), VirtualClock())
    meter, generator = world.add_meter("smu.hi", "smu.lo"), world.add_generator("pulser.1")
    meter.on = generator.on = True
    meter.level, meter.limit, generator.emf = level, 1e-3, emf
    world.set_contacts("matrix", [Crosspoint("matrix", r, c) for r, c in relays])
    circuit, _ = world.circuit_of("smu.hi")
    system = NodalSystem(circuit)
    drives = [Drive(m.mode, np.array([m.level]), m.limit) for m in circuit.meters]
    emfs = [g.emf for g in circuit.generators]
    kinds = np.array([[d.mode == "current" for d in drives]])
    values = np.array([[d.levels[0] for d in drives]])
    points = system.solve(drives, emfs)
    if points.limited.any():
        kinds = points.limited ^ kinds
        values = np.where(points.limited, points.amperes, values)
    x = system._newton(np.zeros((1, system._n + system._m + system._s)), kinds, values, emfs)
    residual, _ = system._equations(x, kinds, values, emfs)
    assert np.abs(residual[:, : system._n]).max() / 1e3 < 1e-12  # amperes, at every node
    assert np.abs(residual[:, system._n :]).max() < 1e-9  # volts, at every branch and source


def test_a_neuron_reads_what_its_physics_says() -> None:
    world, port = world_with((1, 1), arrays=[pairs(2)])
    chip_of_two = populations.draw("mtj-neuron-pair", 1, 2, {"mismatch": 0.05}, "neurons")
    levels = np.linspace(-40e-6, 40e-6, 41)
    port.mode, port.limit = "current", 1.0
    volts, _, _ = world.sweep(port, levels, 1e6, 0.0)  # a long aperture: no telegraph noise left
    expected = neuron.mean_voltage(chip_of_two.cell(1), levels)  # column 1: the partner of pair 0
    series = 0.5 + 1e-3 + 0.1 + 1.0  # lead, return, relay, contact
    assert volts == pytest.approx(expected + levels * series, abs=2e-7)


def test_noise_is_a_function_of_cell_and_reading() -> None:
    levels = np.linspace(10e-6, 40e-6, 30)

    def run(pieces: list[int]) -> np.ndarray:
        world, port = world_with((1, 0), arrays=[pairs(2)])
        port.mode, port.limit = "current", 1.0
        parts, start = [], 0
        for size in pieces:
            parts.append(world.sweep(port, levels[start : start + size], 2e-4, 0.0)[0])
            start += size
        return np.concatenate(parts)

    whole, split = run([30]), run([1, 7, 22])
    assert np.array_equal(whole, split)
    population = populations.draw("mtj-neuron-pair", 1, 2, {"mismatch": 0.05}, "neurons")
    from labtrain import noise

    draws = noise.normal(population.seed, population.stream("read"), 0, np.arange(30))
    expected = neuron.mean_voltage(population.cell(0), levels)
    expected = expected + neuron.window_noise(population.cell(0), levels, 2e-4) * draws
    assert whole == pytest.approx(expected + levels * 1.601, abs=1e-9)


def test_closed_then_opened_restores_open_circuit() -> None:
    world, port = world_with(arrays=[pairs(2)])
    port.level, port.limit = 0.1, 1e-3
    before = world.measure(port, 0.02)
    world.set_contacts("matrix", [Crosspoint("matrix", 1, 0), Crosspoint("matrix", 1, 2)])
    assert abs(world.measure(port, 0.02)[1]) > 1e-5
    world.set_contacts("matrix", [])
    assert world.measure(port, 0.02) == before
    assert abs(before[1]) < 1e-12
    assert isinstance(shorten(world.circuit_of(port.hi)[0]), OpenRoute)


def test_two_closed_columns_share_the_current() -> None:
    two = [single("a", "resistor", {"top": "matrix.col0"}, resistance=10e3)]
    two += [single("b", "resistor", {"top": "matrix.col1"}, resistance=30e3)]
    world, port = world_with((1, 0), (1, 1), arrays=two)
    port.mode, port.level, port.limit = "current", 40e-6, 5.0
    world.changed()
    stress = world.stress
    assert stress["a.top"].max_amperes == pytest.approx(30e-6, rel=1e-3)
    assert stress["b.top"].max_amperes == pytest.approx(10e-6, rel=1e-3)


def test_a_sneak_path_through_a_second_row_leaks() -> None:
    two = [single("a", "resistor", {"top": "matrix.col0"}, resistance=10e3)]
    two += [single("b", "resistor", {"top": "matrix.col1"}, resistance=10e3)]
    world, port = world_with((1, 0), (2, 0), (2, 1), arrays=two)  # row 1 -> col 0 -> row 2 -> col 1
    port.mode, port.level, port.limit = "current", 40e-6, 5.0
    world.changed()
    assert world.stress["b.top"].max_amperes == pytest.approx(20e-6, rel=1e-3)


def test_a_connected_generator_shunts_a_reading() -> None:
    wires = (*WIRES, Wire("pulser.1", "matrix.row2"))
    world = World(plan([pairs(1)], wires=wires), VirtualClock())
    meter, generator = world.add_meter("smu.hi", "smu.lo"), world.add_generator("pulser.1")
    meter.on, meter.level, meter.limit = True, 10e-3, 1e-2
    world.set_contacts("matrix", [Crosspoint("matrix", 1, 0), Crosspoint("matrix", 2, 0)])
    alone = world.measure(meter, 1e3)[1]
    generator.on = True
    world.changed()
    shunted = world.measure(meter, 1e3)[1]
    assert 10e-3 / alone > 3.5e3
    assert 10e-3 / shunted == pytest.approx(50.1, rel=0.01)


@given(ratio=st.floats(0.02, 0.98))
def test_an_attenuator_is_matched_and_divides(ratio: float) -> None:
    (_, _, first), (_, _, second), (_, _, shunt) = attenuator("a", "b", ratio)
    parallel = shunt * (second + 50) / (shunt + second + 50)
    assert first + parallel == pytest.approx(50.0)
    assert parallel / (first + parallel) * 50 / (second + 50) == pytest.approx(ratio)


def test_a_barrier_breaks_for_good() -> None:
    world, port = world_with((1, 0), arrays=[pairs(1)])
    port.mode, port.limit = "current", 10.0
    world.sweep(port, np.array([30e-6]), 1e-3, 1e-3)
    assert not world.stress["neurons[0].top"].broken
    world.sweep(port, np.array([400e-6]), 1e-3, 1e-3)  # some 1.7 V for a millisecond
    assert world.stress["neurons[0].top"].broken
    volts, _, _ = world.sweep(port, np.array([30e-6]), 1e-3, 1e-3)
    assert volts[0] == pytest.approx(30e-6 * 121.6, rel=1e-3)
    assert not world.stress["neurons[0].top_pair"].broken


def test_a_drifting_device_drifts_by_the_hour() -> None:
    arrays = [single("r", "resistor", {"top": "matrix.col0"}, resistance=10e3)]
    clock = VirtualClock()
    world = World(plan(arrays, faults=Faults(drifting={"r": 0.01})), clock)
    port = world.add_meter("smu.hi", "smu.lo")
    port.on, port.level, port.limit = True, 0.1, 1e-3
    world.set_contacts("matrix", [Crosspoint("matrix", 1, 0)])
    first = world.measure(port, 0.02)[1]
    clock.sleep(3600.0)
    assert first / world.measure(port, 0.02)[1] == pytest.approx(1.01, abs=1e-5)


def test_a_world_goes_on_where_it_was_left() -> None:
    def measured(bench: Bench) -> list[list[float]]:
        bench.route("1,0")
        bench.current_mode()
        bench.smu(":OUTP ON")
        rows = bench.sweep(np.linspace(0, 40e-6, 20))
        bench.smu(":OUTP OFF")
        return rows

    whole = Bench()
    measured(whole)
    state = whole.opened.state_dict()
    resumed = Bench()
    resumed.opened.load_state_dict(state)
    assert measured(resumed) == measured(whole)
    one, other = resumed.world.stress["neurons[0].top"], whole.world.stress["neurons[0].top"]
    assert one.state_dict() == pytest.approx(other.state_dict())


def test_unknown_devices_and_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="nobody"):
        World(plan(chip(), faults=Faults(dead=("nobody[1]",))), VirtualClock())
    with pytest.raises(UsageError, match="cannot be simulated"):
        World(plan([single("x", "flux-capacitor", {})]), VirtualClock())
