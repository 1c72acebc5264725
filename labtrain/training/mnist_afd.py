"""The recipe ``mnist-afd``: MNIST on a deep network whose hidden neurons are MTJ pairs."""

from __future__ import annotations

import torch

from labtrain.clock import RealClock
from labtrain.training.afd.device_settings import DEVICE_SETTINGS
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.afd.result import training_result
from labtrain.training.determinism import deterministic
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.loop import accuracy
from labtrain.training.networks import tanh_perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

SETTINGS = (
    Setting(
        "hidden", "layers", (256, 256, 256, 256), "device neurons of each hidden layer", low=1, high=4096
    ),
    Setting("epochs", "integer", 15, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=60_000),
    Setting(
        "learning_rate", "quantity", 0.001, "Adam's at the first step; it falls to 2 %", low=1e-7, high=10
    ),
    *IMAGE_SETTINGS,
    *DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    images = ImageRun.prepare(context, RECIPE.name)
    training = DeviceTraining.prepare(context, RECIPE.name, images.sizes, torch.float32)
    context.progress.start(f"train {RECIPE.name}", images.schedule.epochs)
    beside, baseline = images.baseline(lambda: _tanh_network(images.sizes, context.seed))
    clock = RealClock()
    network, _ = training.run_fold(0, images.split, images.schedule, beside)
    reached = accuracy(network, *images.last)
    seconds = clock.now_ns() / 1e9
    return training_result(training, context.settings["split"], [reached], [baseline], seconds)


def _tanh_network(sizes: tuple[int, ...], seed: int) -> torch.nn.Module:
    network = tanh_perceptron(sizes, torch.float32)
    initialise(network, seed, 0)
    return network


RECIPE = Recipe(
    name="mnist-afd",
    doc="MNIST on 784-256-256-256-256-10 of MTJ neuron pairs with gradients read from the devices",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
