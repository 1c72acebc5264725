"""Text that a session can keep: strict JSON documents, plain notes, units that pint reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from labtrain.errors import UsageError
from labtrain.units import registry


def to_json(content: Any, *, what: str = "document") -> str:
    """Write ``content`` as strict JSON; NumPy values become lists and numbers, non-finite numbers null.

    Raises
    ------
    UsageError
        When something in it is no JSON.
    """
    try:
        return json.dumps(content, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(content, what), allow_nan=False)


def canonical(content: Any) -> str:
    """Return the same text for equal documents, whatever the order of their keys."""
    return json.dumps(json.loads(to_json(content)), sort_keys=True)


def _plain(value: Any, what: str) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{what}, key {key!r}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{what}, item {i}") for i, item in enumerate(value)]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise UsageError(
        f"{what} is a {type(value).__name__}, which JSON cannot hold",
        remedy="give mappings, lists, text, numbers, booleans and None",
    )


def check_text(what: str, text: str) -> str:
    """Accept text that UTF-8 and HDF5 strings can hold: no NUL, no lone surrogate."""
    if "\0" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    raise UsageError(f"{what} {text!r} cannot be recorded", remedy="text is Unicode without NUL characters")


@lru_cache(maxsize=1024)
def check_unit(unit: str, what: str) -> str:
    """Accept a unit that pint reads, or none (``""``)."""
    if unit:
        try:
            registry().parse_units(unit)
        except Exception as error:  # pint raises many kinds (undefined unit, tokenizer, attribute)
            raise UsageError(
                f"{what}: the unit {unit!r} cannot be read",
                remedy='for instance "V", "ohm", "uA"; "" for none',
            ) from error
    return unit
