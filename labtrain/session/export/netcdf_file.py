"""netCDF 4 through h5netcdf: a group a row stream, a variable a column, named arrays beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from labtrain.session.export import need
from labtrain.session.recording import Recording, Rows


def to_netcdf(recording: Recording, folder: Path) -> list[Path]:
    """Write rows and the newest version of every named array.

    ``xarray.open_dataset(file, group="runs/0001_iv-curve/points")`` reads a stream with its units.
    netCDF knows no booleans: they become bytes with the attribute ``dtype = "bool"``; complex arrays
    become two variables, ``.real`` and ``.imag``.
    """
    h5netcdf = need("h5netcdf", "h5netcdf", "netcdf")
    path = folder / f"{recording.path.stem}.nc"
    with h5netcdf.File(path, "w") as file:
        file.attrs.update(source=recording.path.name, session_uuid=recording.uuid, status=recording.status)
        for name in recording.stream_names():
            _write_rows(file, name, recording.rows(name))
        for name in recording.array_names():
            _write_array(file, name, recording.array(name), recording.array_unit(name))
    return [path]


def _write_rows(file: Any, name: str, rows: Rows) -> None:
    group = file.create_group(name)
    group.dimensions["row"] = len(rows)
    for column, values in rows.columns.items():
        declared = rows.declared[column]
        _write_variable(group, column, ("row",), values, declared.unit, declared.long_name)
    for key, value in rows.attributes.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            group.attrs[key] = value


def _write_array(file: Any, name: str, values: NDArray[Any], unit: str) -> None:
    above, _, own = name.rpartition("/")
    group = _group(file, above)
    sizes = tuple(f"{own}_{axis}" for axis in range(values.ndim))
    for size, length in zip(sizes, values.shape, strict=True):
        group.dimensions[size] = length
    parts = (
        {f"{own}.real": values.real, f"{own}.imag": values.imag} if np.iscomplexobj(values) else {own: values}
    )
    for part, data in parts.items():
        _write_variable(group, part, sizes, data, unit, "")


def _group(file: Any, name: str) -> Any:
    if not name:
        return file
    return file[name] if name in file else file.create_group(name)


def _write_variable(
    group: Any, name: str, sizes: tuple[str, ...], values: NDArray[Any], unit: str, long_name: str
) -> None:
    boolean = values.dtype == bool
    kind = h5py.string_dtype() if values.dtype == object else np.uint8 if boolean else values.dtype
    variable = group.create_variable(name, sizes, dtype=kind)
    if values.size:
        variable[...] = values.astype(np.uint8) if boolean else values
    named = {"units": unit, "long_name": long_name, "dtype": "bool" if boolean else ""}
    variable.attrs.update({key: text for key, text in named.items() if text})
