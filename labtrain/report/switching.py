"""Switching probability: counts with error bars, the fit and its band, pulls, and the states' histogram."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labtrain.procedures import distinct, select
from labtrain.report.fit_tables import verdict_text
from labtrain.report.runs import Run
from labtrain.report.sections import Section, Table, quantity
from labtrain.report.style import BLUE, GREY, ORANGE, Picture, colour, new_figure, picture
from labtrain.twins import Fit
from labtrain.twins.binomial import ResponseCurve
from labtrain.twins.switching import curve_named

_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}


def switching_section(run: Run) -> Section:
    """Draw every device of the run."""
    fits = run.fits()
    pictures = []
    for device in distinct(run.rows.columns["device"]):
        own = {name.rpartition("/")[2]: fit for name, fit in fits.items() if name.startswith(f"{device}/")}
        own = {direction: fit for direction, fit in own.items() if fit.points is not None}
        if own:
            pictures.append(_curves(device, own, select(run.rows.columns, device=device)))
        pictures.append(_states(device, select(run.rows.columns, device=device)))
    lead = f"{len(run.rows):,} attempts and calibration reads. Settings: {run.settings}."
    return Section("Switching probability", lead, pictures, [_table(run, fits)])


def _curves(device: str, fits: Mapping[str, Fit], rows: Mapping[str, NDArray[Any]]) -> Picture:
    figure = new_figure(7.6, 3.7)
    grid = figure.subplots(2, len(fits), sharex="col", sharey="row", squeeze=False, height_ratios=[3.2, 1])
    for column, (direction, fit) in enumerate(fits.items()):
        above, below = grid[:, column]
        draw_curve(above, fit, attempts_at(rows, direction, fit), colour(column))
        above.set_title(f"{device}  {direction.replace('->', ' → ')}")
        points = fit.points
        assert points is not None
        pull = (points.observed - points.fitted) / np.maximum(points.sigma, 1e-9)
        pull[points.sigma < 1e-4] = np.nan  # certain outcomes have no pull
        below.axhspan(-2, 2, color="#eef1f4", zorder=0)
        below.axhline(0, color="#5b616b", linewidth=0.8)
        below.plot(points.stimulus, pull, "o", color=colour(column), ms=3)
        below.set_xlabel("pulse amplitude at the device (V)")
        below.locator_params(axis="x", nbins=6)
        below.set_ylim(-4.5, 4.5)
    grid[0, 0].set_ylabel("switching probability")
    grid[1, 0].set_ylabel("pull (σ)")
    caption = (
        "Error bars: 68 % Clopper-Pearson; line: binomial maximum likelihood; band: 95 % of the curve;"
        " vertical: V50 with its 95 % profile-likelihood interval."
    )
    return picture(figure, f"Switching probability of {device} against amplitude", caption)


def attempts_at(rows: Mapping[str, NDArray[Any]], direction: str, fit: Fit) -> NDArray[np.float64]:
    """Count the valid attempts behind each point of a fit."""
    good = select(rows, direction=direction, valid=True)
    assert fit.points is not None
    levels = np.round(good["volts"].astype(float), 12)
    return np.array([np.sum(levels == level) for level in fit.points.stimulus], dtype=float)


def draw_curve(axes: Any, fit: Fit, trials: NDArray[np.float64], ink: str) -> None:
    """Draw the counts behind a fit with their error bars, the fitted curve and its band."""
    points = fit.points
    assert points is not None
    k = np.round(points.observed * trials)
    low = np.nan_to_num(stats.beta.ppf(0.16, k, trials - k + 1), nan=0.0)
    high = np.nan_to_num(stats.beta.ppf(0.84, k + 1, trials - k), nan=1.0)
    bars = np.clip([points.observed - low, high - points.observed], 0, None)
    axes.errorbar(
        points.stimulus, points.observed, bars, fmt="o", color=ink, ms=3.5, elinewidth=0.9, zorder=3
    )
    if fit.parameters["slope"].uncertainty > 0:
        volts = np.linspace(points.stimulus[0], points.stimulus[-1], 300)
        middle, below, above = band(curve_named(fit.model), fit, volts)
        axes.fill_between(volts, below, above, color=ink, alpha=0.18, linewidth=0)
        axes.plot(volts, middle, color=ink)
    v50 = fit.parameters["v50"]
    if all(math.isfinite(end) for end in v50.interval):
        axes.axvspan(*v50.interval, color=GREY, alpha=0.25, linewidth=0)
    falling = fit.parameters["slope"].value < 0
    place = {"x": 0.97, "ha": "right"} if falling else {"x": 0.03, "ha": "left"}
    axes.text(y=0.95, s=_words(fit), transform=axes.transAxes, va="top", fontsize=8, bbox=_PAPER, **place)
    axes.set_ylim(-0.04, 1.04)


def _words(fit: Fit) -> str:
    v50, slope = fit.parameters["v50"], fit.parameters["slope"]
    lines = [
        f"V50 = {quantity(v50.value, v50.uncertainty, 'V')}",
        f"slope = {quantity(slope.value, slope.uncertainty, '1/V')}",
    ]
    return "\n".join([*lines, f"χ²/ν = {fit.chi2_reduced:.2f}"] if math.isfinite(fit.chi2_reduced) else lines)


def band(
    curve: ResponseCurve, fit: Fit, volts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the fitted curve and its 95 % band, linearised on the logit scale so that it stays in 0 to 1."""
    theta = np.array([fit.parameters[name].value for name in curve.parameter_names])
    sd = np.array([fit.parameters[name].uncertainty for name in curve.parameter_names])
    covariance = np.nan_to_num(fit.correlation) * np.outer(np.nan_to_num(sd), np.nan_to_num(sd))
    p = np.clip(curve.probability(theta, volts), 1e-9, 1 - 1e-9)
    jacobian = curve.jacobian(theta, volts) / (p * (1 - p))[:, None]
    reach = 1.96 * np.sqrt(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian))
    centre = np.log(p / (1 - p))
    return p, 1 / (1 + np.exp(-(centre - reach))), 1 / (1 + np.exp(-(centre + reach)))


