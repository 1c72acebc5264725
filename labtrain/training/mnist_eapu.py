"""The recipe ``mnist-eapu``: MNIST with weights on noisy memristors, written as EaPU says.

Nature Communications 2025, doi 10.1038/s41467-025-66240-7. The same network, effort and inner optimiser
with ideal writes is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.eapu.choices import PUBLISHED_DEVICE_SETTINGS, device_optimiser, inner_optimiser
from labtrain.training.eapu.records import WriteRecord, write_ledger
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

WRITE_JOULES = 1.44e-10
"""1.2 V across 100 uS for 1 us: the programming pulse of the ``memristor`` model's defaults, V^2 G t."""

SETTINGS = (
    Setting("hidden", "layers", (256, 128), "hidden units of each layer", low=1, high=8192),
    Setting("epochs", "integer", 20, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 256, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.002, "at the first step; it falls to 2 %", low=1e-7, high=10),
    *IMAGE_SETTINGS,
    Setting("write_energy", "quantity", WRITE_JOULES, "of one write", unit="joule", low=0.0, high=1.0),
    *PUBLISHED_DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings, seed = context.settings, context.seed
    images = ImageRun.prepare(context, RECIPE.name)
    rate = images.schedule.learning_rate
    context.progress.start(f"train {RECIPE.name}", images.schedule.epochs)
    beside, baseline = images.baseline(
        lambda: relu_perceptron(images.sizes, seed), lambda network: inner_optimiser(network, rate, settings)
    )
    network = relu_perceptron(images.sizes, seed)
    optimiser = device_optimiser(network, rate, settings, seed)
    record, writes = images.open_record(), WriteRecord(context.sink, RECIPE.name)
    reached, seconds = images.train(
        network,
        record,
        beside,
        optimiser=optimiser,
        after_step=lambda step: writes.step(step.step, optimiser),
        before_epoch_row=writes.epoch,
        told=lambda: f", write ratio {optimiser.write_ratio():.4f}",
    )
    ledger = write_ledger(optimiser, settings["write_energy"])
    result = images.result(reached, baseline, rule=settings["rule"], ledger=ledger)
    return result | {"train_seconds": seconds}


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
)
