"""What fits say, as tables: every device's parameters, and how devices of one kind differ."""

from __future__ import annotations

import math
from collections.abc import Mapping

from labtrain.report.sections import Table, quantity
from labtrain.twins import DeviceTwin, Fit, population_spreads


def population_tables(fits: Mapping[str, Fit]) -> list[Table]:
    """List mean and spread of every parameter over devices of one kind."""
    devices = {
        name: DeviceTwin(fit.model, dict(fit.parameters), fit.verdict, fit.chi2_reduced)
        for name, fit in fits.items()
    }
    tables = []
    for kind, found in population_spreads(devices).items():
        rows = []
        for name, spread in found.parameters.items():
            unit = spread.mean.unit
            between = (
                f"{spread.spread.value:.1%} ± {spread.spread.uncertainty:.1%}"
                if spread.relative
                else quantity(spread.spread.value, spread.spread.uncertainty, unit)
            )
            mean = quantity(spread.mean.value, spread.mean.uncertainty, unit)
            rows.append((name, mean, between, quantity(spread.median, None, unit)))
        basis = f"{found.described} of {found.devices} described" + (
            "" if found.basis == "described" else "; over all that were fitted"
        )
        headings = ("parameter", "mean", "spread between devices", "median")
        tables.append(Table(headings, rows, f"Population {kind}, {found.model}: {basis}"))
    return tables


def device_table(fits: Mapping[str, Fit]) -> Table:
    """List every device's parameters with uncertainties and verdict."""
    names = list(dict.fromkeys(n for fit in fits.values() for n, e in fit.parameters.items() if not e.fixed))
    rows = []
    for device, fit in fits.items():
        cells = [
            quantity(e.value, e.uncertainty if math.isfinite(e.uncertainty) else None, e.unit)
            if (e := fit.parameters.get(name)) is not None and math.isfinite(e.value)
            else "—"
            for name in names
        ]
        ratio = f"{fit.chi2_reduced:.2f}" if math.isfinite(fit.chi2_reduced) else "—"
        rows.append((device, *cells, ratio, verdict_text(fit)))
    marks = frozenset(i for i, fit in enumerate(fits.values()) if fit.verdict != "describes")
    headings = ("device", *names, "χ²/ν", "verdict")
    return Table(headings, rows, "Every device's twin (one standard deviation)", marks, folded=len(rows) > 4)


def verdict_text(fit: Fit) -> str:
    """Write a verdict with its reason where it is not good."""
    if fit.verdict == "describes":
        return "describes"
    better = f"; better: {fit.better_model}" if fit.better_model else ""
    return f"{fit.verdict.replace('-', ' ')}{better} ({fit.reason})"
