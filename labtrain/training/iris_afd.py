"""The recipe ``iris-afd``: Iris on a network whose hidden neurons are MTJ pairs.

Stratified k-fold, a 4-H-3 network, Adam with a falling rate; gradients of the hidden
neurons are analog finite differences read from the devices (arXiv 2603.03947). A tanh
network of the same size, folds, epochs and initial weights is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.clock import RealClock
from labtrain.training.afd.device_settings import DEVICE_SETTINGS
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.afd.result import training_result
from labtrain.training.determinism import deterministic
from labtrain.training.iris import fold_splits, load_iris
from labtrain.training.loop import Epoch, Schedule, Split, train
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
    settings = context.settings
    schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
    splits = fold_splits(*load_iris(), settings["folds"], context.seed)
    sizes = (INPUTS, *settings["hidden"], CLASSES)
    training = DeviceTraining.prepare(context, RECIPE.name, sizes, torch.float64)
    context.progress.start(f"train {RECIPE.name}", len(splits) * schedule.epochs)

    clock, spent_ns = RealClock(), 0
    reached, baselines = [], []
    for fold, split in enumerate(splits):
        beside = _baseline(context, sizes, split, schedule, fold) if context.baseline else []
        started = clock.now_ns()
        _, epochs = training.run_fold(fold, split, schedule, beside)
        reached.append(epochs[-1].validation_accuracy)
        spent_ns += clock.now_ns() - started
        baselines.append(beside[-1].validation_accuracy if beside else None)
    return training_result(training, "validation", reached, baselines, spent_ns / 1e9)


def _baseline(
    context: Context, sizes: tuple[int, ...], split: Split, schedule: Schedule, fold: int
) -> list[Epoch]:
    network = tanh_perceptron(sizes, torch.float64)
    initialise(network, context.seed, fold)
    return train(network, split, schedule, seed=context.seed, k=fold)


RECIPE = Recipe(
    name="iris-afd",
    doc="Iris, k-fold, on a 4-H-3 network of MTJ neuron pairs with gradients read from the devices",
    settings=SETTINGS,
    body=run,
)
