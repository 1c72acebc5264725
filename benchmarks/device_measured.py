"""Default memristor cells beside measured ones: spreads, read noise, relaxation by conductance.

Run: ``python benchmarks/device_measured.py DATA`` with the folder that holds ``measured/``. Writes its
table to ``RESULTS.md``. The measured files are no part of this repository.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from harness import publish

from labtrain import noise
from labtrain.kernels.flicker import read_deviations
from labtrain.physics import memristor
from labtrain.populations import draw

BINS = (4e-6, 50e-6, 100e-6, 150e-6, 200e-6, 240e-6)
HALF_AN_HOUR = 1800.0
CELLS = 4000


@dataclass(frozen=True)
class Row:
    """One quantity, simulated and measured, and how far apart they may be."""

    name: str
    simulated: float
    measured: float
    unit: str

    def line(self) -> str:
        return f"| {self.name} | {self.simulated:.3g} | {self.measured:.3g} | {self.unit} |"


def floats(path: Path, delimiter: str | None = None) -> list[list[float]]:
    """Numbers of a file, line by line; lines that hold anything else are left out."""
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append([float(part) for part in (line.split(delimiter) if delimiter else line.split())])
        except ValueError:
            continue
    return rows


def chip() -> dict[str, np.ndarray]:
    return dict(draw("memristor", 1, CELLS).parameters)


def relaxation(folder: Path) -> list[Row]:
    """Half an hour at 80 C, by conductance before it."""
    before = 1 / np.array([row[0] for row in floats(folder / "relaxation-prebake.csv")])
    after = 1 / np.array([row[0] for row in floats(folder / "relaxation-postbake.csv")])
    parameters, rows = chip(), []
    for low, high in zip(BINS, BINS[1:], strict=False):
        chosen = (before >= low) & (before < high) & (after > 0)
        change = (after - before)[chosen]
        start = np.resize(before[chosen], CELLS)
        xi = noise.normal(1, 2, np.arange(CELLS), 0)
        moved = memristor.relaxed(parameters, start, HALF_AN_HOUR, xi) - start
        name = f"relaxation, 30 min, {low * 1e6:.0f}-{high * 1e6:.0f} uS"
        rows.append(Row(f"{name}, mean", moved.mean() * 1e6, change.mean() * 1e6, "uS"))
        rows.append(Row(f"{name}, spread", moved.std() * 1e6, change.std() * 1e6, "uS"))
    return rows


def set_spread(folder: Path) -> Row:
    """Spread of the conductance after SET at one gate voltage, by median deviation: median of those."""
    rows = np.array(floats(next(folder.glob("set-sweep*.csv"))))
    siemens = np.where(rows[:, 5] > 1e3, 1 / rows[:, 5], np.nan)
    groups = [siemens[(rows[:, 3] == gate) & np.isfinite(siemens)] for gate in np.unique(rows[:, 3])]
    spreads = [1.4826 * np.median(np.abs(group - np.median(group))) for group in groups if len(group) > 30]
    parameters = chip()
    xi = noise.normal(1, 3, np.arange(CELLS), 0)
    moved = memristor.written(parameters, np.full(CELLS, 110e-6), 0.0, xi)
    return Row("write, spread", moved.std() * 1e6, float(np.nanmedian(spreads)) * 1e6, "uS")


def read_noise(folder: Path) -> list[Row]:
    """Relative noise of consecutive 5 ms readings, and the drift of their means over 50 s."""
    found = []
    for path in sorted(folder.glob("*Integ0.2_retentiondata.csv")):
        with path.open() as file:
            ohms = np.array([float(row[0]) for row in csv.reader(file) if not row[0].startswith("#")])
        good = np.log(ohms[ohms > 1.0])
        if len(good) > 0.9 * len(ohms):
            found.append(_noise(good))
    population = draw("memristor", 1, 50).parameters
    cells, first = np.arange(50), np.zeros(50, np.int64)
    traces = read_deviations(
        population["read_noise"], population["read_flicker"], 1, (4, 5), cells, first, 10_000
    )
    ours = np.median([_noise(trace) for trace in traces.T], axis=0)
    theirs = np.median(found, axis=0)
    return [
        Row("reading to reading, sigma ln G", ours[0], theirs[0], "(BiSOL, 10 Mohm, 5 ms)"),
        Row(
            "slow part, sigma of means of 1000 readings", ours[1], theirs[1], "(drift is in the measured one)"
        ),
    ]


def _noise(trace: np.ndarray) -> tuple[float, float]:
    blocks = trace[: len(trace) // 1000 * 1000].reshape(-1, 1000)
    return float(np.std(np.diff(trace)) / np.sqrt(2)), float(blocks.mean(axis=1).std())


def read_noise_of_rram(folder: Path) -> Row:
    """Pulses that change nothing (0.1 V steps above saturation) are two reads: half the median spread."""
    rows = np.array(floats(next(folder.glob("set-sweep*.csv"))))
    set_already = (rows[:, 4] < 8e3) & (rows[:, 5] < 8e3) & (rows[:, 4] > 1e3) & (rows[:, 5] > 1e3)
    change = np.log(rows[set_already, 5] / rows[set_already, 4])
    robust = 1.4826 * float(np.median(np.abs(change - np.median(change)))) / np.sqrt(2)
    parameters = chip()
    return Row(
        "1T1R, sigma ln R around a SET that changes nothing (upper bound)",
        float(parameters["read_noise"][0]),
        robust,
        "",
    )


def table(data: Path) -> list[Row]:
    """Every comparison; ``data`` holds ``measured/``."""
    rram, bisol = data / "measured" / "radar_rram", data / "measured" / "bisol_memristor_noise"
    return [set_spread(rram), *relaxation(rram), *read_noise(bisol), read_noise_of_rram(rram)]


if __name__ == "__main__":
    rows = table(Path(sys.argv[1]))
    lines = ["| quantity | simulated | measured | unit |", "|---|---|---|---|", *(row.line() for row in rows)]
    print("\n".join(lines))
    publish("Memristors: simulated beside measured", "python benchmarks/device_measured.py DATA", lines)
