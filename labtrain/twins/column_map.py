"""Which column is what: the same plan for a CSV file's MAP.toml and for a recorded run.

MAP.toml::

    group_by = ["device_id", "direction"]      # a device's name is these values joined by "/"
    where = { t_p = 7.5e-10 }                  # only rows with these values
    delimiter = ","                            # "tab" for tabulators
    header = true                              # false: columns are named "1", "2", ...

    [columns]
    voltage = { name = "V [V]", unit = "V" }
    probability = { name = "P_sw" }
    trials = { name = "n_reps" }
    state = { name = "state", values = { P = 0, AP = 1 } }      # words for numbers
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, UsageError
from labtrain.naming import nearest
from labtrain.units import registry

ROLES = {
    "voltage": "V",
    "current": "A",
    "resistance": "ohm",
    "probability": "",
    "switched": "",
    "trials": "",
    "width": "s",
    "state": "",
    "dwell": "s",
    "complete": "",
    "interval": "s",
    "time": "s",
    "conductance": "S",
    "before": "S",
    "target": "S",
    "polarity": "",
}
"""What a column can stand for, and the SI unit that fits work in.

``switched`` 0 or 1 an attempt; ``probability`` of ``trials`` attempts; ``width`` of a pulse; ``state`` 0 (P)
or 1 (AP); ``dwell`` in that state, ``complete`` 1 where both its ends were seen; ``interval`` between
samples; ``conductance`` read after a pulse (of ``polarity`` +1 or -1), after a write (to ``target``) or a
``time``; the conductance ``before`` it.
"""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column of the data: its name there, the unit of its numbers, and numbers for words."""

    name: str
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)

    def factor(self, role: str) -> float:
        """Return what its numbers are multiplied by to be in the role's SI unit."""
        return float(
            registry().Quantity(1.0, self.unit or "dimensionless").to(ROLES[role] or "dimensionless").m
        )

    def as_data(self) -> dict[str, Any]:
        """Return its entry in a column map."""
        return {"name": self.name, "unit": self.unit} | ({"values": dict(self.values)} if self.values else {})

    def numbers(self, role: str, column: NDArray[Any]) -> NDArray[np.float64]:
        """Return a column's numbers in the role's SI unit; words by ``values``.

        Raises
        ------
        DataError
            For a word that ``values`` does not know.
        """
        if not self.values:
            return np.asarray(column, dtype=float) * self.factor(role)
        words = column.astype(str)
        unknown = sorted(set(words.tolist()) - set(self.values))
        if unknown:
            known = ", ".join(self.values)
            raise DataError(
                f"{unknown[0]!r} in column {self.name!r} is none of the words {known}",
                remedy="name it in the column's values",
            )
        return np.array([self.values[word] for word in words]) * self.factor(role)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Roles to columns, and how rows are sorted into devices."""

    columns: Mapping[str, ColumnUse]
    group_by: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    delimiter: str = ","
    header: bool = True

    def as_data(self) -> dict[str, Any]:
        """Return JSON-able data that :func:`column_map` reads back."""
        return {
            "columns": {role: use.as_data() for role, use in self.columns.items()},
            "group_by": list(self.group_by),
            "where": dict(self.where),
        }


def read_column_map(path: Path) -> ColumnMap:
    """Read a MAP.toml.

    Raises
    ------
    UsageError
        Naming the file and key, with what is allowed.
    """
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError:
        raise UsageError(
            "no such column map", file=path, remedy="give an existing --columns MAP.toml"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"is not TOML: {problem}", file=path) from None
    return column_map(data, file=path)


def column_map(data: Mapping[str, Any], file: Path | None = None) -> ColumnMap:
    """Check a column map's data; see :func:`read_column_map`."""
    _known_only(data, ("columns", "group_by", "where", "delimiter", "header"), "", file)
    columns = data.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise UsageError(
            "a column map needs a [columns] table",
            file=file,
            key="columns",
            remedy='for instance columns.voltage = {name = "V [V]", unit = "V"}',
        )
    _known_only(columns, tuple(ROLES), "columns.", file)
    group_by = data.get("group_by", [])
    if not isinstance(group_by, list) or not all(isinstance(name, str) for name in group_by):
        raise UsageError("group_by must be a list of column names", file=file, key="group_by")
    delimiter = str(data.get("delimiter", ","))
    return ColumnMap(
        columns={role: _use(role, entry, file) for role, entry in columns.items()},
        group_by=tuple(group_by),
        where=dict(data.get("where", {})),
        delimiter="\t" if delimiter in ("tab", "\t") else delimiter,
        header=bool(data.get("header", True)),
    )


def _use(role: str, entry: Any, file: Path | None) -> ColumnUse:
    key = f"columns.{role}"
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise UsageError(
            f"{entry!r} does not name a column",
            file=file,
            key=key,
            remedy='for instance {name = "V [V]", unit = "V"}',
        )
    _known_only(entry, ("name", "unit", "values"), key + ".", file)
    if ROLES[role] and not entry.get("unit"):
        raise UsageError(
            "a unit is needed", file=file, key=key, remedy=f'for instance unit = "{ROLES[role]}"'
        )
    use = ColumnUse(entry["name"], str(entry.get("unit", "")), _words(entry.get("values", {}), file, key))
    try:
        use.factor(role)
    except Exception:  # pint raises many kinds for unreadable units
        raise UsageError(
            f"{use.unit!r} is no unit of {role}", file=file, key=key, remedy=f'for instance "{ROLES[role]}"'
        ) from None
    return use


def _words(entry: Any, file: Path | None, key: str) -> dict[str, float]:
    if not isinstance(entry, Mapping) or not all(isinstance(v, int | float) for v in entry.values()):
        raise UsageError(
            f"{entry!r} gives no numbers for words",
            file=file,
            key=key + ".values",
            remedy="for instance {P = 0, AP = 1}",
        )
    return {str(word): float(value) for word, value in entry.items()}


def _known_only(data: Mapping[str, Any], known: tuple[str, ...], prefix: str, file: Path | None) -> None:
    for key in data:
        if key not in known:
            raise UsageError("unknown key", file=file, key=prefix + key, remedy=nearest(key, known))
