"""The conventional networks that p-GAF is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise

ACTIVATION_LAYERS = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
"""torch's layer of each activation that the method covers."""


def conventional(
    sizes: Sequence[int], activation: str, seed: int, k: int = 0, dtype: torch.dtype = torch.float32
) -> torch.nn.Sequential:
    """Build the perceptron with exact gradients and draw its weights; ``k`` addresses the draw (the fold)."""
    hidden = [ACTIVATION_LAYERS[activation]() for _ in sizes[1:-1]]
    network = perceptron(sizes, hidden, dtype)
    initialise(network, seed, k)
    return network
