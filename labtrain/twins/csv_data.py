"""Measured data from elsewhere: CSV into columns, every trap named with file and line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.twins.column_map import ColumnMap

OVERRANGE = 1e27
"""Magnitudes above this are an instrument's markers (9.9e37, -4.95e28), not measurements."""


def read_csv(path: Path, plan: ColumnMap) -> dict[str, NDArray[np.generic]]:
    """Read the columns that ``plan`` names; numbers as float64, the others as text.

    Raises
    ------
    DataError
        For a missing file or column, a duplicated column name, a row of another length, a cell that is
        no number, or an instrument's overrange marker, naming the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=plan.delimiter)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise DataError("no such file", file=path) from None
    except UnicodeDecodeError:
        raise DataError(
            "is not UTF-8 text", file=path, remedy="convert it, or give the original CSV"
        ) from None
    if not rows:
        raise DataError("is empty", file=path)
    names = (
        [cell.strip() for cell in rows[0][1]] if plan.header else [str(i + 1) for i in range(len(rows[0][1]))]
    )
    body = rows[1:] if plan.header else rows
    _check_shape(path, names, body)
    numeric = dict.fromkeys(use.name for use in plan.columns.values())  # in the map's order
    wanted = dict.fromkeys([*numeric, *plan.group_by, *plan.where])
    return {name: _column(path, names, body, name, name in numeric) for name in wanted}


def _check_shape(path: Path, names: list[str], body: list[tuple[int, list[str]]]) -> None:
    if not body:
        raise DataError("has a header and no rows", file=path)
    for line, row in body:
        if len(row) != len(names):
            raise DataError(
                f"has {len(row)} cells where {len(names)} are expected",
                file=path,
                line=line,
                remedy="check the delimiter, and quoted cells with line breaks inside",
            )


def _column(
    path: Path, names: list[str], body: list[tuple[int, list[str]]], name: str, numeric: bool
) -> NDArray[np.generic]:
    if names.count(name) != 1:
        what = "is there twice" if name in names else "is not there"
        raise DataError(
            f"column {name!r} {what}",
            file=path,
            line=1,
            remedy=f"columns: {', '.join(names)}; header = false numbers them",
        )
    place = names.index(name)
    cells = [(line, row[place].strip()) for line, row in body]
    return np.array([_number(path, line, name, cell) for line, cell in cells]) if numeric else _text(cells)


def _text(cells: list[tuple[int, str]]) -> NDArray[np.generic]:
    return np.array([cell for _, cell in cells])


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(f"{cell!r} in column {name!r} is no number", file=path, line=line) from None
    if not abs(value) < OVERRANGE:
        raise DataError(
            f"{cell} in column {name!r} is an instrument's overrange marker or not finite",
            file=path,
            line=line,
            remedy="remove the row, or leave it out by where = {...}",
        )
    return value
