"""Which rows of a batch this process computes, where several processes share it.

A device's events are counted, and how many a batch takes follows from its rows. So an array that knows how
many rows stand before and behind its own draws what one process would have drawn for them, and its counters
end where they would have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError


class BatchRows:
    """One for all arrays and layers of a training, moved on by its loop; by itself every batch is whole.

    Attributes
    ----------
    rank
        Which of the processes this one is, from 0.
    shared
        Whether the batch at hand is a part of one.
    """

    rank = 0

    def __init__(self) -> None:
        self.shared = False
        self._before = self._own = self._behind = 0

    @contextmanager
    def part(self, before: int, own: int, behind: int) -> Iterator[None]:
        """Inside the block a batch is ``own`` samples, ``before`` and ``behind`` them those of others."""
        kept = self.shared, self._before, self._own, self._behind
        self.shared, self._before, self._own, self._behind = True, before, own, behind
        try:
            yield
        finally:
            self.shared, self._before, self._own, self._behind = kept

    def around(self, given: int) -> tuple[int, int]:
        """Return how many rows stand before and behind the ``given`` ones; equally many for every sample.

        Raises
        ------
        UsageError
            Where the rows do not divide by the samples: no place in the whole batch is then known.
        """
        if not self.shared:
            return 0, 0
        each, left = divmod(given, self._own)
        if left or not each:
            raise UsageError(
                f"{given} rows for a part of {self._own} samples have no place in a shared batch",
                remedy="give every sample equally many rows, or train with one process",
            )
        return each * self._before, each * self._behind

    def of_all(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return every process's ``values``, ``[processes, ...]``; all processes ask at once."""
        return np.asarray(values)[np.newaxis]
