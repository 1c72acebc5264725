"""From columns of rows to one fit a device: what ``labtrain fit`` and the demo call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, UsageError
from labtrain.twins.column_map import ColumnMap, column_map
from labtrain.twins.csv_data import read_csv
from labtrain.twins.fit import Fit, Floats
from labtrain.twins.nano_neuron import fit_nano_neuron
from labtrain.twins.resistance import fit_resistance
from labtrain.twins.switching import counts_of, fit_switching

if TYPE_CHECKING:
    from labtrain.session import Recording

Columns = Mapping[str, NDArray[Any]]


def _switching(model: str) -> Callable[[Mapping[str, Floats]], Fit]:
    def fit(roles: Mapping[str, Floats]) -> Fit:
        if "switched" in roles:
            return fit_switching(counts_of(roles["voltage"], roles["switched"]), model)
        _need(roles, model, "voltage", "probability", "trials")
        return fit_switching(counts_of(roles["voltage"], roles["probability"], roles["trials"]), model)

    return fit


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
        Only these devices (names, or the first part of names: ``"sot"`` takes ``"sot/P->AP"``).

    Raises
    ------
    UsageError
        For an unknown model or device, or a column that the model needs.
    DataError
        For data that cannot be fitted, naming the device.
    """
    if model not in MODELS:
        raise UsageError(f"there is no fit model {model!r}", remedy=f"known: {', '.join(sorted(MODELS))}")
    fits = {}
    for name, rows in _groups(columns, plan).items():
        if devices is None or any(name == wanted or name.startswith(wanted + "/") for wanted in devices):
            roles = {
                role: np.asarray(columns[use.name], dtype=float)[rows] * use.factor(role)
                for role, use in plan.columns.items()
            }
            fits[name] = _fit_one(name, model, roles)
    if not fits:
        known = ", ".join(_groups(columns, plan)) or "none"
        raise UsageError(f"no device {', '.join(devices or [])} in the data", remedy=f"there are: {known}")
    return fits


def _fit_one(name: str, model: str, roles: Mapping[str, Floats]) -> Fit:
    try:
        return MODELS[model](roles)
    except DataError as problem:
        raise DataError(f"device {name}: {problem.message}", remedy=problem.remedy) from None


def _groups(columns: Columns, plan: ColumnMap) -> dict[str, NDArray[np.intp]]:
    """Row numbers by device, in order of appearance."""
    keep = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for name, wanted in plan.where.items():
        keep &= _matches(columns[name], wanted)
    rows = np.flatnonzero(keep)
    if not plan.group_by:
        return {"device": rows}
    groups: dict[str, list[int]] = {}
    for row in rows:
        groups.setdefault("/".join(str(columns[name][row]) for name in plan.group_by), []).append(int(row))
    return {name: np.array(found) for name, found in groups.items()}


def _matches(column: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    """Compare as numbers where ``wanted`` is one, else as text."""
    if isinstance(wanted, str):
        return np.asarray(column.astype(str) == wanted)
    try:
        return np.asarray(np.isclose(column.astype(float), float(wanted), rtol=1e-9, atol=0), dtype=bool)
    except ValueError:
        return np.zeros(len(column), dtype=bool)


def fit_recording(
    recording: Recording, *, model: str | None = None, devices: Sequence[str] | None = None
) -> dict[str, Fit]:
    """Fit every run of a recording that says how it is fitted (its attribute ``fit``).

    Parameters
    ----------
    model
        Instead of the run's own; runs that lack its columns are passed over.
    devices
        Only these.

    Returns
    -------
    dict
        Device name -> fit; of several runs of one device and model, the last.
    """
    fits: dict[str, Fit] = {}
    for stream in recording.stream_names():
        rows = recording.rows(stream)
        hint = rows.attributes.get("fit")
        if not stream.startswith("runs/") or not hint or not len(next(iter(rows.columns.values()), ())):
            continue
        plan, chosen = column_map(hint["map"]), model or hint["model"]
        if model and model not in hint["models"]:
            continue
        wanted = [name for name in _groups(rows.columns, plan) if _wanted(name, devices)]
        if wanted:
            fits |= fit_rows(rows.columns, plan, model=chosen, devices=wanted)
    if not fits:
        raise UsageError(
            "the recording holds no run that this fit can use",
            remedy="run iv-curve or switching-probability first, or give another --model or --device",
        )
    return fits


def _wanted(name: str, devices: Sequence[str] | None) -> bool:
    return devices is None or any(name == wanted or name.startswith(wanted + "/") for wanted in devices)


def fit_files(
    paths: Sequence[Path],
    *,
    columns: Path | None = None,
    model: str | None = None,
    devices: Sequence[str] | None = None,
) -> dict[str, Fit]:
    """Fit sessions (``.h5``) and CSV files; CSV needs ``columns`` (a MAP.toml).

    Raises
    ------
    UsageError, DataError
        As :func:`fit_rows`; with file, line and key where they apply.
    """
    from labtrain.session import Recording
    from labtrain.twins.column_map import read_column_map

    fits: dict[str, Fit] = {}
    for path in paths:
        if path.suffix.lower() in (".h5", ".hdf5"):
            with Recording.open(path) as recording:
                fits |= fit_recording(recording, model=model, devices=devices)
        else:
            if columns is None:
                raise UsageError("a CSV file needs a column map", file=path, remedy="give --columns MAP.toml")
            plan = read_column_map(columns)
            chosen = model or ("nano-neuron" if "current" in plan.columns else "logistic")
            fits |= fit_rows(read_csv(path, plan), plan, model=chosen, devices=devices)
    return fits
