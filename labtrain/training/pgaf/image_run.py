"""A recipe on images with gated gradients, from the conventional network beside it to the ledger."""

from __future__ import annotations

from collections.abc import Callable

import torch

from labtrain.training.image_run import ImageRun
from labtrain.training.pgaf.chip import calibrate_again
from labtrain.training.pgaf.costs import energy_table
from labtrain.training.pgaf.ledger import gated_ledger
from labtrain.training.pgaf.records import GateRecord

Build = Callable[[], torch.nn.Module]


def train_gated(images: ImageRun, build: Build, gated: Build) -> dict[str, object]:
    """Train the network that ``build`` gives beside the one that ``gated`` gives; return the result."""
    context = images.context
    settings = context.settings
    table = energy_table(settings["costs"])
    context.progress.start(f"train {images.recipe}", images.schedule.epochs)
    beside, baseline = images.baseline(build, _adam)
    network, record = gated(), images.open_record()
    gates = GateRecord(context.sink, images.recipe)

    def at_epochs_end() -> None:
        gates.epoch(network)
        calibrate_again(network, gates.at, settings)

    reached, seconds = images.train(
        network,
        record,
        beside,
        optimiser=_adam(network),
        after_step=gates.step,
        before_epoch_row=at_epochs_end,
    )
    result = images.result(
        reached,
        baseline,
        gate=settings["gate"],
        ledger=gated_ledger([network], table),
        costs=table.describe(),
    )
    return result | {"train_seconds": seconds}


def _adam(network: torch.nn.Module) -> torch.optim.Optimizer:
    """Adam in one pass over the parameters: a third of the time. The schedule sets its rate."""
    return torch.optim.Adam(network.parameters(), fused=True)
