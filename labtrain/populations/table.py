"""A population from a TOML table: parameters as they were written down, with their spread or cell by cell.

.. code-block:: toml

    model = "sot-mtj"
    [parameters]
    v50_p_ap = ["0.62 V", "0.60 V", "0.65 V"]         # one a cell
    r_line = "776 ohm"                                # the same for all
    r_p = { value = "4.9 kohm", spread = 0.04 }       # log-normal, relative
    v50_ap_p = { value = "0.64 V", deviation = "20 mV" }   # normal

Parameters left out take the model's defaults, without spread. Spreads are drawn from the chip's seed, a
cell's the same however many cells there are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, LabtrainError
from labtrain.naming import nearest
from labtrain.populations import model_named
from labtrain.populations.model import DeviceModel, Population, Spread, stated
from labtrain.units import parse_quantity


def read_population(path: Path, seed: int, array: str = "", count: int | None = None) -> Population:
    """Read a population's table.

    Parameters
    ----------
    seed
        Of spreads and of the devices' noise.
    count
        Devices; None: as many as the longest list has.

    Raises
    ------
    DataError
        For a file that is no such table, an unknown model or parameter, a value without its unit or out of
        range, or lists of another length; naming the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise DataError(f"is no population table: {problem}", file=path) from None
    try:
        return population_of_table(table, seed, array, count)
    except DataError as error:
        raise DataError(error.message, remedy=error.remedy, file=path, key=error.key) from None


def population_of_table(
    table: Mapping[str, Any], seed: int, array: str = "", count: int | None = None
) -> Population:
    """Make the population that a table describes; see :func:`read_population`."""
    model, given = table_model(table), table.get("parameters", {})
    if not isinstance(given, Mapping):
        raise DataError("parameters is no table", remedy="write [parameters]", key="parameters")
    cells = _cells(model, given, count)
    columns = {name: _column(model, name, entry, Spread(seed, array, cells)) for name, entry in given.items()}
    rows = [{name: float(column[cell]) for name, column in columns.items()} for cell in range(cells)]
    try:
        return stated(model, seed, rows, array)
    except LabtrainError as error:
        raise DataError(error.message, remedy=error.remedy, key=error.key) from None


def table_model(table: Mapping[str, Any]) -> DeviceModel:
    """Return the device model that a table names.

    Raises
    ------
    DataError
        For an unknown one, or a key that no such table has.
    """
    for key in table:
        if key not in ("model", "parameters"):
            raise DataError(f"unknown key {key!r}", remedy=nearest(key, ("model", "parameters")), key=key)
    try:
        return model_named(str(table.get("model", "")))
    except LabtrainError as error:
        raise DataError(error.message, remedy=error.remedy, key="model") from None


def _cells(model: DeviceModel, given: Mapping[str, Any], count: int | None) -> int:
    if count is not None:
        return count * model.cells_per_device
    longest = max((len(entry) for entry in given.values() if isinstance(entry, list)), default=0)
    return longest or model.cells_per_device


def _column(model: DeviceModel, name: str, entry: Any, spread: Spread) -> NDArray[np.float64]:
    if name not in model.units:
        raise DataError(
            f"{model.name} has no parameter {name!r}", remedy=nearest(name, model.units), key=name
        )
    unit = model.units[name] or "dimensionless"
    if isinstance(entry, Mapping):
        return _spread(name, entry, unit, spread)
    entries = entry if isinstance(entry, list) else [entry] * spread.cells
    if len(entries) != spread.cells:
        raise DataError(
            f"{name} has {len(entries)} values where {spread.cells} cells are described",
            remedy="give one value a cell, or one for all",
            key=name,
        )
    return np.array([_quantity(name, value, unit) for value in entries])


def _spread(name: str, entry: Mapping[str, Any], unit: str, spread: Spread) -> NDArray[np.float64]:
    for key in entry:
        if key not in ("value", "spread", "deviation"):
            remedy = nearest(key, ("value", "spread", "deviation"))
            raise DataError(f"{name} has no {key!r}", remedy=remedy, key=f"{name}.{key}")
    if "value" not in entry:
        raise DataError(f"{name} has no value", remedy='such as { value = "1 V", spread = 0.05 }', key=name)
    value = _quantity(name, entry["value"], unit)
    relative = _quantity(name, entry.get("spread", 0.0), "dimensionless")
    deviation = _quantity(name, entry["deviation"], unit) if "deviation" in entry else 0.0
    if not (0.0 <= relative <= 1.0 and deviation >= 0.0):
        raise DataError(
            f"{name} has a spread that is none", remedy="give 0 to 1, or a deviation of 0 or more"
        )
    return spread.relative(name, value, relative) + deviation * spread.normal(f"{name}-deviation")


def _quantity(name: str, value: Any, unit: str) -> float:
    try:
        return float(parse_quantity(str(value), unit))
    except LabtrainError as error:
        raise DataError(error.message, remedy=error.remedy, key=name) from None
