"""From columns of rows to one fit a device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, UsageError
from labtrain.twins.column_map import ColumnMap, kept_rows
from labtrain.twins.fit import Fit, Floats, TooFewData
from labtrain.twins.models import MODELS

Columns = Mapping[str, NDArray[Any]]


def fit_rows(
    columns: Columns, plan: ColumnMap, *, model: str, devices: Sequence[str] | None = None
) -> dict[str, Fit]:
    """Fit one model to each device in a table of rows.

    Parameters
    ----------
    columns
        Column name -> array, all of one length.
    plan
        Which column is voltage, current, ..., and what makes a device.
    model
        A name of :data:`labtrain.twins.models.MODELS`.
    devices
        Only these: a device's name, an array's (``"neurons"``), or the first part of names
        (``"sot"`` takes ``"sot/P->AP"``).

    Returns
    -------
    dict
        Device name -> fit; a device with too little left has the verdict "insufficient".

    Raises
    ------
    UsageError
        For an unknown model or device, or a column that the model needs.
    DataError
        For data that cannot be right, naming the device.
    """
    if model not in MODELS:
        raise UsageError(f"there is no fit model {model!r}", remedy=f"known: {', '.join(sorted(MODELS))}")
    MODELS[model].check(plan.columns)
    groups = _groups(columns, plan)
    fits = {
        name: _fit_one(name, model, _roles(columns, plan, rows))
        for name, rows in groups.items()
        if _wanted(name, devices)
    }
    if not fits:
        known = ", ".join(groups) or "none"
        raise UsageError(f"no device {', '.join(devices or [])} in the data", remedy=f"there are: {known}")
    return fits


def _roles(columns: Columns, plan: ColumnMap, rows: NDArray[np.intp]) -> dict[str, Floats]:
    return {role: use.numbers(role, columns[use.name][rows]) for role, use in plan.columns.items()}


def _fit_one(name: str, model: str, roles: Mapping[str, Floats]) -> Fit:
    try:
        return MODELS[model].fit(roles)
    except TooFewData as problem:
        return Fit(model, {}, math.nan, math.nan, "insufficient", problem.message)
    except DataError as problem:
        raise DataError(f"device {name}: {problem.message}", remedy=problem.remedy) from None


def _groups(columns: Columns, plan: ColumnMap) -> dict[str, NDArray[np.intp]]:
    """Row numbers by device, in order of appearance; only rows that ``where`` keeps."""
    keep = kept_rows(columns, plan.where, len(next(iter(columns.values()))))
    if not plan.group_by:
        return {"device": np.flatnonzero(keep)}
    groups: dict[str, list[int]] = {}
    for row, kept in enumerate(keep):
        group = groups.setdefault("/".join(str(columns[name][row]) for name in plan.group_by), [])
        if kept:
            group.append(row)
    return {name: np.array(found, dtype=np.intp) for name, found in groups.items()}


def _wanted(name: str, devices: Sequence[str] | None) -> bool:
    if devices is None:
        return True
    return any(name == wanted or name.startswith((wanted + "/", wanted + "[")) for wanted in devices)
