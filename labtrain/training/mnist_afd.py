"""The recipe ``mnist-afd``: MNIST on a deep network whose hidden neurons are MTJ pairs."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.clock import RealClock
from labtrain.training.datasets import Images, load_images
from labtrain.training.determinism import deterministic
from labtrain.training.device_settings import DEVICE_SETTINGS
from labtrain.training.device_training import DeviceTraining
from labtrain.training.loop import Schedule, Split, accuracy, train
from labtrain.training.networks import tanh_perceptron
from labtrain.training.randomness import initialise, permutation
from labtrain.training.recipes import Context, Recipe
from labtrain.training.result import training_result
from labtrain.training.settings import Setting

HELD_OUT = 10_000

SPLIT = Setting(
    "split",
    "choice",
    "test",
    "test: train on all training images, read the test set once; validation: hold 10,000 out",
    choices=("test", "validation"),
)

SETTINGS = (
    Setting(
        "hidden", "layers", (256, 256, 256, 256), "device neurons of each hidden layer", low=1, high=4096
    ),
    Setting("epochs", "integer", 15, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=60_000),
    Setting(
        "learning_rate", "quantity", 0.001, "Adam's at the first step; it falls to 2 %", low=1e-7, high=10
    ),
    SPLIT,
    *DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings = context.settings
    split, last = split_images(load_images(context.data_dir), settings["split"], context.seed)
    schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
    sizes = (split.train_x.shape[1], *settings["hidden"], int(split.train_y.max()) + 1)
    training = DeviceTraining.prepare(context, RECIPE.name, sizes, torch.float32)
    context.progress.start(f"train {RECIPE.name}", schedule.epochs)

    beside, baseline = [], None
    if context.baseline:
        network = tanh_perceptron(sizes, torch.float32)
        initialise(network, context.seed, 0)
        beside = train(network, split, schedule, seed=context.seed)
        baseline = accuracy(network, *last)
    clock = RealClock()
    network, _ = training.run_fold(0, split, schedule, beside)
    reached = accuracy(network, *last)
    seconds = clock.now_ns() / 1e9
    return training_result(training, settings["split"], [reached], [baseline], seconds)


def split_images(images: Images, name: str, seed: int) -> tuple[Split, tuple[torch.Tensor, torch.Tensor]]:
    """Standardise by the training part; return the split and what the last accuracy is taken of.

    ``"test"`` watches nothing while it trains; ``"validation"`` holds 10,000 training images out (a sixth of
    smaller sets) and never touches the test set.
    """
    pictures, labels = images.train_images, images.train_labels.astype(np.int64)
    held_out = 0 if name == "test" else min(HELD_OUT, len(labels) // 6)
    order = permutation(seed, "train/held-out", len(labels), 0) if held_out else np.arange(len(labels))
    kept, watched = order[held_out:], order[:held_out]
    mean, spread = float(pictures[kept].mean()), float(pictures[kept].std())

    def flat(some: NDArray[np.uint8]) -> torch.Tensor:
        rows = some.reshape(len(some), math.prod(some.shape[1:])).astype(np.float32)
        return torch.from_numpy((rows - np.float32(mean)) / np.float32(spread or 1.0))

    validation = flat(pictures[watched]), torch.from_numpy(labels[watched])
    split = Split(flat(pictures[kept]), torch.from_numpy(labels[kept]), *validation)
    if name == "validation":
        return split, validation
    return split, (flat(images.test_images), torch.from_numpy(images.test_labels.astype(np.int64)))


RECIPE = Recipe(
    name="mnist-afd",
    doc="MNIST on 784-256-256-256-256-10 of MTJ neuron pairs with gradients read from the devices",
    settings=SETTINGS,
    body=run,
)
