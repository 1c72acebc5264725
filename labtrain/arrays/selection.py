"""Indices of a view over some devices of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError


def checked_indices(indices: Sequence[int], count: int, array: str) -> NDArray[np.intp]:
    """Return the indices as an array.

    Raises
    ------
    UsageError
        For an index outside 0 to ``count - 1``, or one given twice: a device has one counter.
    """
    chosen = np.asarray(indices, dtype=np.intp).reshape(-1)
    outside = chosen[(chosen < 0) | (chosen >= count)]
    if outside.size:
        raise UsageError(
            f"{array} has no device {outside[0]}",
            remedy=f"choose among 0 to {count - 1}",
        )
    if np.unique(chosen).size != chosen.size:
        raise UsageError(f"{array}: a device is chosen twice", remedy="name each device once")
    return chosen
