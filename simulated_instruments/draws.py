"""Random numbers of one address, drawn ahead in blocks: the same values, much cheaper one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Kind = Literal["normal", "uniform"] | Callable[..., Any]

_BLOCK: Final = 2048


class Draws:
    """The sequence of one kind at (seed, stream, cell), events k = 0, 1, 2, ...

    Parameters
    ----------
    kind
        ``"normal"`` or ``"uniform"``, of :mod:`labtrain.noise`; or any other ``draw(seed, stream, cell, k)``.
    seed, stream, cell
        The address.
    """

    __slots__ = ("_address", "_block", "_first", "_kind", "_ones")

    def __init__(self, kind: Kind, seed: int, stream: int, cell: int) -> None:
        self._kind = kind
        self._address = (seed, stream, cell)
        self._first = 0
        self._block: Floats = np.empty(0)
        self._ones: list[float] = []  # the block as plain numbers, once they are asked for one by one

    def take(self, first: int, count: int) -> Floats:
        """Return the values of events ``first`` to ``first + count - 1``."""
        start = first - self._first
        if start < 0 or start + count > len(self._block):
            self._first, start, self._ones = first, 0, []
            self._block = self._drawn(first, max(count, _BLOCK))
        return self._block[start : start + count]

    def one(self, k: int) -> float:
        """Return the value of event ``k``."""
        place, ones = k - self._first, self._ones
        if 0 <= place < len(ones):
            return ones[place]
        one = float(self.take(k, 1)[0])
        self._ones = self._block.tolist()
        return one

    def _drawn(self, first: int, count: int) -> Floats:
        if callable(self._kind):
            return np.asarray(self._kind(*self._address, np.arange(first, first + count)))
        from labtrain.kernels import sequences  # a bench that is only looked at needs no compiler

        draw = sequences.normals if self._kind == "normal" else sequences.uniforms
        return draw(*self._address, first, count)


def prepare() -> None:
    """Load the compiled draws now: under load that takes seconds, and a client does not wait for them."""
    Draws("normal", 0, 0, 0).take(0, 1)
