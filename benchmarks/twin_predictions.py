"""How much of a fresh measurement lies in the 95 % band that a twin predicts, for every fit model.

    python benchmarks/twin_predictions.py --store DIR [--devices 200] [--models M] [--seconds S] [--publish]

Each hidden device of the tests (``tests/twins/twins_hidden.py``) is measured, fitted, and measured again
with other noise. A run goes on where the one before stopped, and ends after ``--seconds`` of CPU.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from harness import publish
from kept_lines import KeptLines

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "twins"))
from twins_fresh import share_inside  # noqa: E402
from twins_hidden import CASES  # noqa: E402

PROTOCOLS = {
    "resistance": "iv-curve",
    "nano-neuron": "iv-curve",
    "vteam": "iv-curve",
    "yakopcic": "iv-curve",
    "bias-tmr": "resistance-voltage",
    "two-state-telegraph": "telegraph-noise",
    "soft-bounds": "pulse-programming",
    "write-noise": "pulse-programming",
    "write-noise-repeated": "endurance",
    "relaxation": "retention",
}


def predicted(name: str, device: int) -> dict:
    """Fit a device, and say which share of a fresh measurement lies in the band."""
    return {"share": share_inside(name, device, 1_000_000 + device)}


def row(name: str, lines: list[dict]) -> str:
    shares = 100 * np.array([line["share"] for line in lines])
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    protocol = PROTOCOLS.get(name, "switching-probability")
    cpu = sum(line["seconds"] for line in lines)
    return f"| {name} | {protocol} | {len(lines)} | {np.mean(shares):.1f} ± {error:.1f} % | {cpu:.0f} s |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--models", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    kept = KeptLines(given.store, "device", "predict-")
    kept.collect(given.models, given.devices, predicted, given.seconds)
    lines = [
        "| twin of | protocol | devices | fresh readings inside the 95 % band (goal 95 % on average) | CPU |",
        "|---|---|---|---|---|",
        *(row(name, lines) for name in given.models if len(lines := kept.of(name)) > 1),
        "",
        "The band is 1.96 standard deviations of curve and reading together; the latter is estimated from as",
        "few readings as were fitted (33 of a resistance), mean dwell times are skew: a little below 95 %.",
    ]
    print("\n".join(lines))
    if given.publish:
        command = f"python benchmarks/twin_predictions.py --store DIR --devices {given.devices}"
        publish("Twins predict fresh measurements", command, lines)


if __name__ == "__main__":
    main()
