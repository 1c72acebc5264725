"""The recipe ``mnist-pgaf``: MNIST with derivatives sampled from SOT-MTJs.

The same network, activation and effort with exact gradients is trained beside it.
"""

from __future__ import annotations

from typing import Any

import torch

from labtrain.clock import RealClock
from labtrain.training.datasets import load_images
from labtrain.training.determinism import deterministic
from labtrain.training.loop import Epoch, Schedule, Split, Step, accuracy, train
from labtrain.training.mnist_afd import split_images
from labtrain.training.networks import perceptron
from labtrain.training.pgaf.chip import SWITCH_SETTINGS, sampler_maker
from labtrain.training.pgaf.converting import convert
from labtrain.training.pgaf.ledger import EnergyTable, gated_layers, gated_ledger
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.records import TrainingRecord
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("hidden", "layers", (512, 512), "neurons of each hidden layer", low=1, high=8192),
    Setting("epochs", "integer", 15, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.001, "Adam's first; it falls to 2 %", low=1e-7, high=10),
    Setting("activation", "choice", "tanh", "of the hidden layers", choices=("tanh", "sigmoid")),
    Setting(
        "split",
        "choice",
        "test",
        "test: train on all training images, read the test set once; validation: hold 10,000 out",
        choices=("test", "validation"),
    ),
    *SWITCH_SETTINGS,
)
_ACTIVATIONS = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings, seed = context.settings, context.seed
    split, last = split_images(load_images(context.data_dir), settings["split"], seed)
    sizes = (split.train_x.shape[1], *settings["hidden"], int(split.train_y.max()) + 1)
    schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
    make_sampler = sampler_maker(context, settings["hidden"])
    context.progress.start(f"train {RECIPE.name}", schedule.epochs)
    beside, baseline = _baseline(context, sizes, split, schedule, last)

    clock = RealClock()
    network = convert(
        conventional(sizes, settings["activation"], seed),
        make_sampler,
        sampled=settings["forward"] == "sampled",
        per_batch=settings["gate_per"] == "batch",
    )
    record = TrainingRecord(context.sink, RECIPE.name, {"recipe": RECIPE.name})

    def after_step(step: Step) -> None:
        record.step(0, step, network)

    def after_epoch(epoch: Epoch) -> None:
        record.epoch(0, epoch, beside[epoch.epoch] if beside else None)
        context.progress.advance(note=f"loss {epoch.train_loss:.3f}")

    train(network, split, schedule, seed=seed, after_step=after_step, after_epoch=after_epoch)
    reached = accuracy(network, *last)
    seconds = clock.now_ns() / 1e9
    samples = schedule.epochs * len(split.train_y)
    return _result(context, network, samples, reached, baseline) | {"train_seconds": seconds}


def conventional(sizes: tuple[int, ...], activation: str, seed: int) -> torch.nn.Sequential:
    """Build the network with exact gradients and draw its weights."""
    network = perceptron(sizes, [_ACTIVATIONS[activation]() for _ in sizes[1:-1]], torch.float32)
    initialise(network, seed, 0)
    return network


def _baseline(
    context: Context,
    sizes: tuple[int, ...],
    split: Split,
    schedule: Schedule,
    last: tuple[torch.Tensor, torch.Tensor],
) -> tuple[list[Epoch], float | None]:
    if not context.baseline:
        return [], None
    network = conventional(sizes, context.settings["activation"], context.seed)
    epochs = train(network, split, schedule, seed=context.seed)
    return epochs, accuracy(network, *last)


def _result(
    context: Context, network: torch.nn.Sequential, samples: int, reached: float, baseline: float | None
) -> dict[str, Any]:
    result = {
        "recipe": RECIPE.name,
        "seed": context.seed,
        "split": context.settings["split"],
        "accuracy": reached,
        "accuracies": [reached],
        "baseline_accuracy": baseline,
        "gate": context.settings["gate"],
        "ledger": gated_ledger(gated_layers(network), samples, EnergyTable()),
    }
    context.sink.document(f"result/{RECIPE.name}", result)
    return result


RECIPE = Recipe(
    name="mnist-pgaf",
    doc="MNIST on 784-512-512-10 with activation derivatives sampled from SOT-MTJs",
    settings=SETTINGS,
    body=run,
)
