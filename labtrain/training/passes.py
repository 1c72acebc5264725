"""Passes through devices: outside compiled graphs, and differentiated once only."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import torch

from labtrain.errors import UsageError

Backward = Callable[[Any, torch.Tensor], Any]
Apply = Callable[..., torch.Tensor]


def outside_graphs(function: type[torch.autograd.Function], *given: Any) -> torch.Tensor:
    """Apply ``function``; torch's compiler breaks its graph there instead of looking into it.

    It would trace the NumPy behind and drive devices while it does.
    """
    if torch.compiler.is_compiling():
        return _untraced()(function, *given)
    return _applied(function, *given)


@lru_cache(maxsize=1)
def _untraced() -> Apply:
    """Made when the compiler asks for it: it takes seconds to load, and few need it."""
    untraced: Apply = torch.compiler.disable(_applied)
    return untraced


def _applied(function: type[torch.autograd.Function], *given: Any) -> torch.Tensor:
    answer: torch.Tensor = function.apply(*given)
    return answer


def first_order(what: str, why: str) -> Callable[[Backward], Backward]:
    """Let a backward pass refuse a second derivative, instead of giving a wrong one.

    Parameters
    ----------
    what, why
        "double backward through ``what`` is refused: ``why``".
    """

    def decorated(backward: Backward) -> Backward:
        @wraps(backward)
        def once(ctx: Any, gradient: torch.Tensor) -> Any:
            # Gradients are recorded here under create_graph only: other steps pay nothing.
            if not torch.is_grad_enabled():
                return backward(ctx, gradient)
            with torch.no_grad():
                results = backward(ctx, gradient)
            refusal = f"double backward through {what} is refused: {why}"
            return tuple(
                _Refusing.apply(one, gradient, refusal) if isinstance(one, torch.Tensor) else None
                for one in results
            )

        return once

    return decorated


class _Refusing(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, gradient: torch.Tensor, refusal: str) -> torch.Tensor:
        ctx.refusal = refusal
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        raise UsageError(ctx.refusal, remedy="use a first-order optimiser (without create_graph=True)")
