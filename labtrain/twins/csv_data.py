"""Measured data from elsewhere: CSV into columns, every trap named with file and line."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.twins.column_map import ColumnMap, Wide, kept_rows
from labtrain.twins.fit import Floats
from labtrain.twins.switching import impossible_fraction

OVERRANGE = 1e27
"""Magnitudes above this are an instrument's markers (9.9e37, -4.95e28), not measurements."""

FILE = "file"
"""A column that every table has: the file's name without its ending, to group by."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Cells of a file: column names, and the rows with the lines at which they end."""

    path: Path
    names: list[str]
    rows: list[tuple[int, list[str]]]

    def cells(self, name: str) -> list[tuple[int, str]]:
        """Return a column's cells with their lines."""
        if name == FILE and name not in self.names:
            return [(line, self.path.stem) for line, _ in self.rows]
        if self.names.count(name) != 1:
            what = "is there twice" if name in self.names else "is not there"
            shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
            raise DataError(
                f"column {name!r} {what}",
                file=self.path,
                line=1,
                remedy=f"columns: {shown}; header = false numbers them",
            )
        place = self.names.index(name)
        return [(line, row[place].strip()) for line, row in self.rows]


def read_csv(path: Path, plan: ColumnMap) -> dict[str, NDArray[np.generic]]:
    """Read the columns that ``plan`` names; numbers as float64, the others as text.

    Cells that are no numbers are an error only in rows that ``plan.where`` keeps; elsewhere they are NaN.

    Raises
    ------
    DataError
        For a missing file or column, a duplicated column name, a row of another length, a cell that is
        no number, an instrument's overrange marker, or a fraction that the stated repetitions cannot give,
        naming the line.
    """
    table = _table(path, plan)
    if plan.wide is not None:
        table = _long(table, plan.wide)
    numeric = dict.fromkeys(use.name for use in plan.columns.values() if not use.values)  # in the map's order
    words = dict.fromkeys(use.name for use in plan.columns.values() if use.values)
    others = dict.fromkeys([*words, *plan.group_by, *plan.where])
    for name in numeric:
        table.cells(name)  # is there once
    text = {name: np.array([cell for _, cell in table.cells(name)]) for name in others}
    kept = kept_rows({name: text[name] for name in plan.where}, plan.where, len(table.rows))
    columns: dict[str, NDArray[np.generic]] = {name: _numbers(table, name, kept) for name in numeric}
    _check_repetitions(table, plan, columns, kept)
    return {**text, **columns}


def _table(path: Path, plan: ColumnMap) -> _Table:
    rows = _rows(path, plan.delimiter)
    if not rows:
        raise DataError("is empty", file=path)
    if not plan.header:
        names = [str(i + 1) for i in range(len(rows[0][1]))]
        table = _Table(path, names, rows)
    else:
        # NumPy's savetxt marks a header as a comment
        names = [cell.strip() for cell in rows[0][1]]
        names[0] = names[0].removeprefix("#").strip()
        table = _Table(path, names, rows[1:])
    _check_shape(table)
    return table


def _rows(path: Path, delimiter: str) -> list[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter)
            return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise DataError("no such file", file=path) from None
    except UnicodeDecodeError:
        raise DataError(
            "is not UTF-8 text", file=path, remedy="convert it, or give the original CSV"
        ) from None
    except csv.Error as problem:
        raise DataError(f"is no CSV: {problem}", file=path, line=reader.line_num) from None


def _check_shape(table: _Table) -> None:
    if not table.rows:
        raise DataError("has a header and no rows", file=table.path)
    for line, row in table.rows:
        if len(row) != len(table.names):
            raise DataError(
                f"has {len(row)} cells where {len(table.names)} are expected",
                file=table.path,
                line=line,
                remedy="check the delimiter, and quoted cells with line breaks inside",
            )


def _long(table: _Table, wide: Wide) -> _Table:
    """Turn columns that hold repeats of the same quantities into rows."""
    first = wide.first - 1
    if not 0 < first < len(table.names):
        raise DataError(
            f"has {len(table.names)} columns; wide.first = {wide.first} is none to begin at", file=table.path
        )
    labels: Sequence[str] = wide.labels
    rows = [
        (line, [*row[:first], labels[i % len(labels)], cell])
        for line, row in table.rows
        for i, cell in enumerate(row[first:])
    ]
    return _Table(table.path, [*table.names[:first], wide.label, wide.value], rows)


def _numbers(table: _Table, name: str, kept: NDArray[np.bool_]) -> Floats:
    cells = table.cells(name)
    return np.array(
        [
            _number(table.path, line, name, cell, bool(keep))
            for (line, cell), keep in zip(cells, kept, strict=True)
        ]
    )


def _number(path: Path, line: int, name: str, cell: str, kept: bool) -> float:
    try:
        value = float(cell)
    except ValueError:
        if not kept:
            return float("nan")
        what = (
            f"{cell!r} in column {name!r} is no number" if cell.strip() else f"column {name!r} is empty here"
        )
        raise DataError(
            what,
            file=path,
            line=line,
            remedy=f"correct the file, or leave such rows out: where = {{ {json.dumps(name)} = "
            "{ above = -1e9, below = 1e9 } }",
        ) from None
    if abs(value) < OVERRANGE:
        return value
    if not kept:
        return float("nan")
    raise DataError(
        f"{cell} in column {name!r} is an instrument's overrange marker or not finite",
        file=path,
        line=line,
        remedy=f'remove the row, or leave it out: where = {{"{name}" = {{above = ..., below = ...}}}}',
    )


def _check_repetitions(
    table: _Table, plan: ColumnMap, columns: dict[str, NDArray[np.generic]], kept: NDArray[np.bool_]
) -> None:
    if not {"probability", "trials"} <= set(plan.columns):
        return
    rates, trials = (
        plan.columns[role].numbers(role, columns[plan.columns[role].name])
        for role in ("probability", "trials")
    )
    rates, trials = np.where(kept, rates, 0.0), np.where(kept, trials, 1.0)
    found = impossible_fraction(rates, trials)
    if found is not None:
        where, what = found
        raise DataError(what, file=table.path, line=table.rows[where][0], remedy="check both columns")
