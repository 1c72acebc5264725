"""The recipe ``mnist-sc``: MNIST in stochastic computing, weights and hidden outputs of a few states.

Nanotechnology 36(27), 2025, doi 10.1088/1361-6528/ade243. Trained with the mean and the exact variance of
what the counters count, tested with the bits themselves. The same network with weights and outputs of
floats, and no noise, is trained beside it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch

from labtrain.errors import UsageError
from labtrain.training.determinism import deterministic
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.loop import Split, accuracy
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting
from labtrain.training.stochastic.chip import DEVICE_SETTINGS, device_generators
from labtrain.training.stochastic.choices import STOCHASTIC_SETTINGS, design_of
from labtrain.training.stochastic.generators import Generators
from labtrain.training.stochastic.ledger import CostTable, network_ledger
from labtrain.training.stochastic.network import (
    Design,
    stochastic_layers,
    stochastic_perceptron,
    take_weights,
)

SETTINGS = (
    Setting("hidden", "layers", (256, 256, 256), "neurons of each hidden layer", low=1, high=8192),
    Setting("epochs", "integer", 6, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 250, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.03, "Adam's first; it falls to 2 %", low=1e-7, high=10),
    Setting("pool", "integer", 1, "pixels a side that are averaged into one", low=1, high=64),
    *IMAGE_SETTINGS,
    *STOCHASTIC_SETTINGS,
    *DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split, by true bits."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings, seed = context.settings, context.seed
    design = replace(design_of(settings, seed), rows=context.processes.rows)
    devices = device_generators(context)
    images = in_range(ImageRun.prepare(context, RECIPE.name), settings["pool"], design.counting.encoding.low)
    context.progress.start(f"train {RECIPE.name}", images.schedule.epochs)
    beside, baseline = images.baseline(lambda: float_network(images.sizes, design))
    network = stochastic_perceptron(images.sizes, design)
    if settings["start"] == "float":
        take_weights(network, trained_floats(images, design))
    reached, seconds = images.train(network, images.open_record(), beside)
    own: dict[str, Any] = {"ledger": ledger_of(network, settings)}
    if devices is not None:
        own |= infer_on_devices(network, images.last, settings["device_samples"], devices)
    return images.result(reached, baseline, **own) | {"train_seconds": seconds}


def in_range(images: ImageRun, pool: int, low: float) -> ImageRun:
    """Average ``pool`` by ``pool`` pixels and scale all values so that those trained on reach from low to 1.

    Raises
    ------
    UsageError
        For images that are not square, or not divisible by ``pool``.
    """
    side = math.isqrt(images.sizes[0])
    if pool > 1 and (side * side != images.sizes[0] or side % pool):
        raise UsageError(
            f"images of {images.sizes[0]} pixels cannot be pooled {pool} by {pool}",
            remedy="pool square images by a divisor of their side",
            key="pool",
        )

    def pooled(rows: torch.Tensor) -> torch.Tensor:
        if pool == 1 or not len(rows):
            return rows
        squares = rows.view(-1, 1, side, side)
        return torch.nn.functional.avg_pool2d(squares, pool).flatten(1)

    split = images.split
    trained = pooled(split.train_x)
    lowest, highest = float(trained.min()), float(trained.max())

    def scaled(rows: torch.Tensor) -> torch.Tensor:
        unit = (pooled(rows) - lowest) / ((highest - lowest) or 1.0)
        return (unit * (1.0 - low) + low).clamp_(low, 1.0)

    return replace(
        images,
        split=Split(scaled(split.train_x), split.train_y, scaled(split.validation_x), split.validation_y),
        last=(scaled(images.last[0]), images.last[1]),
        sizes=(trained.shape[1], *images.sizes[1:]),
    )


def float_network(sizes: tuple[int, ...], design: Design) -> torch.nn.Sequential:
    """Build the conventional network: the same sizes, weights and outputs of floats, no noise."""
    plain = replace(design, levels=0, input_levels=0, train_with="exact", evaluator="exact")
    return stochastic_perceptron(sizes, plain)


def trained_floats(images: ImageRun, design: Design) -> torch.nn.Sequential:
    """Train the conventional network, to start from."""
    network = float_network(images.sizes, design)
    images.train_conventionally(network)
    return network


def ledger_of(network: torch.nn.Sequential, settings: Any) -> dict[str, float]:
    """Return the ledger of an inference; empty where no bits were counted."""
    layers = stochastic_layers(network)
    if layers[0].evaluator != "bits":
        return {}
    table = CostTable(bit=settings["bit_energy"], cycle=settings["bit_time"])
    return network_ledger(layers, settings["input_levels"], table)


def infer_on_devices(
    network: torch.nn.Sequential, last: tuple[torch.Tensor, torch.Tensor], samples: int, devices: Generators
) -> dict[str, Any]:
    """Classify some images with the first layer's streams from devices; every other stream is simulated."""
    first = stochastic_layers(network)[0]
    simulated, first.array = first.array, devices
    x, y = last[0][:samples], last[1][:samples]
    reached = accuracy(network, x, y, batch_size=1)
    first.array = simulated
    return {
        "device_accuracy": reached,
        "device_samples": len(y),
        "device_streams": devices.reads,
        "device_bits": devices.bits,
        "device_flagged": devices.flagged,
        "simulated_accuracy_of_them": accuracy(network, x, y),
    }


RECIPE = Recipe(
    name="mnist-sc",
    doc="MNIST on 784-256-256-256-10 computed with random bits: quantised weights and hidden outputs",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
