"""Reading buffers of a TSP source meter (``smua.nvbuffer1``) and how ``printbuffer`` writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from simulated_instruments.smu_accuracy import Floats
from simulated_instruments.tsp_errors import TspError, runtime, too_big, too_small
from simulated_instruments.tsp_library import flag
from simulated_instruments.tsp_values import Attribute, TspObject, as_number, number_text, remembered

CAPACITY: Final = 60_000
COLUMNS: Final = ("readings", "timestamps", "sourcevalues", "statuses")
ASCII, REAL32, REAL64 = 1.0, 2.0, 3.0
"""``format.ASCII``, ``format.REAL32`` (or ``SREAL``), ``format.REAL64`` (or ``REAL``, ``DREAL``)."""


class Column(TspObject):
    """One column of a buffer, as ``printbuffer`` is given it; ``column[1]`` is its first value."""

    def __init__(self, buffer: TspBuffer, name: str) -> None:
        super().__init__(f"{buffer.name}.{name}", {})
        self.buffer = buffer
        self._column = name

    def values(self) -> Floats:
        """Return all its values."""
        return self.buffer.column(self._column)

    def read(self, key: Any) -> Any:
        """Return one value; nil where there is none."""
        if not isinstance(key, float):
            return super().read(key)
        values, place = self.values(), round(key) if math.isfinite(key) else 0
        return float(values[place - 1]) if 1 <= place <= len(values) else None


class TspBuffer(TspObject):
    """One reading buffer.

    Parameters
    ----------
    name
        As a script writes it.
    now_ns
        The instrument's time.
    """

    def __init__(self, name: str, capacity: int = CAPACITY) -> None:
        self._blocks: list[Floats] = []
        self._single: list[tuple[float, float, float, float]] = []
        self._count = 0
        self._start_ns = 0.0
        self.capacity = capacity
        self.append_mode = False
        self._collects = {"timestamps": True, "sourcevalues": False}
        attributes: dict[str, Any] = {
            "n": Attribute(lambda: float(self._count)),
            "capacity": Attribute(lambda: float(self.capacity)),
            "basetimestamp": Attribute(lambda: self._start_ns * 1e-9),
            "appendmode": Attribute(lambda: float(self.append_mode), self._set_append),
            "collecttimestamps": self._collecting("timestamps"),
            "collectsourcevalues": self._collecting("sourcevalues"),
            "clear": self._clear_call,
            "clearcache": lambda arguments: [],
            "fillmode": remembered({}, "fillmode", 0.0, 0.0, 1.0),
            "fillcount": remembered({}, "fillcount", 0.0, 0.0, 1e9),
            "timestampresolution": remembered({}, "timestampresolution", 1e-6, 1e-6, 1.0),
        }
        super().__init__(name, attributes)
        self.members |= {column: Column(self, column) for column in COLUMNS}

    def read(self, key: Any) -> Any:
        """Return a member; a number is that of a reading."""
        return self.members["readings"].read(key) if isinstance(key, float) else super().read(key)

    def _set_append(self, value: Any) -> None:
        self.append_mode = flag(value)

    def _collecting(self, name: str) -> Attribute:
        def put(value: Any) -> None:
            if self._count and flag(value) != self._collects[name]:
                raise TspError(5041, "Cannot change this setting unless buffer is cleared")
            self._collects[name] = flag(value)

        return Attribute(lambda: float(self._collects[name]), put)

    def _clear_call(self, arguments: list[Any]) -> list[Any]:
        self.clear()
        return []

    def clear(self) -> None:
        """Forget all readings."""
        self._blocks, self._single, self._count = [], [], 0

    def begin(self) -> None:
        """Begin a measurement or a sweep: without append mode it replaces what was there."""
        if not self.append_mode:
            self.clear()

    def store(self, readings: Floats, times_ns: Floats, levels: Floats, statuses: Floats) -> None:
        """Add readings ``[B]``; what finds no room is lost."""
        self._join()
        if not self._count:
            self._start_ns = float(times_ns[0])
        room = self.capacity - self._count
        times = (times_ns - self._start_ns) * 1e-9
        block = np.stack([readings, times, levels, statuses])[:, :room]
        self._blocks.append(block)
        self._count += block.shape[1]

    def store_one(self, reading: float, time_ns: int, level: float, status: float) -> None:
        """Add one reading; one that finds no room is lost."""
        if not self._count:
            self._start_ns = float(time_ns)
        if self._count < self.capacity:
            self._single.append((reading, (time_ns - self._start_ns) * 1e-9, level, status))
            self._count += 1

    def _join(self) -> None:
        """Put single readings, which wait in a list, behind the blocks."""
        if self._single:
            self._blocks.append(np.array(self._single).T)
            self._single = []

    def column(self, name: str) -> Floats:
        """Return one column; an error where it was not collected."""
        if not self._collects.get(name, True):
            raise runtime(f"{self.name}.{name} has not been collected")
        self._join()
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks, axis=1)]
        return self._blocks[0][COLUMNS.index(name)] if self._blocks else np.empty(0)


def table_of(arguments: list[Any]) -> Floats:
    """Read the arguments of ``printbuffer(start, end, columns...)``: ``[points, columns]``."""
    if len(arguments) < 3:
        raise runtime("printbuffer takes a start, an end, and columns of buffers")
    start, end = (round(as_number(value)) for value in arguments[:2])
    columns = []
    for column in arguments[2:]:
        if isinstance(column, TspBuffer):
            column = column.members["readings"]
        if not isinstance(column, Column):
            raise runtime("printbuffer takes columns such as smua.nvbuffer1.readings")
        columns.append(column.values())
    if start < 1:
        raise too_small(f"reading {start}")
    if end < start or any(end > len(column) for column in columns):
        raise too_big(f"reading {end}")
    return np.stack([column[start - 1 : end] for column in columns], axis=1)


def as_printed(table: Floats, form: float, swapped: bool, precision: int) -> bytes:
    """Write a table row by row: text with commas, or ``#0`` and binary numbers (manual, 7-94)."""
    flat = table.ravel()
    if form == ASCII:
        if np.isfinite(flat).all():
            pattern = f"%.{precision - 1}e"
            return (", ".join([pattern] * len(flat)) % tuple(flat.tolist())).encode("ascii")
        return ", ".join([number_text(value, precision) for value in flat.tolist()]).encode("ascii")
    order = "<" if swapped else ">"
    return b"#0" + flat.astype(f"{order}f{4 if form == REAL32 else 8}").tobytes()


FORMS: Final[Mapping[str, float]] = {
    "ASCII": ASCII, "REAL32": REAL32, "SREAL": REAL32, "REAL64": REAL64, "REAL": REAL64, "DREAL": REAL64,
}  # fmt: skip
