"""Which column is what: the same plan for a CSV file's MAP.toml and for a recorded run.

MAP.toml::

    group_by = ["device_id", "direction"]      # a device's name is these values joined by "/"; "file"
    where = { t_p = 7.5e-10 }                  # only rows with these values, or in { above = -1, below = 1 }
    delimiter = ","                            # "tab" for tabulators
    header = true                              # false: columns are named "1", "2", ...
    wide = { first = 2, labels = ["HRS", "LRS"], label = "state", value = "R" }  # repeats side by side

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
class Wide:
    """A table with repeats side by side: from column ``first`` (1 is the first) on, ``labels`` in turn.

    The cells become a column named ``value``, and what each is one named ``label``.
    """

    first: int
    labels: tuple[str, ...]
    label: str = "label"
    value: str = "value"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Roles to columns, and how rows are sorted into devices."""

    columns: Mapping[str, ColumnUse]
    group_by: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    delimiter: str = ","
    header: bool = True
    wide: Wide | None = None

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
    _known_only(data, ("columns", "group_by", "where", "delimiter", "header", "wide"), "", file)
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
        where=_where(data.get("where", {}), file),
        delimiter="\t" if delimiter in ("tab", "\t") else delimiter,
        header=bool(data.get("header", True)),
        wide=_wide(data["wide"], file) if "wide" in data else None,
    )


def _wide(entry: Any, file: Path | None) -> Wide:
    if not isinstance(entry, Mapping):
        entry = {}
    _known_only(entry, ("first", "labels", "label", "value"), "wide.", file)
    first, labels = entry.get("first"), entry.get("labels")
    if not isinstance(first, int) or not isinstance(labels, list) or not labels:
        raise UsageError(
            "a wide table needs the first repeated column and what the columns hold in turn",
            file=file,
            key="wide",
            remedy='for instance wide = {first = 2, labels = ["HRS", "LRS"], label = "state", value = "R"}',
        )
    names = (str(entry.get("label", "label")), str(entry.get("value", "value")))
    return Wide(first, tuple(map(str, labels)), *names)


def kept_rows(columns: Mapping[str, NDArray[Any]], where: Mapping[str, Any], rows: int) -> NDArray[np.bool_]:
    """Return which rows ``where`` keeps: a value (or a list of them), or ``{above, below}``."""
    keep = np.ones(rows, dtype=bool)
    for name, wanted in where.items():
        keep &= _matches(columns[name], wanted)
    return keep


def _matches(column: NDArray[Any], wanted: Any) -> NDArray[np.bool_]:
    """Compare as numbers where ``wanted`` is one or a range of them, else as text."""
    if isinstance(wanted, list | tuple):
        return np.asarray(np.any([_matches(column, one) for one in wanted], axis=0), dtype=bool)
    if isinstance(wanted, str):
        return np.asarray(column.astype(str) == wanted)
    try:
        numbers = np.asarray(column.astype(float), dtype=np.float64)
    except ValueError:
        return np.zeros(len(column), dtype=bool)
    if isinstance(wanted, Mapping):
        above, below = float(wanted.get("above", -np.inf)), float(wanted.get("below", np.inf))
        return np.asarray((numbers > above) & (numbers < below))
    return np.asarray(np.isclose(numbers, float(wanted), rtol=1e-9, atol=0), dtype=bool)


def _where(entry: Any, file: Path | None) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise UsageError("where must be a table", file=file, key="where", remedy="where = {column = value}")
    for name, wanted in entry.items():
        if isinstance(wanted, Mapping):
            _known_only(wanted, ("above", "below"), f"where.{name}.", file)
    return dict(entry)


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
