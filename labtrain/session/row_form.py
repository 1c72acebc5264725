"""How a row of a stream becomes bytes and columns again: fixed columns packed, text behind them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.session.names import check_part
from labtrain.session.sink import Column
from labtrain.session.texts import check_text, check_unit

_CODES = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}


@final
class RowForm:
    """The columns of one stream.

    Raises
    ------
    UsageError
        For no column at all, a dtype that rows cannot hold, or a unit that pint does not read.
    """

    def __init__(self, stream: str, columns: Mapping[str, Column]) -> None:
        if not columns:
            raise UsageError(f"the stream {stream!r} has no columns", remedy="declare at least one")
        for name, column in columns.items():
            _check_column(stream, name, column)
        self.stream = stream
        self.columns = dict(columns)
        self._fixed = [name for name, column in columns.items() if column.dtype != "str"]
        self._texts = [name for name, column in columns.items() if column.dtype == "str"]
        self._booleans = [name for name in self._fixed if columns[name].dtype == "bool"]
        self._values: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            itemgetter(*self._fixed)
            if len(self._fixed) > 1
            else lambda row: [row[name] for name in self._fixed]
        )
        self._struct = struct.Struct("<" + "".join(_CODES[columns[name].dtype] for name in self._fixed))
        self._packed = np.dtype(
            [(name, np.dtype(columns[name].dtype).newbyteorder("<")) for name in self._fixed]
        )

    def pack(self, row: Mapping[str, Any]) -> bytes:
        """Return one row as bytes.

        Raises
        ------
        UsageError
            For a missing or unknown column, or a value that its column cannot hold.
        """
        try:
            if len(row) != len(self.columns) or self._booleans or self._texts:
                self._check(row)
            packed = self._struct.pack(*self._values(row))
        except (KeyError, struct.error, TypeError, ValueError, OverflowError) as error:
            raise self._complaint(row, error) from error
        return packed + self._pack_texts(row) if self._texts else packed

    def unpack(self, payloads: Sequence[memoryview | bytes]) -> dict[str, NDArray[Any]]:
        """Return the columns of packed rows, in the declared order; text columns are object arrays."""
        size = self._packed.itemsize
        values = self.unpack_fixed(b"".join([payload[:size] for payload in payloads]))
        texts = [_unpack_texts(bytes(payload[size:])) for payload in payloads] if self._texts else []
        for place, name in enumerate(self._texts):
            values[name] = np.array([row[place] for row in texts], dtype=object)
        return {name: values[name] for name in self.columns}

    def unpack_fixed(self, heads: bytes | NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the columns other than text of packed rows that stand one behind the other."""
        if not self._fixed:
            return {}
        rows = np.frombuffer(heads, self._packed)
        return {name: np.ascontiguousarray(rows[name]) for name in self._fixed}

    @property
    def has_texts(self) -> bool:
        """Whether any column is text."""
        return bool(self._texts)

    def repack(self, columns: Mapping[str, NDArray[Any]]) -> list[bytes]:
        """Return the rows of whole columns as :meth:`pack` gave them."""
        count = len(next(iter(columns.values())))
        rows = np.zeros(count, self._packed)
        for name in self._fixed:
            rows[name] = columns[name]
        size, packed = self._packed.itemsize, rows.tobytes()
        heads = [packed[i * size : (i + 1) * size] for i in range(count)]
        if not self._texts:
            return heads
        return [
            head + self._pack_texts({name: columns[name][i] for name in self._texts})
            for i, head in enumerate(heads)
        ]

    def _pack_texts(self, row: Mapping[str, Any]) -> bytes:
        encoded = [
            check_text(f"column {name!r} of {self.stream!r}", row[name]).encode() for name in self._texts
        ]
        return b"".join([len(text).to_bytes(4, "little") + text for text in encoded])

    def _check(self, row: Mapping[str, Any]) -> None:
        if row.keys() != self.columns.keys():
            raise KeyError(str(sorted(row.keys() ^ self.columns.keys())))
        for name in self._booleans:
            if not isinstance(row[name], bool | np.bool_):
                raise TypeError(f"column {name!r} holds True or False, not {row[name]!r}")
        for name in self._texts:
            if not isinstance(row[name], str):
                raise TypeError(f"column {name!r} holds text, not {row[name]!r}")

    def _complaint(self, row: Mapping[str, Any], error: Exception) -> UsageError:
        columns = ", ".join(f"{name} ({column.dtype})" for name, column in self.columns.items())
        missing = sorted(self.columns.keys() - row.keys())
        unknown = sorted(row.keys() - self.columns.keys())
        why = f"{f'missing {missing}' if missing else ''} {f'unknown {unknown}' if unknown else ''}".strip()
        return UsageError(
            f"a row of {self.stream!r} does not fit its columns: {why or error}; given {dict(row)!r}",
            remedy=f"give exactly {columns}",
        )


def _check_column(stream: str, name: str, column: Column) -> None:
    check_part(f"the column of {stream!r}", name)
    if column.dtype != "str" and column.dtype not in _CODES:
        raise UsageError(
            f"column {name!r} of {stream!r} has dtype {column.dtype!r}",
            remedy=f"known: {', '.join(_CODES)}, str",
        )
    check_unit(column.unit, f"column {name!r} of {stream!r}")


def _unpack_texts(data: bytes) -> list[str]:
    texts, position = [], 0
    while position < len(data):
        stop = position + 4 + int.from_bytes(data[position : position + 4], "little")
        texts.append(data[position + 4 : stop].decode())
        position = stop
    return texts