def _states(device: str, rows: Mapping[str, NDArray[Any]]) -> Picture:
    figure = new_figure(7.6, 1.9)
    axes = figure.add_subplot()
    ohms = np.concatenate([rows["ohm_before"], rows["ohm_after"]])
    ohms = ohms[np.isfinite(ohms)]
    axes.hist(ohms / 1e3, bins=120, color=BLUE, alpha=0.85)
    threshold = rows["threshold"][np.isfinite(rows["threshold"])]
    if len(threshold):
        axes.axvline(float(threshold[0]) / 1e3, color=ORANGE, label="threshold")
        axes.legend(loc=(0.52, 0.8))
    axes.set_xlabel("resistance (kΩ)")
    axes.set_ylabel("reads")
    return picture(
        figure, f"States of {device}", f"Every read of {device}: the threshold comes from its own histogram."
    )


def _table(run: Run, fits: Mapping[str, Fit]) -> Table:
    rows = []
    for device, found in run.result["devices"].items():
        for direction in (d for d in ("P->AP", "AP->P") if d in found):
            fit, counted = fits.get(f"{device}/{direction}"), found[direction]
            v50 = fit.parameters.get("v50") if fit else None
            slope = fit.parameters.get("slope") if fit else None
            rows.append(
                (
                    f"{device} {direction.replace('->', ' → ')}",
                    f"{counted['attempts']:,}",
                    f"{counted['failed_resets']:,}",
                    quantity(v50.value, v50.uncertainty, "V") if v50 else "—",
                    quantity(slope.value, slope.uncertainty, "1/V") if slope else "—",
                    verdict_text(fit) if fit else "not fitted",
                )
            )
    return Table(("device", "attempts", "failed resets (left out)", "V50", "slope", "logistic curve"), rows)
