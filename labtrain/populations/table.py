"""A population from a TOML table: every cell's parameters as they were written down.

.. code-block:: toml

    model = "sot-mtj"
    [parameters]
    v50_p_ap = ["0.62 V", "0.60 V", "0.65 V"]   # one a cell
    r_line = "776 ohm"                          # the same for all

Parameters left out take the model's defaults, without spread.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from labtrain.errors import DataError, LabtrainError
from labtrain.naming import nearest
from labtrain.populations import draw, model_named
from labtrain.populations.model import Population, Values
from labtrain.units import parse_quantity


def read_population(path: Path, seed: int, array: str = "") -> Population:
    """Read a population's table.

    Parameters
    ----------
    seed
        Of the devices' noise.

    Raises
    ------
    DataError
        For a file that is no such table, an unknown model or parameter, a value without its unit, or
        lists of different lengths; naming the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise DataError(f"is no population table: {problem}", file=path) from None
    try:
        return population_of_table(table, seed, array)
    except DataError as error:
        raise DataError(error.message, remedy=error.remedy, file=path, key=error.key) from None


def population_of_table(table: Mapping[str, Any], seed: int, array: str = "") -> Population:
    """Make the population that a table describes; see :func:`read_population`."""
    try:
        model = model_named(str(table.get("model", "")))
    except LabtrainError as error:
        raise DataError(error.message, remedy=error.remedy, key="model") from None
    given = table.get("parameters", {})
    count = max((len(entry) for entry in given.values() if isinstance(entry, list)), default=1)
    values: Values = {name: column.copy() for name, column in draw(model, seed, count).parameters.items()}
    cells = len(next(iter(values.values())))
    for name, entry in given.items():
        if name not in values:
            raise DataError(f"{model.name} has no parameter {name!r}", remedy=nearest(name, values), key=name)
        values[name][:] = _column(name, entry, model.units[name], cells)
    for column in values.values():
        column.setflags(write=False)
    return Population(model.name, seed, values, model.units, array)


def _column(name: str, entry: Any, unit: str, cells: int) -> Any:
    entries = entry if isinstance(entry, list) else [entry] * cells
    if len(entries) != cells:
        raise DataError(
            f"{name} has {len(entries)} values where {cells} cells are described",
            remedy="give one value a cell, or one for all",
            key=name,
        )
    try:
        return np.array([parse_quantity(str(value), unit or "dimensionless") for value in entries])
    except LabtrainError as error:
        raise DataError(error.message, remedy=error.remedy, key=name) from None
