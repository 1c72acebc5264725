"""The multi-layer perceptron of the recipes, with device neurons or with tanh."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def perceptron(
    sizes: Sequence[int], activations: Sequence[torch.nn.Module], dtype: torch.dtype | None = None
) -> torch.nn.Sequential:
    """Chain linear layers of ``sizes`` with the given hidden activations between.

    Parameters
    ----------
    sizes
        Inputs, hidden widths, outputs: one activation less than linear layers.
    """
    linear = [
        torch.nn.Linear(before, after, dtype=dtype) for before, after in zip(sizes, sizes[1:], strict=False)
    ]
    layers: list[torch.nn.Module] = [linear[0]]
    for activation, following in zip(activations, linear[1:], strict=True):
        layers += [activation, following]
    return torch.nn.Sequential(*layers)


def tanh_perceptron(sizes: Sequence[int], dtype: torch.dtype | None = None) -> torch.nn.Sequential:
    """Build the conventional network of the same sizes."""
    return perceptron(sizes, [torch.nn.Tanh() for _ in sizes[1:-1]], dtype)
