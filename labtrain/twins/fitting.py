"""From columns of rows to one fit a device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, UsageError
from labtrain.twins.column_map import ColumnMap
from labtrain.twins.fit import Fit, Floats, TooFewData
from labtrain.twins.nano_neuron import fit_nano_neuron
from labtrain.twins.resistance import fit_resistance
from labtrain.twins.switching import counts_of, fit_switching

Columns = Mapping[str, NDArray[Any]]


def _switching(model: str) -> Callable[[Mapping[str, Floats]], Fit]:
    def fit(roles: Mapping[str, Floats]) -> Fit:
        # a curve of voltage alone is asked of pulses of any width; its validity says which they were
        seconds = roles.get("width")
        if "switched" in roles:
            return fit_switching(counts_of(roles["voltage"], roles["switched"], seconds=seconds), model)
        _need(roles, model, "voltage", "probability", "trials")
        trials = roles["trials"]
        return fit_switching(counts_of(roles["voltage"], roles["probability"], trials, seconds), model)

    return lambda roles: _with_width(fit(roles), roles)


def _with_width(fit: Fit, roles: Mapping[str, Floats]) -> Fit:
    """Note the pulse widths behind a fit where the data hold them: a curve P(V) belongs to one."""
    if "width" not in roles or not len(roles["width"]):
        return fit
    ends = float(roles["width"].min()), float(roles["width"].max())
    return replace(fit, validity={**fit.validity, "width": (*ends, "s")})


def _nano_neuron(roles: Mapping[str, Floats]) -> Fit:
    _need(roles, "nano-neuron", "current", "voltage")
    return fit_nano_neuron(roles["current"], roles["voltage"])


def _resistance(roles: Mapping[str, Floats]) -> Fit:
    _need(roles, "resistance", "current", "voltage")
    return fit_resistance(roles["current"], roles["voltage"])


MODELS: dict[str, Callable[[Mapping[str, Floats]], Fit]] = {
    "resistance": _resistance,
    "logistic": _switching("logistic"),
    "plateaued-logistic": _switching("plateaued-logistic"),
    "neel-brown": _switching("neel-brown"),
    "nano-neuron": _nano_neuron,
}
"""The models by the names of ``--model``."""


def _need(roles: Mapping[str, Floats], model: str, *names: str) -> None:
    missing = [name for name in names if name not in roles]
    if missing:
        raise UsageError(
            f"model {model!r} needs the columns {', '.join(names)}; {', '.join(missing)} is missing",
            remedy="add it to [columns] of the column map",
        )


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
        A name of :data:`MODELS`.
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
        return MODELS[model](roles)
    except TooFewData as problem:
        return Fit(model, {}, math.nan, math.nan, "insufficient", problem.message)
    except DataError as problem:
        raise DataError(f"device {name}: {problem.message}", remedy=problem.remedy) from None


def _groups(columns: Columns, plan: ColumnMap) -> dict[str, NDArray[np.intp]]:
    """Row numbers by device, in order of appearance; only rows that ``where`` keeps."""
    keep = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for name, wanted in plan.where.items():
        keep &= _matches(columns[name], wanted)
    if not plan.group_by:
        return {"device": np.flatnonzero(keep)}
    groups: dict[str, list[int]] = {}
    for row, kept in enumerate(keep):
        group = groups.setdefault("/".join(str(columns[name][row]) for name in plan.group_by), [])
        if kept:
            group.append(row)
    return {name: np.array(found, dtype=np.intp) for name, found in groups.items()}


def _matches(column: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    """Compare as numbers where ``wanted`` is one, else as text."""
    if isinstance(wanted, str):
        return np.asarray(column.astype(str) == wanted)
    try:
        return np.asarray(np.isclose(column.astype(float), float(wanted), rtol=1e-9, atol=0), dtype=bool)
    except ValueError:
        return np.zeros(len(column), dtype=bool)


def _wanted(name: str, devices: Sequence[str] | None) -> bool:
    if devices is None:
        return True
    return any(name == wanted or name.startswith((wanted + "/", wanted + "[")) for wanted in devices)
