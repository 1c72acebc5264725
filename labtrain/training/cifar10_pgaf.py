"""The recipe ``cifar10-pgaf``: a residual network on CIFAR-10 with derivatives sampled from SOT-MTJs.

``network=resnet8`` is the 16-channel one; ``resnet18`` is the same code at the size of the paper's claim.
Every neuron has a switch of its own. The same network with exact gradients is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.training.datasets import load_cifar10
from labtrain.training.determinism import deterministic
from labtrain.training.image_run import SPLIT, ImageRun
from labtrain.training.pgaf.chip import MEASURED, passes_of, sampler_maker, switch_settings
from labtrain.training.pgaf.converting import convert_branched, neurons_of
from labtrain.training.pgaf.costs import COSTS
from labtrain.training.pgaf.image_run import train_gated
from labtrain.training.pgaf.networks import ACTIVATION_LAYERS
from labtrain.training.recipes import Context, Recipe
from labtrain.training.residual import NETWORKS, initialise_residual, residual_network
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("network", "choice", "resnet8", "which residual network", choices=tuple(NETWORKS)),
    Setting("epochs", "integer", 10, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 64, "samples a step", low=1, high=50_000),
    Setting("learning_rate", "quantity", 0.002, "Adam's first; it falls to 2 %", low=1e-7, high=10),
    Setting("activation", "choice", "tanh", "of all layers", choices=("tanh", "sigmoid")),
    SPLIT,
    COSTS,
    *switch_settings(MEASURED),
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings = context.settings
    images = ImageRun.prepare(context, RECIPE.name, load_cifar10(context.data_dir))

    def build() -> torch.nn.Module:
        channels, height, width = images.shape
        network = residual_network(
            settings["network"],
            ACTIVATION_LAYERS[settings["activation"]],
            classes=images.sizes[-1],
            shape=(channels, height, width),
        )
        initialise_residual(network, context.seed, 0)
        return network

    def gated() -> torch.nn.Module:
        network = build()
        neurons = neurons_of(network, images.split.train_x[:1])
        return convert_branched(
            network,
            neurons,
            sampler_maker(context, list(neurons.values())),
            **passes_of(settings),
        )

    return train_gated(images, build, gated)


RECIPE = Recipe(
    name="cifar10-pgaf",
    doc="CIFAR-10 on a residual network with activation derivatives sampled from SOT-MTJs",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
