"""What every layer on devices owes the one chip: copies share it, and no NaN drives it."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch

from labtrain.errors import UsageError

T = TypeVar("T")


def copied_around(thing: T, chip: Any, memo: dict[int, Any]) -> T:
    """Copy a layer or sampler deeply, all but ``chip``; for its ``__deepcopy__``."""
    memo[id(chip)] = chip
    twin = object.__new__(type(thing))
    memo[id(thing)] = twin
    if isinstance(twin, torch.nn.Module):
        torch.nn.Module.__init__(twin)
    twin.__dict__.update({key: copy.deepcopy(value, memo) for key, value in thing.__dict__.items()})
    return twin


def diverged() -> UsageError:
    """Say that nothing was driven."""
    return UsageError(
        "training diverged: a pre-activation is not finite, so nothing was driven",
        remedy="lower learning_rate",
        key="learning_rate",
    )
