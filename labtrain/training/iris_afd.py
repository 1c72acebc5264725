"""The recipe ``iris-afd``: Iris on a network whose hidden neurons are MTJ pairs.

Stratified k-fold, a 4-H-3 network, Adam with a falling rate; gradients of the hidden
neurons are analog finite differences read from the devices (arXiv 2603.03947). A tanh
network of the same size, folds, epochs and initial weights is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.training.afd.device_settings import DEVICE_SETTINGS
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.afd.result import training_result
from labtrain.training.determinism import deterministic
from labtrain.training.folds import FoldedRun
from labtrain.training.loop import Epoch, Split, train
from labtrain.training.networks import tanh_perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

INPUTS, CLASSES = 4, 3

SETTINGS = (
    Setting("hidden", "layers", (8,), "device neurons of each hidden layer", low=1, high=256),
    Setting("epochs", "integer", 40, "passes over the training folds", low=1, high=100_000),
    Setting("batch_size", "integer", 60, "samples a step (one list sweep a device)", low=1, high=150),
    Setting(
        "learning_rate", "quantity", 0.1, "Adam's, at the first step; it falls to 2 %", low=1e-6, high=10
    ),
    Setting("folds", "integer", 5, "stratified folds, each held out once", low=2, high=50),
    *DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train all folds; see INTERFACE of ``labtrain train`` for the result's fields."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    folds = FoldedRun.prepare(context, RECIPE.name)
    sizes = (INPUTS, *context.settings["hidden"], CLASSES)
    training = DeviceTraining.prepare(context, RECIPE.name, sizes, torch.float64)

    def fold(k: int, split: Split, beside: list[Epoch]) -> list[Epoch]:
        return training.run_fold(k, split, folds.schedule, beside)[1]

    def beside(k: int, split: Split) -> list[Epoch]:
        network = tanh_perceptron(sizes, torch.float64)
        initialise(network, context.seed, k)
        return train(network, split, folds.schedule, seed=context.seed, k=k)

    folds.train(fold, beside)
    return training_result(training, "validation", folds.accuracies, folds.baselines, folds.spent_ns / 1e9)


RECIPE = Recipe(
    name="iris-afd",
    doc="Iris, k-fold, on a 4-H-3 network of MTJ neuron pairs with gradients read from the devices",
    settings=SETTINGS,
    body=run,
)
