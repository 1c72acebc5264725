"""Arrays of any namespace and device, to NumPy and back."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.physics.namespaces import namespace


def on_cpu(values: Any) -> bool:
    """Whether compiled loops can read the values without a copy; else they are computed where they lie."""
    return array_api_compat.is_numpy_array(values) or str(array_api_compat.device(values)) == "cpu"


def as_numpy(values: Any) -> NDArray[Any]:
    """Return the values as a NumPy array, fetched from an accelerator if they lie there."""
    if type(values) is np.ndarray:  # what it most often is; asking for its namespace takes 2 us
        return values
    if array_api_compat.is_array_api_obj(values) and not array_api_compat.is_numpy_array(values):
        values = array_api_compat.to_device(values, "cpu")
    return np.asarray(values)


def like(values: Any, model: Any) -> Any:
    """Return values in the namespace and on the device of ``model``: NumPy ones, or such that are there."""
    xp = namespace(model)
    if array_api_compat.is_numpy_array(values):
        return xp.asarray(np.array(values), device=array_api_compat.device(model))
    return values
