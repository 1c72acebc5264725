"""What recorded switching attempts say: states, curves, failed resets, read disturb."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from labtrain.arrays.two_states import two_states
from labtrain.procedures import Rows, distinct, select
from labtrain.twins import counts_of, fit_switching

CALIBRATION, ATTEMPT, DISTURB = "calibration", "attempt", "disturb"


def device_summary(rows: Rows) -> dict[str, Any]:
    """Summarise one device."""
    states = two_states(select(rows, kind=CALIBRATION)["ohm_after"])
    found: dict[str, Any] = {
        "low_ohm": states.low,
        "high_ohm": states.high,
        "threshold_ohm": states.threshold,
        "separation": states.separation,
        "read_disturb": _disturb(select(rows, kind=DISTURB)),
    }
    attempts = select(rows, kind=ATTEMPT)
    for direction in distinct(attempts["direction"]):
        own = select(attempts, direction=direction)
        found[direction] = _direction(own)
        widths = distinct(own["pulse_seconds"])
        if len(widths) > 1:
            found[direction]["widths"] = [
                {"seconds": width} | _curve(select(own, pulse_seconds=width, valid=True)) for width in widths
            ]
    return found


def _direction(rows: Rows) -> dict[str, Any]:
    good = select(rows, valid=True)
    several = len(distinct(rows["pulse_seconds"])) > 1
    return {
        "attempts": len(rows["valid"]),
        "failed_resets": int(len(rows["valid"]) - len(good["valid"])),
        "extra_resets": int(np.sum(rows["resets"] - 1)),
        "fit": None if several else _curve(good)["fit"],
    }


def _curve(rows: Rows) -> dict[str, Any]:
    counts = counts_of(rows["volts"], rows["switched"])
    return {"fit": fit_switching(counts).summary() if len(counts.x) > 1 else None}


def _disturb(rows: Rows) -> dict[str, Any]:
    """Say how often a state changed by being read alone, with the exact binomial 95 % upper bound."""
    reads, changed = len(rows["switched"]), int(np.sum(rows["switched"]))
    most = float(stats.beta.ppf(0.95, changed + 1, reads - changed)) if reads > changed else 1.0
    return {"holds": reads, "changed": changed, "probability_below": most if reads else None}
