"""Limits follow the route, at the worst load; judged on solved dividers, not on our own algebra."""

from __future__ import annotations

import math
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.bench import locate_bench, read_setup
from labtrain.bench.circuit import Channel, Circuit, Path
from labtrain.bench.contacts import Contacts
from labtrain.bench.endurance import EnduranceBook
from labtrain.bench.envelopes import ChannelEnvelope
from labtrain.bench.relays import RelayBoard
from labtrain.bench.worst_case import GENERATOR_OHMS, at_generator, at_source_meter
from labtrain.limits import Limits, tightest
from labtrain.session.sink import NullSink
from labtrain.wiring import Crosspoint

SMU = Channel("smu", "")
PULSER = Channel("pulser", "1")


def bench(text: str) -> tuple[Circuit, RelayBoard, ChannelEnvelope, ChannelEnvelope]:
    setup = read_setup(text.encode())
    circuit, board = Circuit(setup.plan, setup.specs), RelayBoard()
    return (
        circuit,
        board,
        envelope(circuit, board, setup.specs, SMU),
        envelope(circuit, board, setup.specs, PULSER),
    )


def envelope(circuit: Circuit, board: RelayBoard, specs, channel: Channel) -> ChannelEnvelope:
    book = EnduranceBook(None)
    contacts = Contacts(circuit, specs, NullSink(), book, demanded=True)
    stiff = specs[channel.alias].role == "source-meter"
    return ChannelEnvelope(circuit, board, channel, contacts, book, stiff=stiff)


def relay(column: int, row: int = 1) -> Crosspoint:
    return Crosspoint("matrix", row, column)


def test_a_closed_route_brings_the_terminals_own_limits(small: str) -> None:
    _, board, meter, _ = bench(small)
    board.closing(frozenset({relay(0)}))
    limits, where = meter.limits()
    assert (limits.voltage, limits.current, limits.power) == pytest.approx((0.5, 60e-6, 30e-6))
    assert "neurons[0].top" in where and "smu" in where
    board.confirmed("matrix", {relay(21)})
    assert meter.limits()[0].voltage == 1.0


def test_two_closed_routes_bring_the_tighter_of_both(small: str) -> None:
    _, board, meter, _ = bench(small)
    board.closing(frozenset({relay(20), relay(21)}))
    assert meter.limits()[0].voltage == 0.3


def test_a_source_that_reaches_nothing_is_held_to_what_it_could_reach(small: str) -> None:
    _, _, meter, _ = bench(small)
    limits, where = meter.limits()
    assert limits.voltage == 0.3 and "could reach" in where


def test_a_source_wired_to_no_device_may_do_nothing(small: str) -> None:
    setup = read_setup(small.encode())
    circuit = Circuit(setup.plan, setup.specs)
    idle = envelope(circuit, RelayBoard(), setup.specs, Channel("pulser", "2"))
    limits, where = idle.limits()
    assert limits.voltage == limits.current == 0.0 and "reaches no device" in where


def test_sneak_paths_over_a_second_row_count(small: str) -> None:
    _, board, meter, _ = bench(small)
    # row 1 - column 21 - row 2 - column 20: the barrier hangs on the meter by two more relays
    board.closing(frozenset({relay(21), relay(21, 2), relay(20, 2)}))
    assert meter.limits()[0].voltage == 0.3


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 31)), max_size=12), st.integers(0, 31))
def test_more_closed_relays_never_loosen_a_limit(places: set[tuple[int, int]], column: int) -> None:
    _, _, meter, _ = _demo()
    fewer = frozenset(relay(c, r) for r, c in places) | {relay(0)}
    more = fewer | {relay(column)}
    before, after = meter.limits_with(fewer)[0], meter.limits_with(more)[0]
    assert after == tightest([before, after])


def divider(emf: float, path: Path, load: float) -> tuple[float, float, float]:
    """Volts, amperes and watts of a load behind a 50 ohm source, a matched T attenuator and a wire."""
    k = path.gain
    if k == 1:
        thevenin, source = emf, GENERATOR_OHMS
    else:  # Pozar, Microwave Engineering 4.3: arms R1, shunt R3
        arm, shunt = 50 * (1 - k) / (1 + k), 100 * k / (1 - k * k)
        thevenin = emf * shunt / (GENERATOR_OHMS + arm + shunt)
        source = arm + shunt * (GENERATOR_OHMS + arm) / (GENERATOR_OHMS + arm + shunt)
    amperes = thevenin / (source + path.resistance + load)
    return amperes * load, amperes, amperes**2 * load


positive = st.floats(0.1, 10)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(Path, st.floats(0.05, 1), st.floats(0, 100)),
    st.tuples(st.floats(1, 1e4), st.floats(1, 10)),
    st.floats(0, 1),
    st.tuples(positive, positive, positive, positive),
)
def test_what_the_generators_envelope_allows_stays_below_the_terminals_limits(
    path: Path, span: tuple[float, float], place: float, figures: tuple[float, float, float, float]
) -> None:
    low, high = span[0], span[0] * span[1]
    volts, amperes, watts, joules = figures[0], figures[1] * 1e-3, figures[2] * 1e-3, figures[3] * 1e-11
    limits = Limits(voltage=volts, current=amperes, power=watts, pulse_energy=joules)
    channel = at_generator(limits, path, (low, high))
    seconds = 10e-9
    emf = min(  # the largest that the role of the generator would let pass
        channel.voltage,
        channel.current * GENERATOR_OHMS,
        math.sqrt(channel.power * 4 * GENERATOR_OHMS),
        math.sqrt(channel.pulse_energy * 4 * GENERATOR_OHMS / seconds),
    )
    v, i, p = divider(emf, path, low + place * (high - low))
    slack = 1 + 1e-9
    assert (
        v <= volts * slack and i <= amperes * slack and p <= watts * slack and p * seconds <= joules * slack
    )


@settings(max_examples=100, deadline=None)
@given(st.floats(0.02, 0.999), st.floats(1, 1e7))
def test_a_stiff_source_behind_an_attenuator_stays_below_the_limit_at_any_load(k: float, load: float) -> None:
    level = at_source_meter(Limits(voltage=0.5), Path(k)).voltage
    arm, shunt = 50 * (1 - k) / (1 + k), 100 * k / (1 - k * k)
    beyond = arm + load
    middle = level * (shunt * beyond / (shunt + beyond)) / (arm + shunt * beyond / (shunt + beyond))
    assert middle * load / beyond <= 0.5 * (1 + 1e-9)


def test_without_an_expected_resistance_the_load_may_be_anything() -> None:
    channel = at_generator(Limits(voltage=1, current=1e-3, power=1e-3), Path(), None)
    assert channel.current == 1e-3 and channel.power == 1e-3  # short, and matched load


@lru_cache(maxsize=1)
def _demo() -> tuple[Circuit, RelayBoard, ChannelEnvelope, ChannelEnvelope]:
    return bench(locate_bench("demo").read_text())
