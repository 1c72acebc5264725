"""A source meter's reading buffer, in columns."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COLUMNS: Final = ("SOUR", "READ", "REL", "SOURSTAT")
"""Source value, reading, seconds since the first reading, source status bits."""

SOURCE_LIMITED: Final = 8.0
"""Bit of ``SOURSTAT`` for a source held by its limit."""


class ReadingBuffer:
    """Readings in the order taken; the first one starts its relative time.

    Parameters
    ----------
    capacity
        More readings push the oldest out.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        self.capacity = capacity
        self._rows: Floats = np.empty((len(COLUMNS), 64))
        self._count = 0
        self._start_ns = 0

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        """Forget all readings."""
        self._count = 0

    def append(self, source: Floats, readings: Floats, times_ns: Floats, limited: NDArray[np.bool_]) -> None:
        """Add readings ``[B]`` each."""
        if not self._count:
            self._start_ns = int(times_ns[0])
        end = self._count + len(readings)
        if end > self._rows.shape[1]:
            grown = np.empty((len(COLUMNS), max(end, 2 * self._rows.shape[1])))
            grown[:, : self._count] = self._rows[:, : self._count]
            self._rows = grown
        block = self._rows[:, self._count : end]
        block[0], block[1] = source, readings
        block[2] = (times_ns - self._start_ns) * 1e-9
        block[3] = np.where(limited, SOURCE_LIMITED, 0.0)
        self._count = end
        if end > self.capacity:
            self._rows = self._rows[:, end - self.capacity :].copy()
            self._count = self.capacity

    def columns(self, start: int, end: int, names: tuple[str, ...]) -> Floats:
        """Return readings ``start`` to ``end`` (from 1, both included) as ``[points, names]``."""
        places = [COLUMNS.index(name) for name in names]
        return self._rows[places, start - 1 : end].T
