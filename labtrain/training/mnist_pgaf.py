"""The recipe ``mnist-pgaf``: MNIST with derivatives sampled from SOT-MTJs.

The same network, activation and effort with exact gradients is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.networks import perceptron
from labtrain.training.pgaf.chip import SWITCH_SETTINGS, sampler_maker
from labtrain.training.pgaf.converting import convert
from labtrain.training.pgaf.ledger import EnergyTable, gated_layers, gated_ledger
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("hidden", "layers", (512, 512), "neurons of each hidden layer", low=1, high=8192),
    Setting("epochs", "integer", 15, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.001, "Adam's first; it falls to 2 %", low=1e-7, high=10),
    Setting("activation", "choice", "tanh", "of the hidden layers", choices=("tanh", "sigmoid")),
    *IMAGE_SETTINGS,
    *SWITCH_SETTINGS,
)
_ACTIVATIONS = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings, seed = context.settings, context.seed
    images = ImageRun.prepare(context, RECIPE.name)
    make_sampler = sampler_maker(context, settings["hidden"])
    context.progress.start(f"train {RECIPE.name}", images.schedule.epochs)

    def build() -> torch.nn.Sequential:
        return conventional(images.sizes, settings["activation"], seed)

    beside, baseline = images.baseline(build)
    network = convert(
        build(),
        make_sampler,
        sampled=settings["forward"] == "sampled",
        per_batch=settings["gate_per"] == "batch",
    )
    reached, seconds = images.train(network, images.open_record(), beside)
    samples = images.schedule.epochs * len(images.split.train_y)
    ledger = gated_ledger(gated_layers(network), samples, EnergyTable())
    result = images.result(reached, baseline, gate=settings["gate"], ledger=ledger)
    return result | {"train_seconds": seconds}


def conventional(sizes: tuple[int, ...], activation: str, seed: int) -> torch.nn.Sequential:
    """Build the network with exact gradients and draw its weights."""
    network = perceptron(sizes, [_ACTIVATIONS[activation]() for _ in sizes[1:-1]], torch.float32)
    initialise(network, seed, 0)
    return network


RECIPE = Recipe(
    name="mnist-pgaf",
    doc="MNIST on 784-512-512-10 with activation derivatives sampled from SOT-MTJs",
    settings=SETTINGS,
    body=run,
)
