"""The recipe ``iris-eapu``: Iris on a crossbar, every product read from it, every change a write.

Stratified k-fold, a 4-H-3 network of tanh units whose weights are pairs of memristors, trained with EaPU
(Nature Communications 2025, doi 10.1038/s41467-025-66240-7). At the start of a fold the cells are brought to
fresh weights by write and verify, so that nothing of another fold's training stays in them. The same network
with ideal writes and products is trained beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.eapu.belief import threshold_of
from labtrain.training.eapu.chip import open_synapses
from labtrain.training.eapu.choices import (
    INNER_SETTINGS,
    RULE,
    SIEMENS_PER_UNIT,
    inner_optimiser,
    write_rule,
)
from labtrain.training.eapu.crossbar_linear import CrossbarLinear
from labtrain.training.eapu.optimiser import EaPU
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.eapu.records import WriteRecord
from labtrain.training.folds import FoldedRun, train_fold
from labtrain.training.loop import Epoch, Schedule, Split, Training, train
from labtrain.training.networks import tanh_perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.records import TrainingRecord
from labtrain.training.settings import Setting

INPUTS, CLASSES = 4, 3
ARRAYS = ("first", "second")
THRESHOLD = 0.2
"""16 uS at 80 uS a unit: what an open-loop write of the ``memristor`` model misses by."""
_INPUT_RANGE = 3.0
"""Standardised features beyond 3 standard deviations are clipped at the array's largest read voltage."""

SETTINGS = (
    Setting("hidden", "integer", 5, "hidden units", low=1, high=256),
    Setting("epochs", "integer", 30, "passes over the training folds", low=1, high=100_000),
    Setting("batch_size", "integer", 60, "samples a step (one list sweep a cell)", low=1, high=150),
    Setting("learning_rate", "quantity", 0.1, "at the first step; it falls to 2 %", low=1e-6, high=10),
    Setting("folds", "integer", 5, "stratified folds, each held out once", low=2, high=50),
    SIEMENS_PER_UNIT,
    Setting("lowest", "quantity", 20e-6, "least conductance used", unit="siemens", low=0.0, high=1e-1),
    Setting("highest", "quantity", 200e-6, "largest conductance used", unit="siemens", low=1e-9, high=1e-1),
    Setting(
        "verify_rounds",
        "integer",
        8,
        "writes and reads that bring a fold to its first weights",
        low=0,
        high=1000,
    ),
    Setting(
        "threshold",
        "quantity",
        None,
        "smallest change that is written, in units of the weights; if not given, the twin's write noise, or"
        f" {THRESHOLD} without a twin",
        low=1e-6,
        high=10.0,
    ),
    RULE,
    *INNER_SETTINGS,
)


@dataclass
class _Run:
    """Folds of one chip."""

    context: Context
    schedule: Schedule
    synapses: list[PairedSynapses]
    record: TrainingRecord
    writes: WriteRecord
    threshold: float
    optimisers: list[EaPU] = field(default_factory=list)
    layers: list[CrossbarLinear] = field(default_factory=list)

    def beside(self, k: int, split: Split) -> list[Epoch]:
        """Train with ideal writes and products."""
        network = self._digital(k)
        optimiser = inner_optimiser(network, self.schedule.learning_rate, self.context.settings)
        return train(network, split, self.schedule, seed=self.context.seed, k=k, optimiser=optimiser)

    def fold(self, k: int, split: Split, beside: Sequence[Epoch]) -> list[Epoch]:
        """Train one fold."""
        network = self.build(k)
        optimiser = self.optimiser(network)
        training = Training(network, split, self.schedule, seed=self.context.seed, k=k, optimiser=optimiser)
        return train_fold(
            self.context,
            self.record,
            training,
            beside,
            after_step=lambda step: self.writes.step(step.step, optimiser),
            before_epoch_row=self.writes.epoch,
        )

    def build(self, k: int) -> torch.nn.Sequential:
        """Bring the cells to the fold's first weights; they start where a conventional network does."""
        settings = self.context.settings
        digital = [layer for layer in self._digital(k) if isinstance(layer, torch.nn.Linear)]
        layers = []
        for cells, start, largest in zip(self.synapses, digital, (_INPUT_RANGE, 1.0), strict=True):
            cells.verify(start.weight, self.threshold / 2, settings["verify_rounds"])
            layer = CrossbarLinear(cells, input_range=largest, dtype=torch.float64)
            with torch.no_grad():
                layer.bias.copy_(start.bias)
            layers.append(layer)
        self.layers += layers
        return torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])

    def optimiser(self, network: torch.nn.Module) -> EaPU:
        """EaPU on the cells of the network's layers."""
        settings = self.context.settings
        crossbars = [layer for layer in network.modules() if isinstance(layer, CrossbarLinear)]
        optimiser = EaPU(
            inner_optimiser(network, self.schedule.learning_rate, settings),
            rule=write_rule(settings["rule"], self.threshold),
            cells={layer.weight: layer.synapses for layer in crossbars},
            seed=self.context.seed,
        )
        self.optimisers.append(optimiser)
        return optimiser

    def ledger(self) -> dict[str, float]:
        """Sum what was written and multiplied over all folds."""
        updates = sum(optimiser.updates for optimiser in self.optimisers)
        shares = [optimiser.write_ratio() * optimiser.updates for optimiser in self.optimisers]
        return {
            "write_ratio": sum(shares) / updates,
            "writes": sum(cells.written for cells in self.synapses),
            "clipped_writes": sum(cells.clipped for cells in self.synapses),
            "products": sum(layer.multiplications for layer in self.layers),
            "flagged_products": sum(layer.flagged for layer in self.layers),
        }

    def _digital(self, k: int) -> torch.nn.Sequential:
        """Return the conventional network of a fold, freshly drawn."""
        network = tanh_perceptron(_sizes(self.context), torch.float64)
        initialise(network, self.context.seed, k)
        return network


def run(context: Context) -> dict[str, object]:
    """Train all folds; see INTERFACE of ``labtrain train`` for the result's fields."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    started = context.bench.clock.now_ns() if context.bench else None
    folds = FoldedRun.prepare(context, RECIPE.name)
    run = _Run(
        context,
        folds.schedule,
        _open(context, _sizes(context)),
        TrainingRecord(context.sink, RECIPE.name, {"recipe": RECIPE.name}),
        WriteRecord(context.sink, RECIPE.name),
        threshold_of(context, THRESHOLD),
    )
    folds.train(run.fold, run.beside)
    return folds.result(run.ledger(), started, rule=context.settings["rule"], threshold=run.threshold)


def _sizes(context: Context) -> tuple[int, ...]:
    return (INPUTS, context.settings["hidden"], CLASSES)


def _open(context: Context, sizes: tuple[int, ...]) -> list[PairedSynapses]:
    settings = context.settings
    return [
        PairedSynapses(
            array,
            siemens_per_unit=settings["siemens_per_unit"],
            low=settings["lowest"],
            high=settings["highest"],
        )
        for array in open_synapses(context, ARRAYS, sizes)
    ]


RECIPE = Recipe(
    name="iris-eapu",
    doc="Iris, k-fold, on a 4-H-3 network of memristor pairs: products read from the crossbar, EaPU writes",
    settings=SETTINGS,
    body=run,
)
