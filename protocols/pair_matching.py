"""Pair matching: which two junctions make the best pair for an analog finite difference, and their offset."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.procedures import Rows, distinct, select
from protocols.iv_curve import IVCurve

_BEST = 10
"""Pairs that are listed."""


class PairMatching(IVCurve):
    """Measures V(I) of every terminal of every device and ranks all pairs by how alike they are.

    The offset curve V_b(I) - V_a(I) of a pair is what training subtracts after calibration; what a
    subtraction cannot mend is that the partners' steps lie at different currents or differ in slope. So
    pairs are ranked by the rms difference of their slopes dV/dI, which is also the error of the gradient;
    the offset's mean and rms, and the current by which one would have to be trimmed, stand beside it.
    """

    NAME = "pair-matching"

    @classmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the best pairs, first the best, each with its offset curve; and the noise of a curve."""
        curves = _curves(rows)
        if len(curves) < 2:
            return {"curves": list(curves), "pairs": [], "remedy": "pairs need two devices or terminals"}
        grid = _common_grid(curves)
        on_grid = {name: np.interp(grid, *curve) for name, curve in curves.items()}
        pairs = [_pair(a, b, grid, on_grid) for a, b in combinations(on_grid, 2)]
        pairs.sort(key=lambda pair: pair["rms_slope_difference_ohm"])
        return {
            "curves": list(curves),
            "current_amperes": grid.tolist(),
            "pairs": pairs[:_BEST],
            "pairs_in_all": len(pairs),
        }


Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def _curves(rows: Rows) -> dict[str, Curve]:
    """Return ascending currents and mean voltages by ``device.terminal``; flagged readings left out."""
    found: dict[str, Curve] = {}
    for device in distinct(rows["device"]):
        own = select(rows, device=device, flags=0)
        for terminal in distinct(own["terminal"]):
            part = select(own, terminal=terminal)
            levels, place = np.unique(np.round(part["programmed"], 12), return_inverse=True)
            if len(levels) < 3:
                continue
            each = np.bincount(place)
            means = (np.bincount(place, weights=part[name]) / each for name in ("amperes", "volts"))
            amperes, volts = means
            found[f"{device}.{terminal}"] = (amperes, volts)
    return found


def _common_grid(curves: Mapping[str, Curve]) -> NDArray[np.float64]:
    """Return currents that every curve covers, as many as the shortest has."""
    low = max(float(amperes[0]) for amperes, _ in curves.values())
    high = min(float(amperes[-1]) for amperes, _ in curves.values())
    return np.linspace(low, high, min(len(amperes) for amperes, _ in curves.values()))


def _pair(
    a: str, b: str, grid: NDArray[np.float64], volts: Mapping[str, NDArray[np.float64]]
) -> dict[str, Any]:
    offset = volts[b] - volts[a]
    slopes = np.gradient(volts[a], grid), np.gradient(volts[b], grid)
    return {
        "pair": [a, b],
        "rms_slope_difference_ohm": float(np.sqrt(np.mean((slopes[1] - slopes[0]) ** 2))),
        "rms_slope_ohm": float(np.sqrt(np.mean(slopes[0] ** 2))),
        "mean_offset_volts": float(np.mean(offset)),
        "rms_offset_volts": float(np.sqrt(np.mean(offset**2))),
        "trim_amperes": _trim(grid, volts[a], volts[b]),
        "offset_volts": offset.tolist(),
    }


def _trim(grid: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the current shift of b that brings it nearest to a, by least squares of slopes and shifts."""
    span = grid[-1] - grid[0]
    shifts = np.linspace(-0.2 * span, 0.2 * span, 81)
    inside = (grid >= grid[0] + 0.2 * span) & (grid <= grid[-1] - 0.2 * span)
    costs = [np.var(np.interp(grid[inside] + shift, grid, b) - a[inside]) for shift in shifts]
    return float(shifts[int(np.argmin(costs))])
