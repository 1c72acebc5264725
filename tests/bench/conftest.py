from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_served import HERE, Served, addressed

from labtrain.bench import bench_off, locate_bench

SMALL = """\
seed = 7

[instruments.smu]
model = "2450"

[instruments.pulser]
model = "81160A"
output_load = "50 ohm"

[instruments.matrix]
model = "serial-matrix"
bandwidth = "10 MHz"

[arrays.neurons]
kind = "mtj-neuron-pair"
count = 2
mismatch = 0.05
expected_resistance = ["1 kohm", "20 kohm"]
limits = { voltage = "0.5 V", current = "60 uA", power = "30 uW" }
terminals = { top = "matrix.1,{2i}", top_pair = "matrix.1,{2i+1}" }

[devices.sot]
kind = "sot-mtj"

[devices.sot.terminals.line]
to = "pulser.1"
expected_resistance = ["600 ohm", "950 ohm"]
limits = { voltage = "1.3 V", current = "2.1 mA", power = "2.8 mW" }

[devices.sot.terminals.top]
to = "matrix.1,20"
limits = { voltage = "0.3 V", current = "60 uA" }

[devices.reference]
kind = "resistor"
resistance = "10 kohm"
expected_resistance = ["9.5 kohm", "10.5 kohm"]
limits = { voltage = "1 V", current = "100 uA", power = "100 uW" }
terminals = { top = "matrix.1,21" }

[wires."smu.hi"]
to = "matrix.row1"
resistance = "0.5 ohm"
"""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path / "state"))
    yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    file = tmp_path_factory.mktemp("served") / "simulated.toml"
    file.write_text(locate_bench("demo").read_text())
    with subprocess.Popen(
        [sys.executable, str(HERE / "bench_server.py"), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        instruments = json.loads(process.stdout.readline())
        yield {alias: one["resource"] for alias, one in instruments.items()}
        process.stdin.close()


@pytest.fixture
def served(server: dict[str, str], small: str, tmp_path: Path) -> Iterator[Served]:
    file = tmp_path / "real.toml"
    file.write_text(addressed(small, server))
    served = Served(file, server)
    yield served
    assert bench_off(file)["ok"]
