"""The recipe ``mnist-eapu``: MNIST with weights on noisy memristors, written as EaPU says.

Nature Communications 2025, doi 10.1038/s41467-025-66240-7. The same network, effort and inner optimiser
with ideal writes is trained beside it.
"""

from __future__ import annotations

from typing import Any

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.eapu.choices import PUBLISHED_DEVICE_SETTINGS
from labtrain.training.eapu.image_run import LEDGER_SETTINGS, train_written
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("hidden", "layers", (256, 128), "hidden units of each layer", low=1, high=8192),
    Setting("epochs", "integer", 20, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 256, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.002, "at the first step; it falls to 2 %", low=1e-7, high=10),
    *IMAGE_SETTINGS,
    *LEDGER_SETTINGS,
    *PUBLISHED_DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, Any]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        images = ImageRun.prepare(context, RECIPE.name)
        return train_written(images, lambda: relu_perceptron(images.sizes, context.seed))


def relu_perceptron(sizes: tuple[int, ...], seed: int) -> torch.nn.Sequential:
    """Build the network and draw its weights."""
    network = perceptron(sizes, [torch.nn.ReLU() for _ in sizes[1:-1]], torch.float32)
    initialise(network, seed, 0)
    return network


RECIPE = Recipe(
    name="mnist-eapu",
    doc="MNIST on 784-256-128-10 with weights on noisy memristors, written by probabilistic updates",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
