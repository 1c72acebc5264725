"""One step of training a classifier, as the loop makes it, on images that stay the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch

Step = Callable[[], None]


def adam(parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1e-3)


def images(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``batch`` images of 784 pixels and their labels."""
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(batch, 784)).astype(np.float32))
    return x, torch.arange(batch) % 10


def step_of(network: torch.nn.Module, optimiser: torch.optim.Optimizer, batch: int) -> Step:
    """Forward, backward, optimiser."""
    x, y = images(batch)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(network(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step
