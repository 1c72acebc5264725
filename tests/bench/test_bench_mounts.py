"""One seed gives one story: in process, by TCP and by serial port, recorded and replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from told_messages import ToldMessages

from labtrain.bench import Bench, ReplayConnector, bench_bytes, locate_bench
from labtrain.errors import ReplayMismatch
from labtrain.session import Recording, Replay, Session


def experiment(bench: Bench, amperes: float = 30e-6) -> tuple[np.ndarray, float]:
    neurons = bench.array("neurons").select([0, 1])
    forward, partner = neurons.respond_pair(np.full((4, 2), amperes), np.full((4, 2), 31e-6))
    bench.pulse_path("sot", "line").pulse(0.8, 10e-9, 2)
    with bench.route("sot", "top") as meter:
        meter.configure("voltage", 0.02, 10e-6, 10e-6, 0.1)
        meter.source_voltage = 0.02
        meter.output_enabled = True
        reading = meter.measure()
    return np.stack([forward.volts, partner.volts]), reading.amperes


@pytest.mark.parametrize("mount", ["tcp", "serial"])
def test_every_mount_tells_the_same_story(mount: str) -> None:
    stories, results = [], []
    for one in ("in-process", mount):
        story = ToldMessages()
        with Bench.open("demo", mount=one, sink=story) as bench:
            results.append((*experiment(bench), bench.elapsed_seconds))
        stories.append(story.told)
    assert np.array_equal(results[0][0], results[1][0]) and results[0][1:] == results[1][1:]
    assert stories[0] == stories[1]


def test_a_recorded_bench_replays_without_instruments(tmp_path: Path) -> None:
    file = locate_bench("demo")
    path = tmp_path / "s.h5"
    with (
        Session.create(path, start={"command": "test"}, bench_file=bench_bytes(file)) as session,
        Bench.open(file, sink=session) as bench,
    ):
        first = experiment(bench), bench.elapsed_seconds
    with Recording.open(path) as recording:
        replay = Replay(recording)
        with Bench.open(recording.bench_file, sink=replay.sink, connector=ReplayConnector(replay)) as bench:
            again = experiment(bench), bench.elapsed_seconds
        report = replay.finish()
    assert report.identical, report.first_mismatch
    assert np.array_equal(first[0][0], again[0][0]) and first[0][1] == again[0][1] and first[1] == again[1]


def test_a_replay_that_asks_otherwise_stops_at_the_exchange(tmp_path: Path) -> None:
    file = locate_bench("demo")
    path = tmp_path / "s.h5"
    with (
        Session.create(path, start={"command": "test"}, bench_file=bench_bytes(file)) as session,
        Bench.open(file, sink=session) as bench,
    ):
        experiment(bench)
    with Recording.open(path) as recording:
        replay = Replay(recording)
        with (
            pytest.raises(ReplayMismatch, match="smu"),
            Bench.open(recording.bench_file, sink=replay.sink, connector=ReplayConnector(replay)) as bench,
        ):
            experiment(bench, amperes=29e-6)
        assert not replay.finish().identical
