"""A study's table and figure, from the results of its cells."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from labtrain.cli.study_cells import Outcome
from labtrain.units import registry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def draw_figure(lines: Sequence[Mapping[str, Any]], axes: Mapping[str, Sequence[str]], path: Path) -> None:
    """Draw each figure over the longest axis of the grid, one line a combination of the others."""
    from labtrain.report.style import new_figure, sober

    panels = [name for name in PANELS if any(line.get(name, "") != "" for line in lines)] or ["accuracy"]
    along = max(axes, key=lambda name: len(axes[name]))
    with sober():
        picture = new_figure(7.6, 2.6 * math.ceil(len(panels) / 2) + 0.6)
        plots = picture.subplots(math.ceil(len(panels) / 2), min(len(panels), 2), squeeze=False).ravel()
        for plot, name in zip(plots, panels, strict=False):
            _panel(plot, lines, axes, along, name)
        for plot in plots[len(panels) :]:
            plot.set_visible(False)
        handles, labels = plots[0].get_legend_handles_labels()
        if len(labels) > 1:
            picture.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
        picture.savefig(path, dpi=150)


def _panel(
    plot: Axes, lines: Sequence[Mapping[str, Any]], axes: Mapping[str, Sequence[str]], along: str, name: str
) -> None:
    others = [axis for axis in axes if axis != along]
    places = [numbers_of(axes[along])[axes[along].index(line[along])] for line in lines]
    groups: dict[str, list[tuple[float, float, float, float]]] = {}
    for place, line in zip(places, lines, strict=True):
        if line.get(name, "") != "":
            label = ", ".join(f"{axis}={line[axis]}" for axis in others)
            beside = float(line.get("baseline_accuracy") or math.nan) if name == "accuracy" else math.nan
            spread = float(line.get(f"{name}_deviation") or 0.0)
            groups.setdefault(label, []).append((place, float(line[name]), spread, beside))
    for label, points in groups.items():
        x, y, bars, baselines = zip(*points, strict=True)
        drawn = plot.errorbar(x, y, bars, marker="o", markersize=3, capsize=2, label=label)
        plot.plot(x, baselines, "--", color=drawn.lines[0].get_color(), linewidth=0.8)
    plot.set_xlabel(along.replace("_", " "))
    plot.set_ylabel(FIGURES[name])
    plot.set_xticks(numbers_of(axes[along]), axes[along])


def number_of(text: str) -> float | None:
    """Return a number or a quantity in SI units, None for any other text."""
    try:
        return float(registry().Quantity(text).to_base_units().magnitude)
    except Exception:  # pint raises many kinds for unreadable text
        return None


def numbers_of(values: Sequence[str]) -> list[float]:
    """Return the values as numbers where all are quantities of one dimension; else their places."""
    found = [number_of(value) for value in values]
    if any(number is None for number in found):
        return [float(place) for place in range(len(values))]
    return [number for number in found if number is not None]
