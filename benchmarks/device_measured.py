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
NOTE = """The defaults are those of the 1T1R cells. The high-ohmic BiSOL cells read three times as quietly
(`read_noise = 0.001`) and drift by 2-14 % in 50 s after programming: that is their last line. Full
cycles without gate control scatter twice as much in LRS as a SET by its gate does; `write_noise` is that of
the SET by its gate."""


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
    """Spread after the strongest SET at one gate voltage, by median deviation: median over the gates.

    Gates that leave 100-225 uS in the median: below, part of the cells has not been set at all.
    """
    rows = np.array(floats(next(folder.glob("set-sweep*.csv"))))
    strongest = rows[rows[:, 2] == rows[:, 2].max()]
    groups = [
        1 / strongest[(strongest[:, 3] == gate) & (strongest[:, 5] > 1e3), 5]
        for gate in np.unique(strongest[:, 3])
    ]
    spreads = [robust(group) for group in groups if len(group) > 30 and 100e-6 < np.median(group) < 225e-6]
    after = memristor.written(chip(), np.full(CELLS, 110e-6), 0.0, normals(3))
    return Row("write, spread", after.std() * 1e6, float(np.median(spreads)) * 1e6, "uS")


def cycling(folder: Path) -> list[Row]:
    """Low and high resistance over 150 full cycles: ln R within a cell, median over cells."""
    lines = next(folder.glob("cycling*.csv")).read_text().splitlines()
    cells = [np.array([float(part) for part in line.split()[1:]]) for line in lines]
    rows = []
    for name, first, siemens in (("LRS", 1, 1 / 4.97e3), ("HRS", 0, 1 / 85e3)):
        ohms = [cell[first::2][cell[first::2] > 0] for cell in cells]
        theirs = float(np.median([np.log(one).std() for one in ohms]))
        ours = np.log(memristor.written(chip(), np.full(CELLS, siemens), 0.0, normals(6))).std()
        rows.append(Row(f"cycle to cycle, {name}, sigma ln R", ours, theirs, ""))
    return rows


def normals(stream: int) -> np.ndarray:
    return noise.normal(1, stream, np.arange(CELLS), 0)


def robust(values: np.ndarray) -> float:
    """Standard deviation by the median deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


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
    """Two readings around a pulse of 0 V, cells below 8 kohm: robust, for some cells jump between states."""
    rows = np.array(floats(next(folder.glob("reset-sweep*.csv"))))
    still = (rows[:, 2] == 0) & (rows[:, 4] > 1e3) & (rows[:, 4] < 8e3) & (rows[:, 5] > 1e3)
    theirs = robust(np.log(rows[still, 5] / rows[still, 4])) / np.sqrt(2)
    parameters, cells = chip(), np.arange(CELLS)
    pairs = read_deviations(
        parameters["read_noise"], parameters["read_flicker"], 1, (4, 5), cells, np.zeros(CELLS, np.int64), 2
    )
    return Row("1T1R, reading to reading, sigma ln R", robust(pairs[1] - pairs[0]) / np.sqrt(2), theirs, "")


def table(data: Path) -> list[Row]:
    """Every comparison; ``data`` holds ``measured/``."""
    rram, bisol = data / "measured" / "radar_rram", data / "measured" / "bisol_memristor_noise"
    return [
        set_spread(rram),
        *cycling(rram),
        *relaxation(rram),
        read_noise_of_rram(rram),
        *read_noise(bisol),
    ]


if __name__ == "__main__":
    rows = table(Path(sys.argv[1]))
    lines = ["| quantity | simulated | measured | unit |", "|---|---|---|---|", *(row.line() for row in rows)]
    print("\n".join(lines))
    publish(
        "Memristors: simulated beside measured",
        "python benchmarks/device_measured.py DATA",
        [*lines, "", NOTE],
    )
