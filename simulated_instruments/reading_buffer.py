"""A source meter's reading buffer, in columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COLUMNS: Final = ("SOUR", "READ", "REL", "SOURSTAT")
"""Source value, reading, seconds since the first reading, source status bits."""

SOURCE_LIMITED: Final = 8.0
"""Bit of ``SOURSTAT`` for a source held by its limit."""

_PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}


@lru_cache(maxsize=256)
def _picked(names: tuple[str, ...]) -> Callable[[tuple[float, ...]], tuple[float, ...]]:
    """Return what takes the named columns out of a row."""
    if len(names) == 1:
        place = _PLACES[names[0]]
        return lambda row: (row[place],)
    return itemgetter(*[_PLACES[name] for name in names])


class ReadingBuffer:
    """Readings in the order taken; the first one starts its relative time.

    Parameters
    ----------
    capacity
        More readings push the oldest out.

    Notes
    -----
    Single readings wait in a list, for an array is slow to fill one by one; whoever asks for columns
    has them joined.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self.capacity = capacity
        self._rows: Floats = np.empty((0, len(COLUMNS)))
        self._single: list[tuple[float, float, float, float]] = []
        self._start_ns = 0

    def __len__(self) -> int:
        return min(len(self._rows) + len(self._single), self.capacity)

    def clear(self) -> None:
        """Forget all readings."""
        self._rows, self._single = self._rows[:0], []

    def append(self, source: Floats, readings: Floats, times_ns: Floats, limited: NDArray[np.bool_]) -> None:
        """Add readings ``[B]`` each."""
        if not len(self):
            self._start_ns = int(times_ns[0])
        seconds = (times_ns - self._start_ns) * 1e-9
        block = np.stack([source, readings, seconds, np.where(limited, SOURCE_LIMITED, 0.0)], axis=1)
        self._keep(np.concatenate([self._joined(), block]) if len(self) else block)

    def append_one(self, source: float, reading: float, time_ns: int, limited: bool) -> None:
        """Add one reading."""
        single = self._single
        if not single and not len(self._rows):
            self._start_ns = time_ns
        seconds = (time_ns - self._start_ns) * 1e-9
        single.append((source, reading, seconds, SOURCE_LIMITED if limited else 0.0))
        if len(single) >= self.capacity:
            self._keep(self._joined())

    def columns(self, start: int, end: int, names: tuple[str, ...]) -> Floats:
        """Return readings ``start`` to ``end`` (from 1, both included) as ``[points, names]``."""
        self._keep(self._joined())
        return self._rows[start - 1 : end, [_PLACES[name] for name in names]]

    def last(self, names: tuple[str, ...]) -> tuple[float, ...]:
        """Return the last reading; there must be one."""
        row = self._single[-1] if self._single else tuple(self._rows[-1].tolist())
        return _picked(names)(row)

    def _joined(self) -> Floats:
        return np.concatenate([self._rows, np.array(self._single)]) if self._single else self._rows

    def _keep(self, rows: Floats) -> None:
        self._rows, self._single = rows[-self.capacity :], []
