"""Arrays of any namespace and device, to NumPy and back."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.physics.namespaces import namespace


def as_numpy(values: Any) -> NDArray[Any]:
    """Return the values as a NumPy array, fetched from an accelerator if they lie there."""
    if array_api_compat.is_array_api_obj(values) and not array_api_compat.is_numpy_array(values):
        values = array_api_compat.to_device(values, "cpu")
    return np.asarray(values)


def like(values: NDArray[Any], model: Any) -> Any:
    """Return NumPy values in the namespace and on the device of ``model``."""
    xp = namespace(model)
    return xp.asarray(np.array(values), device=array_api_compat.device(model))
