"""The training loop, top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.training.randomness import permutation


@dataclass(frozen=True)
class Split:
    """Training and validation samples: features ``[N, d]``, labels ``[N]`` int64."""

    train_x: torch.Tensor
    train_y: torch.Tensor
    validation_x: torch.Tensor
    validation_y: torch.Tensor


@dataclass(frozen=True)
class Schedule:
    """Effort of one training; the same for devices and baseline.

    Attributes
    ----------
    learning_rate
        Of the first step; it falls along half a cosine to ``final_fraction`` of it.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    final_fraction: float = 0.02

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of ``step`` of ``steps``."""
        fall = 0.5 * (1.0 + np.cos(np.pi * step / steps))
        return float(self.learning_rate * (self.final_fraction + (1.0 - self.final_fraction) * fall))


@dataclass(frozen=True)
class Step:
    """One update, just made."""

    step: int
    epoch: int
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class Epoch:
    """One epoch, just finished; accuracy in percent, NaN where nothing is held out."""

    epoch: int
    train_loss: float
    validation_accuracy: float


def train(
    network: torch.nn.Module,
    split: Split,
    schedule: Schedule,
    *,
    seed: int,
    k: int = 0,
    optimiser: torch.optim.Optimizer | None = None,
    after_step: Callable[[Step], None] = lambda step: None,
    after_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train ``network`` in place; return its epochs.

    Parameters
    ----------
    seed, k
        Address the order of samples: ``k`` is the fold.
    optimiser
        Of the network's parameters, its rate to be set by the schedule; Adam (Kingma and Ba, 2015) if None.
    after_step, after_epoch
        Called with what has just been done: they record, show progress, check for drift.
    """
    if optimiser is None:
        optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
    count = len(split.train_x)
    steps = schedule.epochs * -(-count // schedule.batch_size)
    step, history = 0, []
    for epoch in range(schedule.epochs):
        network.train()
        losses = []
        for batch in batches(count, schedule.batch_size, seed, k, epoch):
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate(step, steps)
            loss = torch.nn.functional.cross_entropy(network(split.train_x[batch]), split.train_y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item() * len(batch))
            after_step(Step(step, epoch, loss.item(), schedule.rate(step, steps)))
            step += 1
        reached = accuracy(network, split.validation_x, split.validation_y)
        history.append(Epoch(epoch, sum(losses) / count, reached))
        after_epoch(history[-1])
    return history


def batches(count: int, batch_size: int, seed: int, k: int, epoch: int) -> Iterator[NDArray[np.intp]]:
    """Deal all samples once, in the addressed order of (seed, fold k, epoch)."""
    order = permutation(seed, f"train/order/{k}", count, epoch)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def accuracy(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, batch_size: int = 1000) -> float:
    """Classify in eval mode; return percent right (NaN of no samples)."""
    if len(y) == 0:
        return float("nan")
    network.eval()
    with torch.no_grad():
        right = sum(
            int((network(some).argmax(dim=1) == labels).sum())
            for some, labels in zip(x.split(batch_size), y.split(batch_size), strict=True)
        )
    return 100.0 * right / len(y)
