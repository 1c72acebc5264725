"""Fits of any model: per device data with error bars, curve and band, pulls, parameters; the population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.report.fit_tables import device_table, population_tables
from labtrain.report.runs import Run
from labtrain.report.sections import Section, quantity
from labtrain.report.style import Picture, colour, empty, new_figure, picture
from labtrain.twins import Fit, Points

_MOST_DEVICES = 24
_ROW = 2
_DECADES = 30.0
"""Values of one sign over more than this ratio are drawn on a logarithmic axis."""

_AXES = {
    "neel-brown": ("pulse amplitude at the device", "switching probability"),
    "two-state-telegraph": ("bias", "dwell time"),
    "bias-tmr": ("voltage", "current"),
    "soft-bounds": ("pulse", "conductance"),
    "write-noise": ("target", "conductance left"),
    "relaxation": ("conductance when programmed", "change"),
    "vteam": ("voltage", "current"),
    "yakopcic": ("voltage", "current"),
}


def fits_section(run: Run) -> Section:
    """Draw every device of a run that was fitted, and list parameters and population."""
    fits = run.fits()
    drawn = {name: fit for name, fit in fits.items() if fit.points is not None}
    poor = [name for name, fit in fits.items() if fit.verdict != "describes"]
    lead = f"{len(run.rows):,} rows of {len(fits)} devices. Settings: {run.settings}."
    if poor:
        lead += f" Not described by the model: {', '.join(poor)}."
    shown = list(drawn.items())[:_MOST_DEVICES]
    rows = [dict(shown[i : i + _ROW]) for i in range(0, len(shown), _ROW)]
    tables = [*population_tables(fits), device_table(fits)] if fits else []
    return Section(run.protocol.replace("-", " ").capitalize(), lead, [_row(row) for row in rows], tables)


def _row(fits: Mapping[str, Fit]) -> Picture:
    figure = new_figure(7.6, 3.6)
    grid = figure.subplots(2, _ROW, sharex="col", squeeze=False, height_ratios=[3, 1])
    for axes in grid[:, len(fits) :].flat:
        axes.set_visible(False)
    for column, (name, fit) in enumerate(fits.items()):
        _device(grid[0, column], grid[1, column], name, fit)
    models = " and ".join(dict.fromkeys(fit.model for fit in fits.values()))
    caption = (
        "Dots: data, bars one standard deviation under the model; line: the fit, band: 95 % of the curve;"
        " below: data minus fit over the standard deviation."
    )
    return picture(figure, f"{models} of {', '.join(fits)}: data, fit and residuals", caption)


def _device(above: Any, below: Any, name: str, fit: Fit) -> None:
    points = fit.points
    assert points is not None
    across, up = _AXES.get(fit.model, ("stimulus", "response"))
    if fit.model == "write-noise" and not points.stimulus_unit:
        across, up = "write", "resistance left"
    scale, unit = _scale(points.observed, points.observed_unit)
    wide, wide_unit = _scale(points.stimulus, points.stimulus_unit)
    for place, (label, use) in enumerate(_series(points)):
        ink = colour(place)
        x, y = points.stimulus[use] / wide, points.observed[use] / scale
        above.errorbar(
            x,
            y,
            points.sigma[use] / scale,
            fmt="o",
            color=ink,
            ms=2.5,
            elinewidth=0.6,
            alpha=0.65,
            label=label,
        )
        _curve(above, points, use, wide, scale, ink)
        pull = (points.observed - points.fitted)[use] / np.maximum(points.sigma[use], 1e-300)
        pull[points.sigma[use] < 1e-4 * np.max(points.sigma)] = np.nan  # certain outcomes have no pull
        below.plot(x, np.clip(pull, -4.4, 4.4), ".", color=ink, ms=3)
    if _over_decades(points.observed):
        above.set_yscale("log")
    elif _spans_decades(points.observed):
        above.set_yscale("symlog", linthresh=1e-4 * float(np.max(np.abs(points.observed))) / scale)
    above.set_title(f"{name}\n{fit.verdict.replace('-', ' ')}", fontsize=8.5)
    above.set_ylabel(f"{up} ({unit})" if unit else up)
    below.set_xlabel(f"{across} ({wide_unit})" if wide_unit else across)
    below.set_ylabel("pull (σ)")
    below.axhspan(-2, 2, color="#eef1f4", zorder=0)
    below.axhline(0, color="#5b616b", linewidth=0.8)
    below.set_ylim(-4.6, 4.6)
    if points.series is not None:
        above.legend(fontsize=7)
    if not len(points.observed):
        empty(above, "no point")


def _curve(axes: Any, points: Points, use: NDArray[np.bool_], wide: float, scale: float, ink: str) -> None:
    """Draw the fit and its band: in order of the stimulus, or, where a sweep turns, as it was measured."""
    stimulus = points.stimulus[use]
    turns = np.sum(np.diff(np.sign(np.diff(stimulus))) != 0)
    swept = 0 < turns <= 0.2 * len(stimulus) and points.series is None
    order = np.arange(len(stimulus)) if swept else np.argsort(stimulus, kind="stable")
    x, middle = stimulus[order] / wide, points.fitted[use][order] / scale
    steps = np.abs(np.diff(x))
    x[1:][steps > 6 * np.median(steps)] = np.nan  # a series with pauses is drawn in pieces
    axes.plot(x, middle, color=ink, linewidth=1.1)
    if points.band is not None:
        reach = 1.96 * points.band[use][order] / scale
        axes.fill_between(x, middle - reach, middle + reach, color=ink, alpha=0.2, linewidth=0)


def _series(points: Points) -> list[tuple[str, NDArray[np.bool_]]]:
    """The points' curves with their names."""
    if points.series is None:
        return [("", np.ones(len(points.stimulus), dtype=bool))]
    values = np.unique(points.series)
    if points.series_unit:
        return [(quantity(float(v), None, points.series_unit), points.series == v) for v in values[:6]]
    names = {-1.0: "depression", 1.0: "potentiation"} if -1.0 in values else {0.0: "P", 1.0: "AP"}
    return [(names.get(float(v), f"{v:g}"), points.series == v) for v in values[:6]]


_PREFIXES = (
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)


def _scale(values: NDArray[np.float64], unit: str) -> tuple[float, str]:
    """What numbers on an axis are divided by, and the unit that they then have."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if not unit or largest == 0:
        return 1.0, unit
    scale, prefix = next(((s, p) for s, p in _PREFIXES if largest >= s), (1e-12, "p"))
    return scale, prefix + {"ohm": "Ω"}.get(unit, unit)


def _over_decades(values: NDArray[np.float64]) -> bool:
    return bool(values.min() > 0 and values.max() > _DECADES * values.min())


def _spans_decades(values: NDArray[np.float64]) -> bool:
    """Whether currents of both signs span so much that small ones would lie on the axis."""
    size = np.abs(values[values != 0])
    return bool(len(size) and values.min() < 0 < values.max() and np.median(size) < size.max() / _DECADES)
