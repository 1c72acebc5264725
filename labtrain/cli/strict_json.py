"""JSON as every parser accepts it: null instead of NaN, plain Python instead of NumPy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Turn ``value`` into dicts, lists, strings, finite numbers, booleans and None."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    tolist = getattr(value, "tolist", None)
    if tolist is not None:
        return plain(tolist())
    return str(value)


def dumps(value: Any) -> str:
    """One line of strict JSON."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False)
