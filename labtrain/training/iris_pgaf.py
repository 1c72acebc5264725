"""The recipe ``iris-pgaf``: Iris with derivatives sampled from SOT-MTJs, on a bench or directly simulated.

Stratified k-fold, a 4-H-3 network whose hidden units each own one switch. The same network with exact
gradients is trained beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from labtrain.training.determinism import deterministic
from labtrain.training.folds import FoldedRun, train_fold
from labtrain.training.loop import Epoch, Schedule, Split, Training, train
from labtrain.training.pgaf.chip import (
    THROUGH_RELAYS,
    calibrate_again,
    passes_of,
    sampler_maker,
    switch_settings,
)
from labtrain.training.pgaf.converting import MakeSampler, convert
from labtrain.training.pgaf.costs import COSTS, energy_table
from labtrain.training.pgaf.ledger import gated_ledger
from labtrain.training.pgaf.networks import conventional
from labtrain.training.pgaf.records import GateRecord
from labtrain.training.recipes import Context, Recipe
from labtrain.training.records import TrainingRecord
from labtrain.training.settings import Setting

INPUTS, CLASSES = 4, 3

SETTINGS = (
    Setting("hidden", "integer", 5, "hidden units, each with a switch of its own", low=1, high=256),
    Setting("epochs", "integer", 6, "passes over the training folds", low=1, high=100_000),
    Setting("batch_size", "integer", 5, "samples a step", low=1, high=150),
    Setting("learning_rate", "quantity", 0.1, "at the first step; it falls to 2 %", low=1e-6, high=10),
    Setting("folds", "integer", 5, "stratified folds, each held out once", low=2, high=50),
    Setting("activation", "choice", "tanh", "of the hidden layer", choices=("tanh", "sigmoid")),
    COSTS,
    *switch_settings(THROUGH_RELAYS),
)


@dataclass
class _Run:
    """Folds of one chip."""

    context: Context
    schedule: Schedule
    make_sampler: MakeSampler
    record: TrainingRecord
    gates: GateRecord
    networks: list[torch.nn.Module] = field(default_factory=list)

    def beside(self, k: int, split: Split) -> list[Epoch]:
        """Train with exact gradients."""
        return train(self._conventional(k), split, self.schedule, seed=self.context.seed, k=k)

    def fold(self, k: int, split: Split, beside: list[Epoch]) -> list[Epoch]:
        """Train one fold."""
        network = convert(self._conventional(k), self.make_sampler, **passes_of(self.context.settings))
        self.networks.append(network)

        def at_epochs_end() -> None:
            self.gates.epoch(network, k)
            calibrate_again(network, self.gates.at, self.context.settings)

        training = Training(network, split, self.schedule, seed=self.context.seed, k=k)
        return train_fold(
            self.context,
            self.record,
            training,
            beside,
            after_step=self.gates.step,
            before_epoch_row=at_epochs_end,
        )

    def _conventional(self, k: int) -> torch.nn.Sequential:
        settings = self.context.settings
        sizes = (INPUTS, settings["hidden"], CLASSES)
        return conventional(sizes, settings["activation"], self.context.seed, k, torch.float64)


def run(context: Context) -> dict[str, object]:
    """Train all folds; see INTERFACE of ``labtrain train`` for the result's fields."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings = context.settings
    started = context.bench.clock.now_ns() if context.bench else None
    table = energy_table(settings["costs"])
    folds = FoldedRun.prepare(context, RECIPE.name)
    record = TrainingRecord(context.sink, RECIPE.name, {"recipe": RECIPE.name})
    gates = GateRecord(context.sink, RECIPE.name)
    run = _Run(context, folds.schedule, sampler_maker(context, (settings["hidden"],)), record, gates)
    folds.train(run.fold, run.beside)
    return folds.result(gated_ledger(run.networks, table), started, gate=settings["gate"])


RECIPE = Recipe(
    name="iris-pgaf",
    doc="Iris, k-fold, on a 4-H-3 network with derivatives sampled from SOT-MTJs",
    settings=SETTINGS,
    body=run,
)
