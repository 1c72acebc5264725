"""Stimuli on a source's grid in one pass: the same bits as :func:`labtrain.arrays.stimuli.on_grid`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

Floats = NDArray[np.float64]


def on_grid(values: Floats, resolution: float, limit: float, flag: int) -> tuple[Floats, NDArray[np.uint8]]:
    """Round float64 values to steps (0: none), clip to ``limit`` and set ``flag`` where clipped."""
    source = np.ascontiguousarray(values)
    made, flags = np.empty_like(source), np.empty(source.shape, np.uint8)
    on_grid_row(source.reshape(-1), resolution, limit, np.uint8(flag), made.reshape(-1), flags.reshape(-1))
    return made, flags


@compiled
def on_grid_row(
    source: Any, resolution: float, limit: float, flag: Any, made: Any, flags: Any
) -> None:  # pragma: no cover - compiled
    """Fill one row of ``made`` and ``flags``; see :func:`on_grid`."""
    for j in range(len(source)):
        value = source[j]
        if resolution > 0:
            value = np.rint(value / resolution) * resolution
        clipped = min(max(value, -limit), limit)
        made[j] = clipped
        flags[j] = flag if clipped != value else np.uint8(0)
