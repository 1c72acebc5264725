"""The recipe ``mnist-pgaf``: MNIST with derivatives sampled from SOT-MTJs.

The same network, activation and effort with exact gradients is trained beside it.
"""

from __future__ import annotations

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.pgaf.chip import MEASURED, passes_of, sampler_maker, switch_settings
from labtrain.training.pgaf.converting import convert
from labtrain.training.pgaf.costs import COSTS
from labtrain.training.pgaf.image_run import train_gated
from labtrain.training.pgaf.networks import conventional
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

SETTINGS = (
    Setting("hidden", "layers", (512, 512), "neurons of each hidden layer", low=1, high=8192),
    Setting("epochs", "integer", 20, "passes over the training images", low=1, high=10_000),
    Setting("batch_size", "integer", 256, "samples a step", low=1, high=60_000),
    Setting("learning_rate", "quantity", 0.0015, "Adam's first; it falls to 2 %", low=1e-7, high=10),
    Setting("activation", "choice", "tanh", "of the hidden layers", choices=("tanh", "sigmoid")),
    *IMAGE_SETTINGS,
    COSTS,
    *switch_settings(MEASURED),
)


def run(context: Context) -> dict[str, object]:
    """Train; the result's accuracy is that of the last epoch on the split."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings = context.settings
    images = ImageRun.prepare(context, RECIPE.name)
    make_sampler = sampler_maker(context, settings["hidden"])

    def build() -> torch.nn.Sequential:
        return conventional(images.sizes, settings["activation"], context.seed)

    def gated() -> torch.nn.Module:
        return convert(build(), make_sampler, **passes_of(settings))

    return train_gated(images, build, gated)


RECIPE = Recipe(
    name="mnist-pgaf",
    doc="MNIST on 784-512-512-10 with activation derivatives sampled from SOT-MTJs",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)
