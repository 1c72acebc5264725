"""Quantisation to L states with a straight-through gradient."""

from __future__ import annotations

from typing import Any, cast

import torch

from labtrain.errors import UsageError


def quantise(values: torch.Tensor, levels: int, low: float, *, returning: bool = False) -> torch.Tensor:
    """Round to the nearest of ``levels`` states from ``low`` to 1; 0 levels: clip only.

    The gradient passes where the value lies inside the range and is 0 outside (Bengio et al.,
    arXiv:1308.3432; Hubara et al., JMLR 18, 187 (2018)).

    Parameters
    ----------
    returning
        Pass also a gradient whose descent leads back inside: so a latent weight beyond the range is not
        stuck there.
    """
    return cast(torch.Tensor, _Quantise.apply(values, levels, low, returning))


def states(levels: int, low: float) -> torch.Tensor:
    """Return the states, ``low + k (1 - low) / (L - 1)``."""
    return torch.linspace(low, 1.0, levels, dtype=torch.float64)


def require_levels(levels: int, key: str) -> int:
    """Refuse a number of states that is none.

    Raises
    ------
    UsageError
        For 1 state or less (0 alone means: not quantised), or more than 65,536.
    """
    if levels == 0 or 2 <= levels <= 65_536:
        return levels
    raise UsageError(f"{levels} states cannot be", remedy="give 2 or more, or 0 for none", key=key)


class _Quantise(torch.autograd.Function):  # type: ignore[misc]  # torch is not type-checked here
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, levels: int, low: float, returning: bool) -> torch.Tensor:
        ctx.low, ctx.returning = low, returning
        ctx.save_for_backward(values)
        clipped = values.clamp(low, 1.0)
        if not levels:
            return clipped
        steps = (levels - 1) / (1.0 - low)
        return clipped.sub_(low).mul_(steps).round_().mul_(1.0 / steps).add_(low)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (values,) = ctx.saved_tensors
        above, below = values > 1.0, values < ctx.low
        if ctx.returning:
            above, below = above & (gradient < 0), below & (gradient > 0)
        return gradient.masked_fill(above | below, 0.0), None, None, None
