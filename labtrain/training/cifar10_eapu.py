"""The recipe ``cifar10-eapu``: a residual network on CIFAR-10, its weights on noisy memristors.

Nature Communications 2025, doi 10.1038/s41467-025-66240-7. Convolutions and the last layer are on devices,
batch normalisation and biases digital. ``network=resnet8`` is the 16-channel one; ``resnet18`` is the same
code at the size of published comparisons. The same network, effort and inner optimiser with ideal writes is
trained beside it.
"""

from __future__ import annotations

from typing import Any

import torch

from labtrain.training.datasets import load_cifar10
from labtrain.training.determinism import deterministic
from labtrain.training.eapu.choices import PUBLISHED_DEVICE_SETTINGS
from labtrain.training.eapu.image_run import LEDGER_SETTINGS, train_written
from labtrain.training.image_run import SPLIT, ImageRun
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.residual import NETWORKS, residual_network
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("network", "choice", "resnet8", "which residual network", choices=tuple(NETWORKS)),
    Setting("epochs", "integer", 10, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=50_000),
    Setting("learning_rate", "quantity", 0.002, "at the first step; it falls to 2 %", low=1e-7, high=10),
    SPLIT,
    *LEDGER_SETTINGS,
    *PUBLISHED_DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, Any]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        images = ImageRun.prepare(context, RECIPE.name, load_cifar10(context.data_dir))
        return train_written(images, lambda: _network(images, context))


def _network(images: ImageRun, context: Context) -> torch.nn.Module:
    channels, height, width = images.shape
    network = residual_network(
        context.settings["network"],
        torch.nn.ReLU,
        classes=images.sizes[-1],
        shape=(channels, height, width),
        convolution=_normalised,
    )
    initialise(network, context.seed, 0)
    return network


def _normalised(inputs: int, outputs: int, size: int, **keywords: Any) -> torch.nn.Module:
    """A convolution without bias and a batch normalisation behind it."""
    convolution = torch.nn.Conv2d(inputs, outputs, size, bias=False, **keywords)
    return torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(outputs))


RECIPE = Recipe(
    name="cifar10-eapu",
    doc="CIFAR-10 on a residual network with weights on noisy memristors, written by probabilistic updates",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
