"""A study's table, from the results of its cells."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from labtrain.cli.study_cells import Outcome

FIGURES = {
    "accuracy": "accuracy (%)",
    "baseline_accuracy": "baseline accuracy (%)",
    "gradient_cosine": "gradient cosine",
    "gradient_rmse": "gradient RMSE / RMS",
    "write_ratio": "write ratio",
    "gradient_mac_reduction": "gradient MAC reduction",
}
"""What of a result, or of its ledger, goes into the table where it is there."""
PANELS = ("accuracy", "gradient_cosine", "gradient_rmse", "write_ratio", "gradient_mac_reduction")


def figure_of(result: Mapping[str, Any], name: str) -> float | None:
    """Return a figure of a result or of its ledger, None where it has none."""
    value = result.get(name, result.get("ledger", {}).get(name))
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def write_table(outcomes: Sequence[Outcome], path: Path) -> list[dict[str, Any]]:
    """Write one line a place in the grid: means over the seeds, their deviation, how many there are."""
    groups: dict[tuple[tuple[str, str], ...], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.cell.place, []).append(outcome)
    names = [name for name in FIGURES if any(_values(outcomes, name))]
    lines = [_line(place, group, names) for place, group in groups.items()]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return lines


def _values(group: Sequence[Outcome], name: str) -> list[float]:
    found = (figure_of(one.result, name) for one in group if one.result is not None)
    return [value for value in found if value is not None and math.isfinite(value)]


def _line(place: Sequence[tuple[str, str]], group: Sequence[Outcome], names: Sequence[str]) -> dict[str, Any]:
    line: dict[str, Any] = dict(place)
    line["seeds"] = sum(one.result is not None for one in group)
    for name in names:
        values = _values(group, name)
        line[name] = fmean(values) if values else ""
        line[f"{name}_deviation"] = stdev(values) if len(values) > 1 else ""
    return line
