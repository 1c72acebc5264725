"""A sweep that was kept out beside a fit of its siblings: Ni/Nb:STO memristors, by how far they go down.

    python benchmarks/sweeps_measured.py DATA [--depths 2 3 4] [--publish]

``DATA`` holds ``measured/``, which is no part of this repository. Compared: the median of |log10 I| apart,
beyond 50 mV and outside the compliance's neighbourhood, over that of the sweeps from one another.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import publish

from labtrain.kernels.memristor_sweeps import yakopcic_sweep
from labtrain.twins import fit_files, read_column_map
from labtrain.twins.csv_data import read_csv

SWEEPS = {2: (0, 4, 10), 3: (3, 6, 7), 4: (1, 5, 9)}
COLUMNS = """[columns]
time = { name = "Smu1.Time[1][1]", unit = "s" }
voltage = { name = "Smu1.V[1][1]", unit = "V" }
current = { name = "Smu1.I[1][1]", unit = "A" }
"""


def apart(first: np.ndarray, second: np.ndarray, volts: np.ndarray) -> float:
    use = (np.abs(volts) > 0.05) & (np.abs(second) < 0.75 * np.abs(second).max())
    return float(np.median(np.abs(np.log10(np.abs(first[use] / second[use])))))


def rows(folder: Path, columns: Path, depth: int) -> list[str]:
    paths = [folder / f"Radius_10_um__m{depth}V_{number}.csv" for number in SWEEPS[depth]]
    tables = [read_csv(path, read_column_map(columns)) for path in paths]
    times, volts, amperes = ([t[f"Smu1.{name}[1][1]"] for t in tables] for name in ("Time", "V", "I"))
    pairs = ((0, 1), (0, 2), (1, 2))
    between = float(np.median([apart(amperes[i], amperes[j], volts[j]) for i, j in pairs]))
    lines = []
    for out, number in enumerate(SWEEPS[depth]):
        began = time.process_time()
        seen = [path for i, path in enumerate(paths) if i != out]
        twin = fit_files(seen, columns=columns, model="yakopcic").devices["device"]
        said = yakopcic_sweep(twin.values(), volts[out], times[out], np.zeros(len(times[out])))
        own = apart(said, amperes[out], volts[out])
        took = time.process_time() - began
        figures = f"{between:.3f} | {own:.3f} | {own / between:.2f}"
        lines.append(f"| -{depth} V | {number} | {figures} | <= 1.5 | {took:.0f} s |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--depths", type=int, nargs="+", choices=list(SWEEPS), default=list(SWEEPS))
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    lines = [
        "| sweeps to | kept out | sweep to sweep, decades | fit to it, decades | ratio | goal | CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as place:
        columns = Path(place) / "MAP.toml"
        columns.write_text(COLUMNS)
        for depth in given.depths:
            lines += rows(given.data / "measured" / "nbsto_iv", columns, depth)
    print("\n".join(lines))
    if given.publish:
        publish("Measured sweeps, one kept out", "python benchmarks/sweeps_measured.py DATA --publish", lines)


if __name__ == "__main__":
    main()
