"""The plug is pulled while a bench drives a served instrument; an address where nobody is; two programs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labtrain.bench import Bench
from labtrain.errors import BenchHeld, ConnectionLost, InstrumentError

FILE = """
[instruments.smu]
model = "2450"
resource = "{resource}"
timeout = "30 s"

[wires."smu.lo"]
to = "ground"

[devices.load]
kind = "resistor"
resistance = "10 kohm"
expected_resistance = ["9 kohm", "11 kohm"]
limits = {{ voltage = "1 V", current = "1 mA", power = "1 mW" }}
terminals = {{ top = "smu.hi" }}
"""


class Served:
    """``labtrain bench serve`` in a process of its own, and a bench file with its 2450's address."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "labtrain", "bench", "serve", "every-instrument", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.resource = json.loads(self.process.stdout.readline())["instruments"]["k2450"]["resource"]
        self.file = folder / "bench.toml"
        self.file.write_text(FILE.format(resource=self.resource))

    def pull_the_plug(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.close()


def ready(meter: Any) -> Any:
    meter.configure("voltage", 0.5, 1e-4, 1e-4, 10.0)
    meter.output_enabled = True
    assert meter.measure().amperes == pytest.approx(0.0, abs=1e-6)
    return meter


def test_a_plug_pulled_in_a_sweep_is_a_lost_connection_at_once(served: Served) -> None:
    with (
        pytest.raises(InstrumentError) as caught,
        Bench.open(served.file) as bench,
        bench.route("load", "top") as meter,
    ):
        ready(meter)
        threading.Timer(0.5, served.pull_the_plug).start()
        meter.sweep(np.linspace(-0.5, 0.5, 500))  # 10 power-line cycles a point: two minutes
    error = caught.value
    assert isinstance(error, ConnectionLost) and error.exit_code == 3
    assert error.instrument == "smu" and served.resource in str(error)


def test_nobody_at_an_address_is_said_with_the_address(served: Served) -> None:
    served.pull_the_plug()
    with pytest.raises(InstrumentError, match="smu at .*cannot be opened") as caught:
        Bench.open(served.file)
    assert served.resource in str(caught.value) and caught.value.remedy
    command = [sys.executable, "-m", "labtrain", "bench", "off", str(served.file)]
    off = subprocess.run(command, capture_output=True, text=True)
    assert off.returncode == 3 and "[smu]: smu at" in off.stdout


def test_a_second_bench_on_the_same_instrument_is_told_who_holds_it(served: Served) -> None:
    with Bench.open(served.file) as bench, bench.route("load", "top") as meter:
        ready(meter)
        with pytest.raises(BenchHeld) as caught:
            Bench.open(served.file)
        assert "smu" in str(caught.value) and caught.value.exit_code == 3
        assert meter.measure().volts == pytest.approx(0.0, abs=1e-2)
