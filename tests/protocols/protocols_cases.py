"""Every protocol with devices that suit it and short settings; and the hidden truth behind the devices."""

from pathlib import Path

from labtrain.bench import read_plan
from labtrain.populations import draw

BENCH = Path(__file__).parent / "protocols.toml"

_FAST = {"nplc": "0.001", "start_bias": "-0.03V", "stop_bias": "0.03V", "biases": "4"}

CASES = [
    ("contact-check", "neurons,reference", {"nplc": "0.1"}),
    ("iv-curve", "neurons[0],reference", {"points": "21", "polarities": "both"}),
    ("resistance-voltage", "sot", {"voltage": "0.25V"}),
    (
        "switching-probability",
        "sot[0]",
        {"sampling": "adaptive", "precision": "10mV", "calibration": "5"},
    ),
    ("telegraph-noise", "fast_bits[0]", _FAST | {"samples": "2000", "blocks": "2"}),
    ("bitstream", "fast_bits[0]", _FAST | {"bits": "600"}),
    ("pulse-programming", "cells[0:2]", {}),
    ("retention", "cells[1:3]", {"duration": "100s"}),
    ("endurance", "cells[2]", {"cycles": "30", "pulses": "5"}),
    ("pair-matching", "neurons", {"start_current": "10uA", "points": "41", "repeats": "4"}),
]
NAMES = [name for name, _, _ in CASES]


def hidden(device):
    """Parameters of a simulated device, which nothing that is tested here may see."""
    plan = read_plan(BENCH)
    found = plan.device(device)
    array = plan.arrays[found.array]
    return draw(array.kind, plan.seed, array.count, dict(array.settings), array.name).cell(found.index)


def stream_of(name):
    """Where a case's rows are in the session."""
    return f"runs/{NAMES.index(name) + 1:04d}_{name}/points"
