"""`labtrain bench serve every-instrument`: one of each model, as a client in another process finds them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvisa

from labtrain.bench import Bench, ReplayConnector, bench_bytes, locate_bench
from labtrain.entry_points import VIRTUAL_INSTRUMENTS, names
from labtrain.session import Recording, Replay, Session

MODELS = ("2400", "2450", "2602B", "33522B", "81160A", "2700", "707B", "serial-matrix")
WAYS_TO_READ = {
    "2400": (
        ["*RST", ":SOUR:FUNC VOLT", ":SENS:FUNC 'CURR'", ":SENS:CURR:PROT 1E-3", ":SOUR:VOLT 1", ":OUTP ON"],
        [(":READ?", 1)],
        [":OUTP OFF"],
    ),
    "2450": (
        ["*RST", ":SOUR:FUNC VOLT", ":SENS:FUNC 'CURR'", ":SOUR:VOLT:ILIM 1E-3", ":SOUR:VOLT 1", ":OUTP ON"],
        [(":READ?", 0)],
        [":OUTP OFF"],
    ),
    "2602B": (
        [
            "reset()",
            *(
                line
                for x in "ab"
                for line in (
                    f"smu{x}.source.func = 1 smu{x}.source.levelv = 1",
                    f"smu{x}.source.limiti = 1e-3 smu{x}.source.output = 1",
                )
            ),
        ],
        [("print(smua.measure.i())", 0), ("print(smub.measure.i())", 0)],
        ["smua.source.output=0 smub.source.output=0"],
    ),
}
"""Model -> lines that source 1 V, queries whose value of that place is the current, lines that end it."""


def serve(*more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "labtrain", "bench", "serve", "every-instrument", "--json", *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, dict[str, str]]]:
    with serve() as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["instruments"]
        finally:
            process.terminate()
            process.communicate(timeout=30)


def opened(resource: str) -> Any:
    return pyvisa.ResourceManager("@py").open_resource(
        resource, read_termination="\n", write_termination="\n", timeout=10_000
    )


def test_the_bench_knows_every_model() -> None:
    assert sorted(MODELS) == names(VIRTUAL_INSTRUMENTS)


def test_there_is_one_of_each_model(served: dict[str, dict[str, str]]) -> None:
    models = [one["model"] for one in served.values()]
    assert sorted(models) == sorted(MODELS)


def test_every_resource_opens_and_says_what_it_is(served: dict[str, dict[str, str]]) -> None:
    for one in served.values():
        with opened(one["resource"]) as client:
            identity = client.query("*IDN?")
            assert one["model"].upper() in identity.upper(), identity


def test_every_source_meter_reads_its_resistor(served: dict[str, dict[str, str]]) -> None:
    for one in served.values():
        if one["model"] not in WAYS_TO_READ:
            continue
        before, questions, after = WAYS_TO_READ[one["model"]]
        with opened(one["resource"]) as client:
            for line in before:
                client.write(line)
            for question, place in questions:
                amperes = float(client.query(question).split(",")[place])
                assert 1.0 / amperes == pytest.approx(10e3, rel=5e-3), one["model"]
            for line in after:
                client.write(line)


def through_the_roles(bench: Bench) -> dict[str, Any]:
    """Use every instrument by its role; what was read."""
    read: dict[str, Any] = {}
    for device in ("r2400", "r2450", "r2602b_a", "r2602b_b"):
        with bench.route(device, "top") as meter:
            meter.configure("voltage", 1.0, 1e-3, 1e-3, 1.0)
            meter.output_enabled = True
            meter.source_voltage = 1.0
            reading = meter.measure()
            sweep = meter.sweep([-1.0, 0.5, 1.0])
            read[device] = [reading.volts / reading.amperes, *(sweep.volts / sweep.amperes)]
    for matrix in ("k2700", "k707b", "serial_matrix"):
        role = bench.switch_matrix(matrix)
        place = (role.rows[1], role.columns[2])
        role.connect_only(place)
        read[matrix] = [(c.row, c.column) for c in role.closed] == [place]
    for generator in ("k33522b.1", "k33522b.2", "k81160a.1", "k81160a.2"):
        pulser = bench.pulse_generator(generator)
        pulser.pulse(0.2, 1e-7, 3)
        read[generator] = pulser.settings.count
        pulser.shutdown()
    return read


@pytest.mark.parametrize("mount", ["in-process", "tcp"])
def test_the_roles_use_every_instrument(mount: str) -> None:
    with Bench.open("every-instrument", mount=mount) as bench:
        read = through_the_roles(bench)
    meters = {name: value for name, value in read.items() if name.startswith("r2")}
    assert len(meters) == 4
    for name, ohms in meters.items():
        assert ohms == pytest.approx([10e3] * 4, rel=5e-3), name
    assert {value for name, value in read.items() if name not in meters} == {True, 3}


def test_a_record_of_every_instrument_replays(tmp_path: Path) -> None:
    file, path = locate_bench("every-instrument"), tmp_path / "s.h5"
    with (
        Session.create(path, start={"command": "test"}, bench_file=bench_bytes(file)) as session,
        Bench.open(file, sink=session) as bench,
    ):
        first = through_the_roles(bench)
    with Recording.open(path) as recording:
        replay = Replay(recording)
        with Bench.open(recording.bench_file, sink=replay.sink, connector=ReplayConnector(replay)) as bench:
            assert through_the_roles(bench) == first
        report = replay.finish()
    assert report.identical, report.first_mismatch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_it_stops_when_told_to(number: signal.Signals) -> None:
    with serve("--clock", "virtual") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert all(set(one) == {"model", "resource"} for one in first["instruments"].values())
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert rest == ""  # the JSON line comes first, and nothing after it
