"""The rows that a training leaves in the record, declared in one place.

No wall-clock time is written: a replay must produce the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from labtrain.session.sink import Column, Sink
from labtrain.training.checkpoints import checkpoint, go_on
from labtrain.training.determinism import weights_digest
from labtrain.training.loop import Epoch, Step

_INT = Column("int64")
_PERCENT = Column("float64", "percent")

STEPS = {
    "step": _INT,
    "fold": _INT,
    "epoch": _INT,
    "loss": Column(long_name="cross entropy"),
    "learning_rate": Column(),
    "digest": Column("str", long_name="xxh3 of all weights after the step"),
}
EPOCHS = {
    "fold": _INT,
    "epoch": _INT,
    "train_loss": Column(),
    "validation_accuracy": _PERCENT,
    "baseline_loss": Column(long_name="the tanh network's train loss"),
    "baseline_accuracy": _PERCENT,
}


class TrainingRecord:
    """The streams of one training run.

    Parameters
    ----------
    recipe
        The first part of every stream's name is ``train/<recipe>``.
    attributes
        Kept with every stream: recipe and devices. Settings stand in the session's start document; here
        they would hide from a replay with other settings where the devices' exchanges part.
    """

    def __init__(self, sink: Sink, recipe: str, attributes: Mapping[str, Any]) -> None:
        self._sink = sink
        self._root = f"train/{recipe}"
        self._waiting: list[dict[str, Any]] = []
        self._steps = sink.stream(f"{self._root}/steps", STEPS, attributes)
        self._epochs = sink.stream(f"{self._root}/epochs", EPOCHS, attributes)
        self._attributes = attributes

    def step(self, fold: int, step: Step, network: torch.nn.Module) -> None:
        """Take one update and the weights' digest after it, to be noted at the end of the epoch.

        What the weights drive then comes before them in the record, so that a replay which leaves the
        record names the exchange with the instruments where it does.
        """
        self._waiting.append(
            {
                "step": step.step,
                "fold": fold,
                "epoch": step.epoch,
                "loss": step.loss,
                "learning_rate": step.learning_rate,
                "digest": weights_digest(network),
            }
        )

    def epoch(self, fold: int, epoch: Epoch, baseline: Epoch | None) -> None:
        """Note an epoch and its steps, beside the same epoch of the baseline (NaN without one)."""
        for row in self._waiting:
            self._steps.append(row)
        self._waiting.clear()
        self._epochs.append(
            {
                "fold": fold,
                "epoch": epoch.epoch,
                "train_loss": epoch.train_loss,
                "validation_accuracy": epoch.validation_accuracy,
                "baseline_loss": baseline.train_loss if baseline else float("nan"),
                "baseline_accuracy": baseline.validation_accuracy if baseline else float("nan"),
            }
        )

    def state(self, fold: int, epoch: int, state: Mapping[str, Any]) -> None:
        """Note all that a training needs to go on from the end of an epoch."""
        checkpoint(self._sink, self._root, f"fold{fold}-epoch{epoch}", state)

    def go_on(self, fold: int) -> Any:
        """Return the state from which a resumed run goes on in a fold, None where it begins there."""
        return go_on(self._sink, self._root, f"fold{fold}-")

    def checkpoint(self, fold: int, network: torch.nn.Module) -> None:
        """Note the weights of a fold."""
        for name, parameter in network.named_parameters():
            value = parameter.detach().cpu().numpy()
            self._sink.array(f"{self._root}/checkpoints/{fold}/{name}", value)
