"""The recipe ``mnist-eapu``: MNIST with weights on noisy memristors, written as EaPU says.

Nature Communications 2025, doi 10.1038/s41467-025-66240-7. The same network, effort and inner optimiser
with ideal writes is trained beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from labtrain.clock import RealClock
from labtrain.training.datasets import load_images
from labtrain.training.determinism import deterministic
from labtrain.training.eapu.choices import PUBLISHED_DEVICE_SETTINGS, device_optimiser, inner_optimiser
from labtrain.training.eapu.optimiser import EaPU
from labtrain.training.eapu.records import WriteRecord, write_ledger
from labtrain.training.loop import Epoch, Schedule, Split, Step, accuracy, train
from labtrain.training.mnist_afd import split_images
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.records import TrainingRecord
from labtrain.training.settings import Setting

WRITE_JOULES = 1.44e-10
"""1.2 V across 100 uS for 1 us: the programming pulse of the ``memristor`` model's defaults, V^2 G t."""

SETTINGS = (
    Setting("hidden", "layers", (256, 128), "hidden units of each layer", low=1, high=8192),
    Setting("epochs", "integer", 20, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 256, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.002, "at the first step; it falls to 2 %", low=1e-7, high=10),
    Setting(
        "split",
        "choice",
        "test",
        "test: train on all training images, read the test set once; validation: hold 10,000 out",
        choices=("test", "validation"),
    ),
    Setting("write_energy", "quantity", WRITE_JOULES, "of one write", unit="joule", low=0.0, high=1.0),
    *PUBLISHED_DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings, seed = context.settings, context.seed
    split, last = split_images(load_images(context.data_dir), settings["split"], seed)
    sizes = (split.train_x.shape[1], *settings["hidden"], int(split.train_y.max()) + 1)
    schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
    context.progress.start(f"train {RECIPE.name}", schedule.epochs)
    beside, baseline = _baseline(context, sizes, split, schedule, last)

    clock = RealClock()
    network = relu_perceptron(sizes, seed)
    optimiser = device_optimiser(network, schedule.learning_rate, settings, seed)
    after_step, after_epoch = _watchers(context, network, optimiser, beside)
    train(
        network,
        split,
        schedule,
        seed=seed,
        optimiser=optimiser,
        after_step=after_step,
        after_epoch=after_epoch,
    )
    reached = accuracy(network, *last)
    seconds = clock.now_ns() / 1e9
    return _result(context, optimiser, reached, baseline) | {"train_seconds": seconds}


def relu_perceptron(sizes: tuple[int, ...], seed: int) -> torch.nn.Sequential:
    """Build the network and draw its weights."""
    network = perceptron(sizes, [torch.nn.ReLU() for _ in sizes[1:-1]], torch.float32)
    initialise(network, seed, 0)
    return network


def _baseline(
    context: Context,
    sizes: tuple[int, ...],
    split: Split,
    schedule: Schedule,
    last: tuple[torch.Tensor, torch.Tensor],
) -> tuple[list[Epoch], float | None]:
    """Train with ideal writes, where it is asked for."""
    if not context.baseline:
        return [], None
    network = relu_perceptron(sizes, context.seed)
    optimiser = inner_optimiser(network, schedule.learning_rate, context.settings)
    epochs = train(network, split, schedule, seed=context.seed, optimiser=optimiser)
    return epochs, accuracy(network, *last)


def _watchers(
    context: Context, network: torch.nn.Module, optimiser: EaPU, beside: list[Epoch]
) -> tuple[Callable[[Step], None], Callable[[Epoch], None]]:
    """Return what records every step and epoch, and shows progress."""
    record = TrainingRecord(context.sink, RECIPE.name, {"recipe": RECIPE.name})
    writes = WriteRecord(context.sink, RECIPE.name)

    def after_step(step: Step) -> None:
        record.step(0, step, network)
        writes.step(step.step, optimiser)

    def after_epoch(epoch: Epoch) -> None:
        writes.epoch()
        record.epoch(0, epoch, beside[epoch.epoch] if beside else None)
        context.progress.advance(
            note=f"loss {epoch.train_loss:.3f}, write ratio {optimiser.write_ratio():.4f}"
        )

    return after_step, after_epoch


def _result(context: Context, optimiser: EaPU, reached: float, baseline: float | None) -> dict[str, Any]:
    result = {
        "recipe": RECIPE.name,
        "seed": context.seed,
        "split": context.settings["split"],
        "accuracy": reached,
        "accuracies": [reached],
        "baseline_accuracy": baseline,
        "rule": context.settings["rule"],
        "ledger": write_ledger(optimiser, context.settings["write_energy"]),
    }
    context.sink.document(f"result/{RECIPE.name}", result)
    return result


RECIPE = Recipe(
    name="mnist-eapu",
    doc="MNIST on 784-256-128-10 with weights on noisy memristors, written by probabilistic updates",
    settings=SETTINGS,
    body=run,
)
