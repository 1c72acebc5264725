"""Random numbers of one address, drawn ahead in blocks: the same values, much cheaper one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK: Final = 2048


class Draws:
    """The sequence ``draw(seed, stream, cell, k)`` for k = 0, 1, 2, ...

    Parameters
    ----------
    draw
        :func:`labtrain.noise.normal` or :func:`labtrain.noise.uniform`.
    seed, stream, cell
        The address.
    """

    __slots__ = ("_address", "_block", "_draw", "_first")

    def __init__(self, draw: Callable[..., Any], seed: int, stream: int, cell: int) -> None:
        self._draw = draw
        self._address = (seed, stream, cell)
        self._first = 0
        self._block: Floats = np.empty(0)

    def take(self, first: int, count: int) -> Floats:
        """Return the values of events ``first`` to ``first + count - 1``."""
        start = first - self._first
        if start < 0 or start + count > len(self._block):
            self._first, start = first, 0
            self._block = self._draw(*self._address, np.arange(first, first + max(count, _BLOCK)))
        return self._block[start : start + count]
