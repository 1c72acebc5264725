"""A sixth of MNIST's training images, and as many held out: for tables of many short trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from labtrain.training.datasets import load_images
from labtrain.training.image_run import split_images
from labtrain.training.loop import Schedule, Split, Training, accuracy

TRAINED = 10_000


@lru_cache(maxsize=2)
def small_mnist(data: Path, seed: int) -> Split:
    """10,000 of the training images to train on, 10,000 others held out; the test set is not read."""
    whole = split_images(load_images(data, "mnist"), "validation", seed)[0]
    return replace(whole, train_x=whole.train_x[:TRAINED], train_y=whole.train_y[:TRAINED])


def train_blind(
    network: torch.nn.Module,
    split: Split,
    schedule: Schedule,
    seed: int,
    *,
    optimiser: torch.optim.Optimizer | None = None,
    after_step: Callable[[Any], None] = lambda step: None,
    after_epoch: Callable[[Any], None] = lambda epoch: None,
) -> float:
    """Train without a look at the held-out images after every epoch; return their accuracy at the end."""
    blind = replace(split, validation_x=split.validation_x[:0], validation_y=split.validation_y[:0])
    Training(network, blind, schedule, seed=seed, optimiser=optimiser).run(after_step, after_epoch)
    return accuracy(network, split.validation_x, split.validation_y)
