"""Which array library a caller uses, so that equations are written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import array_api_compat
import numpy as np

Parameters = Mapping[str, Any]
"""A device's parameters by name: floats, or arrays that broadcast against the stimulus."""

_NUMPY = array_api_compat.array_namespace(np.empty(0))


def namespace(*values: Any) -> Any:
    """Return the array namespace of those values that are arrays; NumPy for plain numbers."""
    arrays = [value for value in values if array_api_compat.is_array_api_obj(value)]
    return array_api_compat.array_namespace(*arrays) if arrays else _NUMPY
