"""Stimuli as a source makes them: checked, on the source's grid, inside the array's limit."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
import numpy as np

from labtrain.arrays.neurons import Flag
from labtrain.arrays.plain import as_numpy, on_cpu
from labtrain.errors import UsageError
from labtrain.kernels import stimuli as kernel
from labtrain.physics.namespaces import namespace


def checked_stimulus(values: Any, count: int, array: str, quantity: str) -> Any:
    """Return ``values`` as float64 ``[B, count]`` in its own namespace.

    Raises
    ------
    UsageError
        For another shape, or for a value that is not finite: no instrument may be sent a NaN.
    """
    xp = namespace(values)
    shape = tuple(getattr(values, "shape", ()))
    if len(shape) != 2 or shape[1] != count:
        raise UsageError(
            f"{array}: {quantity} of shape {shape} were given, [batch, {count}] is needed",
            remedy=f"one column for each of the {count} devices",
        )
    converted = xp.astype(values, xp.float64, copy=False)
    # NumPy looks at half a million numbers in a tenth of torch's time, and reads the same memory.
    finite = np.isfinite(as_numpy(converted)).all() if on_cpu(converted) else xp.all(xp.isfinite(converted))
    if not bool(finite):
        raise UsageError(
            f"{array}: {quantity} hold a NaN or an infinity; nothing was driven",
            remedy="look at the learning rate and the scaling of the layer before",
        )
    return converted


def on_grid(values: Any, resolution: float, maximum: float) -> tuple[Any, Any]:
    """Round to the source's steps and clip to the largest step inside ``maximum``.

    Returns
    -------
    tuple
        The values that the source really makes, and uint8 flags (:attr:`Flag.CLIPPED`).
    """
    xp, limit = namespace(values), largest_step(resolution, maximum)
    if array_api_compat.is_numpy_array(values):
        return kernel.on_grid(values, resolution, limit, int(Flag.CLIPPED))
    stepped = xp.round(values / resolution) * resolution if resolution > 0 else values
    clipped = xp.clip(stepped, -limit, limit)
    flags = xp.astype(clipped != stepped, xp.uint8) * int(Flag.CLIPPED)
    return clipped, flags


def largest_step(resolution: float, maximum: float) -> float:
    """Return the largest multiple of ``resolution`` (0: any number) inside ``maximum``."""
    if resolution <= 0:
        return maximum
    # The tolerance keeps 60 uA a multiple of 5 nA in binary arithmetic.
    return math.floor(maximum / resolution * (1 + 1e-12)) * resolution
