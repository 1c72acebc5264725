"""I-V curves: one panel a device with its fits, all residuals, and the population's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.procedures import distinct, select
from labtrain.report.fit_tables import device_table, population_tables
from labtrain.report.runs import Run
from labtrain.report.sections import Section
from labtrain.report.style import GREY, Picture, colour, empty, new_figure, picture
from labtrain.twins import Fit

_COLUMNS = 5
_MOST_PANELS = 40


def current_voltage_section(run: Run) -> Section:
    """Draw the family with fits, the residuals, and list the parameters."""
    fits = run.fits()
    poor = [name for name, fit in fits.items() if fit.verdict != "describes"]
    lead = f"{len(run.rows):,} readings of {len(fits)} terminals. Settings: {run.settings}."
    fitted = any(f.parameters for f in fits.values())
    tables = [*population_tables(fits), device_table(fits)] if fitted else []
    if poor:
        lead += f" Not described by the model: {', '.join(poor)}."
    return Section("Current and voltage", lead, [_family(run, fits), _residuals(fits)], tables)


def _family(run: Run, fits: Mapping[str, Fit]) -> Picture:
    columns = run.rows.columns
    devices = distinct(columns["device"])[:_MOST_PANELS]
    rows = math.ceil(len(devices) / _COLUMNS)
    wide = min(_COLUMNS, len(devices))
    figure = new_figure(7.6, 0.5 + 1.55 * rows if wide > 2 else 3.2)
    grid = figure.subplots(rows, wide, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(devices) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(len(devices) - wide, 0) : len(devices)]:
        axes.tick_params(labelbottom=True)
    for device, axes in zip(devices, grid.flat, strict=False):
        draw_device(axes, device, select(columns, device=device), fits)
    figure.supxlabel("current (µA)", fontsize=9)
    figure.supylabel("voltage (mV)", fontsize=9)
    for place, terminal in enumerate(distinct(columns["terminal"])):
        grid.flat[0].plot([], [], "o", color=colour(place), markersize=3, label=terminal)
    grid.flat[0].plot([], [], color="#30353c", linewidth=1, label="fit")
    figure.legend(loc="outside upper right", ncols=6)
    caption = "Dots: mean of the readings at a current, flagged ones left out; lines: the fitted twin."
    return picture(figure, "Voltage against current of every device, with fits", caption)


def draw_device(axes: Any, device: str, rows: Mapping[str, NDArray[Any]], fits: Mapping[str, Fit]) -> None:
    """Draw the mean reading at each level of every terminal (uA, mV), and the fits that describe them."""
    axes.set_title(device, pad=3)
    anything = False
    for place, terminal in enumerate(distinct(rows["terminal"])):
        own = select(select(rows, terminal=terminal), flags=0)
        levels, volts = _means(own["amperes"], own["volts"], own["programmed"])
        anything = anything or len(levels) > 0
        axes.plot(levels * 1e6, volts * 1e3, "o", color=colour(place), markersize=2, alpha=0.75)
        fit = fits.get(f"{device}/{terminal}")
        if fit is not None and fit.points is not None and fit.verdict == "describes":
            order = np.argsort(fit.points.stimulus, kind="stable")
            axes.plot(
                fit.points.stimulus[order] * 1e6,
                fit.points.fitted[order] * 1e3,
                color=colour(place),
                linewidth=1,
            )
    if not anything:
        empty(axes, "no sound reading")


def _means(
    amperes: NDArray[Any], volts: NDArray[Any], programmed: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Average readings at the same programmed level."""
    _, place, counts = np.unique(np.round(programmed, 12), return_inverse=True, return_counts=True)
    return np.bincount(place, amperes) / counts, np.bincount(place, volts) / counts


def _residuals(fits: Mapping[str, Fit]) -> Picture:
    figure = new_figure(7.6, 2.1)
    axes = figure.add_subplot()
    shown = [fit.points for fit in fits.values() if fit.points is not None and fit.verdict == "describes"]
    for points in shown:
        pull = (points.observed - points.fitted) * 1e3
        axes.plot(points.stimulus * 1e6, pull, ".", color=GREY, markersize=1.6, alpha=0.4, rasterized=True)
    if shown:
        order = np.argsort(np.concatenate([p.stimulus for p in shown]))
        stimulus = np.concatenate([p.stimulus for p in shown])[order] * 1e6
        sigma = np.concatenate([p.sigma for p in shown])[order] * 1e3
        bins = np.linspace(stimulus[0], stimulus[-1], 40)
        place = np.clip(np.digitize(stimulus, bins), 1, len(bins) - 1)
        width = [np.median(sigma[place == i]) if np.any(place == i) else np.nan for i in range(1, len(bins))]
        centre = (bins[1:] + bins[:-1]) / 2
        for sign in (1, -1):
            label = "± 1 standard deviation" if sign > 0 else None
            axes.plot(centre, sign * np.array(width), color=colour(1), linewidth=1.2, label=label)
        axes.legend(loc="upper left")
    else:
        empty(axes, "no fit describes its device")
    axes.axhline(0, color="#5b616b", linewidth=0.8)
    axes.set_xlabel("current (µA)")
    axes.set_ylabel("data − fit (mV)")
    return picture(
        figure,
        "Residuals of the fits",
        "Residuals of every reading; noise is larger inside the transition.",
    )
