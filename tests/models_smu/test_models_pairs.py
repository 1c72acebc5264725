"""Two channels at once: sweeps side by side, pairs of a bench, and what stays safe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from models_smu_bench import Meters
from told_messages import ToldMessages

from labtrain.arrays.neurons import Flag
from labtrain.arrays.wired_pairs_two_channel import TwoChannelPairArray
from labtrain.bench import Bench, ReplayConnector, bench_bytes, locate_bench
from labtrain.clock import ServedVirtualClock
from labtrain.errors import LimitExceeded, UsageError
from labtrain.roles import SourceMeter, sweep_together
from labtrain.session import Recording, Replay, Session

FILE = Path(__file__).parents[2] / "data" / "benches" / "iris-pair-2602B.toml"
DEAD = 3


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench.open(FILE) as opened:
        yield opened


@pytest.fixture
def meters(bench: Bench) -> Iterator[tuple[SourceMeter, SourceMeter]]:
    with bench.route("neurons[0]", "top") as one, bench.route("neurons[0]", "top_pair") as other:
        for meter in (one, other):
            meter.configure("current", 50e-6, 0.55, 0.55, 1.0)
        yield one, other


def test_each_terminal_is_reached_by_its_own_channel(meters: tuple[SourceMeter, SourceMeter]) -> None:
    assert [meter.name for meter in meters] == ["smu.a", "smu.b"]


def test_two_sweeps_take_the_time_of_one(bench: Bench, meters: tuple[SourceMeter, SourceMeter]) -> None:
    levels = np.linspace(-40e-6, 40e-6, 30)

    def seconds(what: object) -> float:
        before = bench.elapsed_seconds
        what()
        return bench.elapsed_seconds - before

    alone = seconds(lambda: meters[0].sweep(levels, abort_on_compliance=False))
    both = seconds(lambda: sweep_together(*meters, levels, -levels, abort_on_compliance=False))
    assert both < 1.1 * alone
    one, other = sweep_together(*meters, levels, -levels, abort_on_compliance=False)
    assert one.amperes == pytest.approx(levels, abs=150e-9)
    assert other.amperes == pytest.approx(-levels, abs=150e-9)
    assert not meters[0].output_enabled and not meters[1].output_enabled


def test_a_sweep_that_is_refused_starts_neither(meters: tuple[SourceMeter, SourceMeter]) -> None:
    with pytest.raises(LimitExceeded):
        sweep_together(*meters, [10e-6, 20e-6], [10e-6, 60e-6])
    assert not meters[0].output_enabled and not meters[1].output_enabled
    assert meters[0].source_current == 0.0


def test_a_meter_does_not_sweep_beside_itself(meters: tuple[SourceMeter, SourceMeter]) -> None:
    with pytest.raises(UsageError, match="beside itself"):
        sweep_together(meters[0], meters[0], [1e-6], [1e-6])


def test_an_interrupt_stops_both(bench: Bench, meters: tuple[SourceMeter, SourceMeter]) -> None:
    clock = bench.clock

    class Stopped(Exception):
        pass

    with (
        pytest.raises(Stopped),
        meters[0].sweeping([1e-5] * 50, abort_on_compliance=False) as one,
        meters[1].sweeping([1e-5] * 50, abort_on_compliance=False) as other,
    ):
        one.start()
        other.start()
        clock.sleep(10e-3)
        raise Stopped
    virtual = bench._connection.connector.world._instruments["smu"]
    for smu in virtual.smus.values():
        assert smu.channel.running is None and not smu.channel.output and smu.channel.source.level == 0.0


def test_a_pair_array_reads_both_devices_of_a_pair(bench: Bench) -> None:
    neurons = bench.array("neurons")
    assert isinstance(neurons._array, TwoChannelPairArray)
    amperes = np.tile(np.linspace(5e-6, 45e-6, 6)[:, None], (1, len(neurons)))
    forward, partner = neurons.respond_pair(amperes, amperes)
    again = neurons.respond(amperes)
    alive = [j for j in range(len(neurons)) if j != DEAD]
    # one device read twice: the two readings differ by the probes' 50 uV and the meter's noise
    assert forward.volts[:, alive] == pytest.approx(again.volts[:, alive], abs=2e-3)
    assert np.abs(forward.volts - partner.volts)[:, alive].max() > 1e-3  # another device
    assert np.all(forward.flags[:, DEAD] & Flag.DEAD) and not forward.flags[:, alive].any()


def test_nobody_is_stressed_beyond_the_limits(bench: Bench) -> None:
    neurons = bench.array("neurons")
    neurons.respond_pair(np.full((4, 10), 1.0), np.full((4, 10), -1.0))  # clipped
    stress = bench._connection.connector.world.world.stress
    for name, one in stress.items():
        if name.startswith("neurons"):
            assert one.max_volts <= 0.55 and one.max_amperes <= 55e-6 and one.transients == 0


def experiment(bench: Bench) -> np.ndarray:
    neurons = bench.array("neurons").select([0, DEAD, 5])
    forward, partner = neurons.respond_pair(np.full((4, 3), 30e-6), np.full((4, 3), 31e-6))
    return np.stack([forward.volts, partner.volts])


@pytest.mark.parametrize("model", ["2602B", "2400"])
def test_in_process_and_over_tcp_one_story_is_told(model: str) -> None:
    text = FILE.read_text()
    if model == "2400":  # one channel: both devices of a pair on its row, one after the other
        text = text.replace('"2602B"', '"2400"').replace("matrix.2,", "matrix.1,").replace("smu.a", "smu")
        text = text[: text.index('[wires."smu.b.hi"]')] + text[text.index("# ---- surroundings") :]
    stories, results = [], []
    for mount in ("in-process", "tcp"):
        told = ToldMessages()
        with Bench.open(text.encode(), mount=mount, sink=told) as bench:
            results.append(experiment(bench))
        stories.append(told.told)
    assert np.array_equal(*results) and stories[0] == stories[1]


def test_a_recorded_bench_replays_without_instruments(tmp_path: Path) -> None:
    file = locate_bench("iris-pair-2602B")
    path = tmp_path / "s.h5"
    with (
        Session.create(path, start={"command": "test"}, bench_file=bench_bytes(file)) as session,
        Bench.open(file, sink=session) as bench,
    ):
        first = experiment(bench)
    with Recording.open(path) as recording:
        replay = Replay(recording)
        with Bench.open(recording.bench_file, sink=replay.sink, connector=ReplayConnector(replay)) as bench:
            again = experiment(bench)
        report = replay.finish()
    assert report.identical, report.first_mismatch
    assert np.array_equal(first, again)


def test_a_served_sweep_is_over_when_it_is_asked_again() -> None:
    """Clients in other processes cannot let virtual time pass; without it, polling would go on for ever."""
    bench = Meters(ServedVirtualClock())
    sweep = (":SOUR:LIST:VOLT 0.01,0.02,0.03", ":SOUR:SWE:VOLT:LIST 1, 0.5, 1, OFF", ":OUTP ON", ":INIT")
    assert bench.ask("k2450", *sweep, ":TRIG:STAT?").startswith("IDLE")
    assert bench.ask("k2450", ":TRAC:ACT?") == "3" and bench.clock.now_ns() > 1.5e9
    bench.ask("k2602", "smua.trigger.source.listv({0.01, 0.02}) smua.trigger.source.action = 1")
    bench.ask("k2602", "smua.trigger.count = 2 smua.source.output = 1 smua.trigger.initiate()")
    assert float(bench.ask("k2602", "print(status.operation.sweeping.condition)")) == 0.0
