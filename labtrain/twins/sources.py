"""Twins from files: sealed sessions and CSV data; what ``labtrain fit`` and the demo call."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labtrain.errors import UsageError
from labtrain.twins.column_map import column_map, read_column_map
from labtrain.twins.csv_data import read_csv
from labtrain.twins.fit import Fit
from labtrain.twins.fitting import fit_rows
from labtrain.twins.models import usual_model
from labtrain.twins.twin_file import Twin

if TYPE_CHECKING:
    from labtrain.session import Recording


_SESSIONS = (".h5", ".hdf5")


def fit_recording(
    recording: Recording, *, model: str | None = None, devices: Sequence[str] | None = None
) -> dict[str, Fit]:
    """Fit every run of a recording that says how it is fitted (its attribute ``fit``).

    Parameters
    ----------
    model
        Instead of the runs' own; runs that it does not suit are passed over.
    devices
        Only these; see :func:`labtrain.twins.fit_rows`.

    Returns
    -------
    dict
        Device name -> fit; of several runs of one device, the last. Empty where nothing can be fitted.
    """
    fits: dict[str, Fit] = {}
    for stream in recording.stream_names():
        if not stream.startswith("runs/"):
            continue
        rows = recording.rows(stream)
        hint = rows.attributes.get("fit")
        if not hint or (model and model not in hint["models"]) or not len(next(iter(rows.columns.values()))):
            continue
        try:
            fits |= fit_rows(
                rows.columns, column_map(hint["map"]), model=model or hint["model"], devices=devices
            )
        except UsageError:
            if devices is None:
                raise  # with devices asked for, another run may hold them
    return fits


def fit_files(
    paths: Sequence[Path],
    *,
    columns: Path | None = None,
    model: str | None = None,
    device: str | None = None,
) -> Twin:
    """Fit sessions (``.h5``) and CSV files; CSV needs ``columns`` (a MAP.toml).

    Parameters
    ----------
    device
        Only this device or array; several by comma.

    Raises
    ------
    UsageError, DataError
        With file, line and key where they apply; when nothing could be fitted.
    """
    devices = [part.strip() for part in device.split(",")] if device else None
    fits: dict[str, Fit] = {}
    tables = [path for path in paths if path.suffix.lower() not in _SESSIONS]
    for path in paths:
        if path not in tables:
            fits |= _session(path, model, devices)
    if tables:
        fits |= _csv(tables, columns, model, devices)
    if not fits:
        raise UsageError(
            "there is nothing to fit in the data given",
            remedy="run iv-curve or switching-probability first, or give another --model or --device",
        )
    return Twin.from_fits(fits, [path.name for path in paths], [_provenance(path) for path in paths])


def _provenance(path: Path) -> dict[str, str]:
    """Say which file it was, whatever its name becomes."""
    if path.suffix.lower() not in _SESSIONS:
        return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    from labtrain.session import Recording

    with Recording.open(path) as recording:
        return {"file": path.name, "uuid": recording.uuid, "journal_digest": recording.journal_digest}


def _session(path: Path, model: str | None, devices: Sequence[str] | None) -> dict[str, Fit]:
    from labtrain.session import Recording

    with Recording.open(path) as recording:
        return fit_recording(recording, model=model, devices=devices)


def _csv(
    paths: Sequence[Path], columns: Path | None, model: str | None, devices: Sequence[str] | None
) -> dict[str, Fit]:
    """Fit files of one column map together: rows of one device may lie in several."""
    if columns is None:
        raise UsageError("a CSV file needs a column map", file=paths[0], remedy="give --columns MAP.toml")
    plan = read_column_map(columns)
    tables = [read_csv(path, plan) for path in paths]
    rows = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return fit_rows(rows, plan, model=model or usual_model(plan.columns), devices=devices)
