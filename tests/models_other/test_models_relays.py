"""Relays that do not follow, by the bench file, on every matrix: coils say one thing, the device another."""

from __future__ import annotations

from pathlib import Path

import pytest

from labtrain.bench import Bench
from labtrain.errors import CheckFailed

FILE = """
[instruments.smu]
model = "2450"

[instruments.matrix]
model = "{model}"
bandwidth = "10 MHz"
relay_resistance = "2 ohm"
{stuck}

[wires."smu.hi"]
to = "matrix.row2"

[wires."smu.lo"]
to = "ground"

[devices.load]
kind = "resistor"
resistance = "10 kohm"
limits = {{ voltage = "0.5 V", current = "60 uA", power = "30 uW" }}
terminals = {{ top = "matrix.2,5" }}
"""


def amperes(folder: Path, model: str, stuck: str) -> float:
    file = folder / "bench.toml"
    file.write_text(FILE.format(model=model, stuck=stuck))
    with Bench.open(file) as bench, bench.route("load", "top") as meter:
        meter.configure("voltage", 0.1, 60e-6, 60e-6, 1.0)
        meter.output_enabled = True
        meter.source_voltage = 0.1
        assert [(c.row, c.column) for c in bench.switch_matrix("matrix").closed] == [(2, 5)]
        return float(meter.measure().amperes)


@pytest.mark.parametrize("model", ["2700", "707B"])
def test_a_stuck_relay_is_seen_by_what_it_does(tmp_path: Path, model: str) -> None:
    assert amperes(tmp_path, model, "") == pytest.approx(1e-5, rel=0.01)
    with pytest.raises(CheckFailed, match="open circuit"):
        amperes(tmp_path, model, 'stuck_open = "2,5"')
    assert amperes(tmp_path, model, 'stuck_closed = "3,5"') == pytest.approx(1e-5, rel=0.01)
