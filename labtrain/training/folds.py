"""Recipes in folds: the loop over them beside a conventional network, one fold on a chip, the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from labtrain.clock import RealClock
from labtrain.training.iris import fold_splits, load_iris
from labtrain.training.loop import Epoch, Schedule, Split, Step, Training
from labtrain.training.recipes import Context
from labtrain.training.records import TrainingRecord

Beside = Callable[[int, Split], list[Epoch]]
"""``f(k, split)``: trains the conventional network in fold ``k``."""
Fold = Callable[[int, Split, list[Epoch]], list[Epoch]]
"""``f(k, split, beside)``: trains the devices in fold ``k``; ``beside`` is empty where nothing was."""


@dataclass
class FoldedRun:
    """One run of a recipe on Iris, of the settings ``folds``, ``epochs``, ``batch_size``, ``learning_rate``.

    Attributes
    ----------
    accuracies, baselines
        Of the folds so far, each that of the last epoch; no baselines where they are not asked for.
    spent_ns
        Wall time in the devices' folds.
    """

    context: Context
    recipe: str
    splits: list[Split]
    schedule: Schedule
    accuracies: list[float] = field(default_factory=list)
    baselines: list[float] = field(default_factory=list)
    spent_ns: int = 0

    @classmethod
    def prepare(cls, context: Context, recipe: str) -> FoldedRun:
        """Load and split Iris."""
        settings = context.settings
        splits = fold_splits(*load_iris(), settings["folds"], context.seed)
        schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
        return cls(context, recipe, splits, schedule)

    def train(self, fold: Fold, beside: Beside) -> None:
        """Train all folds, the conventional network first in each."""
        self.context.progress.start(f"train {self.recipe}", len(self.splits) * self.schedule.epochs)
        clock = RealClock()
        for k, split in enumerate(self.splits):
            conventional = beside(k, split) if self.context.baseline else []
            self.baselines += [epoch.validation_accuracy for epoch in conventional[-1:]]
            since = clock.now_ns()
            self.accuracies.append(fold(k, split, conventional)[-1].validation_accuracy)
            self.spent_ns += clock.now_ns() - since

    def result(self, ledger: dict[str, float], started_ns: int | None, **own: Any) -> dict[str, Any]:
        """Gather the result, with the recipe's ``own`` fields, and note it as ``result/<recipe>``.

        Parameters
        ----------
        started_ns
            The bench's time when the recipe began; None without a bench.

        Notes
        -----
        Wall-clock ``train_seconds`` is returned but not noted: a replay compares what is noted.
        """
        context = self.context
        if context.bench is not None and started_ns is not None:
            ledger["bench_seconds"] = (context.bench.clock.now_ns() - started_ns) / 1e9
        result = {
            "recipe": self.recipe,
            "seed": context.seed,
            "split": "validation",
            "accuracy": fmean(self.accuracies),
            "accuracies": self.accuracies,
            "baseline_accuracy": fmean(self.baselines) if self.baselines else None,
            **own,
            "ledger": ledger,
        }
        context.sink.document(f"result/{self.recipe}", result)
        return result | {"train_seconds": self.spent_ns / 1e9}


def train_fold(
    context: Context,
    record: TrainingRecord,
    training: Training,
    beside: Sequence[Epoch],
    *,
    after_step: Callable[[Step], None] = lambda step: None,
    before_epoch_row: Callable[[], None] = lambda: None,
) -> list[Epoch]:
    """Make the steps left of ``training`` and note the weights at its end.

    Parameters
    ----------
    beside
        Epochs of the conventional network in the same fold; none where it was not asked for.
    after_step
        Called with each step, after it was noted.
    before_epoch_row
        Called at an epoch's end, before its row is noted.
    """
    k, network = training.k, training.network
    state = record.go_on(k)
    if state is not None:
        training.load_state_dict(state)
        context.progress.advance(len(training.history), "from its checkpoint")

    def noted(step: Step) -> None:
        record.step(k, step, network)
        after_step(step)

    def after_epoch(epoch: Epoch) -> None:
        before_epoch_row()
        record.epoch(k, epoch, beside[epoch.epoch] if beside else None)
        if training.schedule.keeps_state(epoch.epoch, context.settings["checkpoint_every"]):
            record.state(k, epoch.epoch, training.state_dict())
        context.progress.advance(note=f"{epoch.validation_accuracy:.1f} %")

    epochs = training.run(noted, after_epoch)
    record.checkpoint(k, network)
    return epochs
