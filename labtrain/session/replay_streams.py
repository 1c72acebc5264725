"""Rows, exchanges, arrays and documents of a re-run, compared with the record bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from labtrain.session.array_form import plain_array
from labtrain.session.exchanges import Exchange
from labtrain.session.mismatch import (
    Verdict,
    refuse_array,
    refuse_further,
    refuse_unknown,
    refuse_value,
    same_array,
)
from labtrain.session.nearness import Nearness
from labtrain.session.recording import Recording, Rows
from labtrain.session.row_form import RowForm
from labtrain.session.sink import Column, RowStream
from labtrain.session.texts import canonical

T = TypeVar("T")
NOT_COMPARED = "live/"
"""Documents whose names begin so hold what no re-run can repeat (addresses, times, paths)."""


@final
class ReplayRows(RowStream):
    """Compares each row with the recorded one."""

    def __init__(
        self, name: str, form: RowForm, columns: Mapping[str, NDArray[Any]], verdict: Verdict, near: Nearness
    ) -> None:
        self.name = name
        self.position = 0
        self._form = form
        self._columns = columns
        self._recorded = form.repack(columns)
        self._verdict = verdict
        self._near = near

    @property
    def unplayed(self) -> int:
        """How many recorded rows did not come."""
        return len(self._recorded) - self.position

    def append(self, row: Mapping[str, Any]) -> None:
        """Compare one row."""
        self._verdict.check()
        if self._verdict.ended:
            return
        packed, index = self._form.pack(row), self.position
        if index >= len(self._recorded):
            refuse_further(self._verdict, "row", self.name, index)
        if self._recorded[index] != packed:
            self._compare(index, packed)
        self.position = index + 1

    def _compare(self, index: int, packed: bytes) -> None:
        for name, pair in self._form.unpack([self._recorded[index], packed]).items():
            expected, got = pair[0], pair[1]
            if bits(expected) != bits(got) and not self._is_near(name, index, expected, got):
                refuse_value(self._verdict, "row", self.name, index, f"column {name!r}", expected, got)

    def _is_near(self, column: str, index: int, expected: Any, got: Any) -> bool:
        if self._near.is_digest(column):
            return True
        whole = self._columns[column]
        if whole.dtype.kind != "f" or not self._near.tolerance:
            return False
        scale = float(np.max(np.abs(whole[np.isfinite(whole)]), initial=0.0))
        return self._near.number(
            float(expected), float(got), scale, f"row {index} of {self.name!r}, {column!r}"
        )


def bits(value: Any) -> bytes:
    """Return the bytes that make a text or a number what it is; -0.0 and 0.0 differ, a NaN equals itself."""
    return value.encode() if isinstance(value, str) else np.asarray(value).tobytes()


@final
class Series(Generic[T]):
    """Things recorded one after the other under one name, loaded when first compared."""

    def __init__(self, what: str, name: str, load: Callable[[], Sequence[T]], verdict: Verdict) -> None:
        self.what = what
        self.name = name
        self.position = 0
        self._load = load
        self._items: Sequence[T] | None = None
        self._verdict = verdict

    @property
    def items(self) -> Sequence[T]:
        """What was recorded."""
        if self._items is None:
            self._items = self._load()
        return self._items

    @property
    def unplayed(self) -> int:
        """How many recorded items did not come."""
        return len(self.items) - self.position

    def take(self) -> tuple[int, T]:
        """Return the next recorded item and its index; raise a mismatch when there is none."""
        index = self.position
        if index >= len(self.items):
            refuse_further(self._verdict, self.what, self.name, index)
        self.position = index + 1
        return index, self.items[index]


@final
class StreamReplay:
    """Everything but messages of one recording, and how far the re-run has come.

    Parameters
    ----------
    until
        The last sequence number that is played; None plays all.
    """

    def __init__(
        self, recording: Recording, verdict: Verdict, near: Nearness, until: int | None = None
    ) -> None:
        self._recording = recording
        self._verdict = verdict
        self._near = near
        self.rows: dict[str, ReplayRows] = {}
        self.exchanges = {
            name: Series[Exchange]("exchange", name, partial(recording.exchanges, name, until), verdict)
            for name in recording.exchange_names()
        }
        self.arrays = {
            name: Series[NDArray[Any]]("array", name, partial(recording.arrays, name, until), verdict)
            for name in recording.array_names()
        }
        self.documents = {
            name: Series[dict[str, Any]]("document", name, partial(recording.documents, name, until), verdict)
            for name in recording.document_names()
            if not name.startswith(NOT_COMPARED)
        }

    def open(self, name: str, columns: Mapping[str, Column], attributes: Mapping[str, Any]) -> ReplayRows:
        """Open a row stream of the re-run; columns, units and attributes are compared at once."""
        form = RowForm(name, columns)
        if name not in self._recording.stream_names():
            refuse_unknown(self._verdict, "row stream", name, self._recording.stream_names())
        if name in self.rows:
            refuse_further(self._verdict, "opening", name, 1)
        recorded = self._recording.rows(name)
        self.check_opening(name, recorded, columns, attributes)
        self.rows[name] = ReplayRows(name, form, recorded.columns, self._verdict, self._near)
        return self.rows[name]

    def check_opening(
        self, name: str, recorded: Rows, columns: Mapping[str, Column], attributes: Mapping[str, Any]
    ) -> None:
        """Compare columns, units and attributes of a row stream."""
        for part, expected, got in (
            ("columns", _columns(recorded.declared), _columns(columns)),
            ("attributes", canonical(recorded.attributes), canonical(dict(attributes))),
        ):
            if expected != got:
                refuse_value(self._verdict, "opening", name, 0, part, expected, got)

    def exchange(self, array: str, verb: str, sides: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Compare one call of a device array."""
        index, recorded = self._series(self.exchanges, "exchange", array).take()
        if recorded.verb != verb:
            refuse_value(self._verdict, "exchange", array, index, "verb", recorded.verb, verb)
        for side, expected in (("inputs", recorded.inputs), ("outputs", recorded.outputs)):
            got = sides[side]
            if list(expected) != list(got):
                refuse_value(
                    self._verdict, "exchange", array, index, side, str(list(expected)), str(list(got))
                )
            for name, value in got.items():
                if self._near.is_digest(name):
                    continue
                self._compare("exchange", array, index, f"{side} {name!r}", expected[name], value)

    def array(self, name: str, value: NDArray[Any]) -> None:
        """Compare a named array."""
        index, recorded = self._series(self.arrays, "array", name).take()
        self._compare("array", name, index, "", recorded, value)

    def document(self, name: str, content: Mapping[str, Any]) -> None:
        """Compare a document."""
        if name.startswith(NOT_COMPARED):
            return
        index, recorded = self._series(self.documents, "document", name).take()
        expected, got = json.loads(canonical(recorded)), json.loads(canonical(dict(content)))
        if not self._near.documents(expected, got, f"document {name!r}"):
            part, *values = _first_difference(expected, got)
            refuse_value(self._verdict, "document", name, index, part, *values)

    def unplayed(self) -> dict[str, int]:
        """Return what of the record did not come, by kind and name."""
        left = {f"exchanges {n!r}": series.unplayed for n, series in self.exchanges.items()}
        left |= {f"arrays {n!r}": series.unplayed for n, series in self.arrays.items()}
        left |= {f"documents {n!r}": series.unplayed for n, series in self.documents.items()}
        for name in self._recording.stream_names():
            rows = self.rows.get(name)
            left[f"rows {name!r}"] = rows.unplayed if rows else max(1, len(self._recording.rows(name)))
        return {name: count for name, count in left.items() if count}

    def _series(self, known: dict[str, Series[T]], what: str, name: str) -> Series[T]:
        if name not in known:
            refuse_unknown(self._verdict, what, name, list(known))
        return known[name]

    def _compare(self, what: str, name: str, index: int, part: str, expected: Any, value: Any) -> None:
        got = plain_array(f"{what} {name!r}", value)
        near = f"{what} {index} of {name!r}"
        if not same_array(expected, got) and not self._near.arrays(expected, got, near):
            refuse_array(self._verdict, what, name, index, part, expected, got)


def _columns(declared: Mapping[str, Column]) -> str:
    return ", ".join(f"{n}: {c.dtype} [{c.unit}] {c.long_name!r}" for n, c in declared.items())


def _first_difference(expected: Any, got: Any, path: str = "") -> tuple[str, object, object]:
    """Return where two documents first differ, and both values there."""
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        pairs = [(f"{path}.{key}".lstrip("."), expected[key], got[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(expected, got, strict=True))]
    elif isinstance(expected, dict) and isinstance(got, dict):
        keys = [sorted(one.keys() - other.keys()) for one, other in ((expected, got), (got, expected))]
        return f"{path} (keys of one only)".strip(), keys[0], keys[1]
    else:
        return path, expected, got
    key, a, b = next(pair for pair in pairs if pair[1] != pair[2])
    return _first_difference(a, b, key)
