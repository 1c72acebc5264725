"""A study's figure: one row a figure of merit, one column a value of the third axis.

The longest axis of the grid runs along x, the next is told by colour, the one after it by column, all that
are left by the lines' style and marker.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain.cli.study_table import FIGURES, PANELS
from labtrain.units import registry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = ("-", "--", ":", "-.")
_MARKERS = "osv^D*"
_DECADES = 8.0
"""The ratio of the largest to the least value from which x is logarithmic."""

Line = Mapping[str, Any]
Place = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Layout:
    """Which axis of the grid is told by what.

    Attributes
    ----------
    along, colours, columns
        One axis each, None where the grid has fewer.
    styles
        Every combination of the rest.
    """

    axes: Mapping[str, Sequence[str]]
    along: str
    colours: str | None
    columns: str | None
    styles: tuple[Place, ...]

    @classmethod
    def of(cls, axes: Mapping[str, Sequence[str]]) -> Layout:
        """Deal the axes out, the longest first."""
        names = sorted(axes, key=lambda name: -len(axes[name]))
        along, colours, columns = (names[k] if k < len(names) else None for k in range(3))
        rest = names[3:]
        styles = tuple(
            tuple(zip(rest, values, strict=True)) for values in product(*(axes[name] for name in rest))
        )
        return cls(axes, str(along), colours, columns, styles)

    def values(self, name: str | None) -> Sequence[str | None]:
        """The values of an axis; one None for no axis."""
        return [None] if name is None else self.axes[name]


def draw_figure(lines: Sequence[Line], axes: Mapping[str, Sequence[str]], path: Path) -> None:
    """Draw every figure of merit that the lines hold."""
    from labtrain.report.style import new_figure, sober

    layout = Layout.of(axes)
    names = [name for name in PANELS if any(line.get(name, "") != "" for line in lines)] or ["accuracy"]
    across = layout.values(layout.columns)
    with sober():
        picture = new_figure(max(7.6, 2.4 * len(across) + 1.0), 2.1 * len(names) + 1.0)
        plots = picture.subplots(len(names), len(across), squeeze=False, sharex=True, sharey="row")
        for row, name in zip(plots, names, strict=True):
            row[0].set_ylabel(FIGURES[name])
            for plot, value in zip(row, across, strict=True):
                _panel(plot, [line for line in lines if _has(line, layout.columns, value)], layout, name)
        for plot, value in zip(plots[0], across, strict=True):
            plot.set_title("" if value is None else f"{_words(str(layout.columns))} {value}")
        handles, labels = plots[0][0].get_legend_handles_labels()
        if len(labels) > 1:
            picture.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
        picture.savefig(path, dpi=150)


def _panel(plot: Axes, lines: Sequence[Line], layout: Layout, name: str) -> None:
    from labtrain.report.style import GREY, colour

    ticks = list(layout.axes[layout.along])
    places = dict(zip(ticks, numbers_of(ticks), strict=True))
    for (k, value), (s, style) in product(
        enumerate(layout.values(layout.colours)), enumerate(layout.styles or ((),))
    ):
        own = [
            line
            for line in lines
            if _has(line, layout.colours, value) and all(line[a] == v for a, v in style)
        ]
        told = [line for line in own if line.get(name, "") != ""]
        if told:
            x = [places[line[layout.along]] for line in told]
            y, bars = ([float(line.get(key) or 0.0) for line in told] for key in (name, f"{name}_deviation"))
            look: Any = {"linestyle": _STYLES[s % len(_STYLES)], "marker": _MARKERS[s % len(_MARKERS)]}
            label = _label(layout.colours, value, style)
            plot.errorbar(x, y, bars, color=colour(k), markersize=3, capsize=2, label=label, **look)
    if name == "accuracy":
        _baseline(plot, lines, places, layout.along, GREY)
    _scale(plot, places, _words(layout.along))


def _baseline(plot: Axes, lines: Sequence[Line], places: Mapping[str, float], along: str, grey: str) -> None:
    """Draw the mean of the networks trained beside."""
    means = []
    for value, place in places.items():
        beside = [float(line["baseline_accuracy"]) for line in lines if _beside(line, along, value)]
        if beside:
            means.append((place, math.fsum(beside) / len(beside)))
    if means:
        plot.plot(*zip(*means, strict=True), color=grey, linewidth=0.9, label="conventional network")


def _beside(line: Line, along: str, value: str) -> bool:
    return bool(line[along] == value and line.get("baseline_accuracy", "") != "")


def _scale(plot: Axes, places: Mapping[str, float], label: str) -> None:
    values = list(places.values())
    if min(values) > 0 and max(values) >= _DECADES * min(values):
        plot.set_xscale("log")
    plot.set_xticks(values, list(places))
    plot.minorticks_off()
    plot.set_xlabel(label)
    plot.label_outer()


def _has(line: Line, axis: str | None, value: str | None) -> bool:
    return axis is None or line[axis] == value


def _label(axis: str | None, value: str | None, style: Place) -> str:
    own = [] if axis is None else [(axis, str(value))]
    return ", ".join(f"{_words(name)} {text}" for name, text in [*own, *style])


def _words(name: str) -> str:
    return name.replace("_", " ")


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
