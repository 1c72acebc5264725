"""What the EaPU recipes on images share: the network with ideal writes beside, writes noted, the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from labtrain.training.eapu.choices import device_optimiser, inner_optimiser
from labtrain.training.eapu.records import WriteRecord, note_histogram, write_ledger
from labtrain.training.image_run import ImageRun
from labtrain.training.settings import Setting

WRITE_JOULES = 1.44e-10
"""1.2 V across 100 uS for 1 us: the programming pulse of the ``memristor`` model's defaults, V^2 G t."""

WRITE_ENERGY = Setting(
    "write_energy", "quantity", WRITE_JOULES, "of one write", unit="joule", low=0.0, high=1.0
)

ENDURANCE = Setting(
    "endurance", "quantity", 1e6, "writes that a cell is good for, for the ledger", low=1.0, high=1e18
)
LEDGER_SETTINGS = (WRITE_ENERGY, ENDURANCE)


def train_written(images: ImageRun, build: Callable[[], torch.nn.Module]) -> dict[str, Any]:
    """Train ``build()`` with ideal writes, where a baseline is asked for, then on devices."""
    context, settings, rate = images.context, images.context.settings, images.schedule.learning_rate
    context.progress.start(f"train {images.recipe}", images.schedule.epochs)
    beside, baseline = images.baseline(build, lambda network: inner_optimiser(network, rate, settings))
    network = build()
    optimiser = device_optimiser(network, context)
    record, writes = images.open_record(), WriteRecord(context.sink, images.recipe)
    reached, seconds = images.train(
        network,
        record,
        beside,
        optimiser=optimiser,
        after_step=lambda step: writes.step(step.step, optimiser),
        before_epoch_row=writes.epoch,
        told=lambda: f", write ratio {optimiser.write_ratio():.4f}",
    )
    ledger = write_ledger(optimiser, settings["write_energy"], settings["endurance"])
    note_histogram(context.sink, images.recipe, optimiser)
    result = images.result(reached, baseline, rule=settings["rule"], ledger=ledger)
    return result | {"train_seconds": seconds}
