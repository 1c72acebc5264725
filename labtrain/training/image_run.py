"""What the recipes on images share: data split and standardised, effort, the network beside, the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.clock import RealClock
from labtrain.training.checkpoints import checkpoint, go_on
from labtrain.training.datasets import Images, load_images
from labtrain.training.loop import Epoch, Schedule, Split, Step, Training, accuracy, train
from labtrain.training.randomness import permutation
from labtrain.training.recipes import Context
from labtrain.training.records import TrainingRecord
from labtrain.training.settings import Setting

HELD_OUT = 10_000

SPLIT = Setting(
    "split",
    "choice",
    "test",
    "test: train on all training images, read the test set once; validation: hold 10,000 out",
    choices=("test", "validation"),
)

DATASET = Setting(
    "dataset",
    "choice",
    "mnist",
    "which images: those in --data where that names their folder, else looked for and fetched by this name",
    choices=("mnist", "fashion-mnist"),
)
IMAGE_SETTINGS = (SPLIT, DATASET)
"""Of every recipe on grey images."""

Optimise = Callable[[torch.nn.Module], torch.optim.Optimizer]


@dataclass(frozen=True)
class ImageRun:
    """One run of a recipe on images.

    Attributes
    ----------
    split, last
        What is trained on, and what the last accuracy is taken of.
    sizes
        Of the network: pixels, ``hidden`` where there is that setting, classes.
    shape
        Of a picture: channels (colour only), height, width.
    schedule
        Of the settings ``epochs``, ``batch_size`` and ``learning_rate``.
    """

    context: Context
    recipe: str
    split: Split
    last: tuple[torch.Tensor, torch.Tensor]
    sizes: tuple[int, ...]
    shape: tuple[int, ...]
    schedule: Schedule

    @classmethod
    def prepare(cls, context: Context, recipe: str, images: Images | None = None) -> ImageRun:
        """Split ``images``, or those of the settings, which are loaded.

        Raises
        ------
        DataError
            Where the data set is not there or cannot be used.
        """
        settings = context.settings
        images = images or load_images(context.data_dir, settings["dataset"])
        split, last = split_images(images, settings["split"], context.seed)
        sizes = (split.train_x.shape[1], *settings.get("hidden", ()), int(split.train_y.max()) + 1)
        schedule = Schedule(settings["epochs"], settings["batch_size"], settings["learning_rate"])
        return cls(context, recipe, split, last, sizes, images.train_images.shape[1:], schedule)

    def baseline(
        self, build: Callable[[], torch.nn.Module], optimise: Optimise | None = None
    ) -> tuple[list[Epoch], float | None]:
        """Train the conventional network, where it is asked for; return its epochs and its last accuracy."""
        if not self.context.baseline:
            return [], None
        run, sink = f"train/{self.recipe}/baseline", self.context.sink
        network = build()  # in a resumed run too: torch's generator has then drawn as much
        kept = self.context.processes.of_first(go_on(sink, run))
        if kept is not None:
            return [Epoch(*values) for values in kept["history"]], kept["accuracy"]
        optimiser = None if optimise is None else optimise(network)
        epochs = self.train_conventionally(network, optimiser)
        reached = accuracy(network, *self.last)
        history = [list(vars(epoch).values()) for epoch in epochs]
        checkpoint(sink, run, "end", {"history": history, "accuracy": reached})
        return epochs, reached

    def train_conventionally(
        self, network: torch.nn.Module, optimiser: torch.optim.Optimizer | None = None
    ) -> list[Epoch]:
        """Train a network without devices; nothing is noted."""
        context = self.context
        return train(
            network,
            self.split,
            self.schedule,
            seed=context.seed,
            optimiser=optimiser,
            processes=context.processes,
        )

    def open_record(self) -> TrainingRecord:
        """Begin the streams of steps and epochs."""
        return TrainingRecord(self.context.sink, self.recipe, {"recipe": self.recipe})

    def train(
        self,
        network: torch.nn.Module,
        record: TrainingRecord,
        beside: list[Epoch],
        *,
        optimiser: torch.optim.Optimizer | None = None,
        after_step: Callable[[Step], None] = lambda step: None,
        before_epoch_row: Callable[[], None] = lambda: None,
        told: Callable[[], str] = lambda: "",
    ) -> tuple[float, float]:
        """Train ``network``, noting every step and epoch; return its last accuracy and the seconds spent.

        Parameters
        ----------
        after_step
            Called with each step, after it was noted.
        before_epoch_row
            Called at an epoch's end, before its rows are noted.
        told
            What the progress says besides the loss.
        """
        clock = RealClock()
        training = Training(
            network,
            self.split,
            self.schedule,
            seed=self.context.seed,
            optimiser=optimiser,
            processes=self.context.processes,
        )
        state = self.context.processes.of_first(record.go_on(0))
        if state is not None:
            training.load_state_dict(state)
            self.context.progress.advance(len(training.history), "from its checkpoint")

        def noted(step: Step) -> None:
            record.step(0, step, network)
            after_step(step)

        def after_epoch(epoch: Epoch) -> None:
            before_epoch_row()
            record.epoch(0, epoch, beside[epoch.epoch] if beside else None)
            if self.schedule.keeps_state(epoch.epoch, self.context.settings["checkpoint_every"]):
                record.state(0, epoch.epoch, training.state_dict())
            self.context.progress.advance(note=f"loss {epoch.train_loss:.3f}{told()}")

        training.run(noted, after_epoch)
        return accuracy(network, *self.last), clock.now_ns() / 1e9

    def result(self, reached: float, baseline: float | None, **own: Any) -> dict[str, Any]:
        """Gather the result, with the recipe's ``own`` fields, and note it as ``result/<recipe>``."""
        result = {
            "recipe": self.recipe,
            "seed": self.context.seed,
            "split": self.context.settings["split"],
            "accuracy": reached,
            "accuracies": [reached],
            "baseline_accuracy": baseline,
            **own,
        }
        self.context.sink.document(f"result/{self.recipe}", result)
        return result


def split_images(images: Images, name: str, seed: int) -> tuple[Split, tuple[torch.Tensor, torch.Tensor]]:
    """Standardise by the training part; return the split and what the last accuracy is taken of.

    ``"test"`` watches nothing while it trains; ``"validation"`` holds 10,000 training images out (a sixth of
    smaller sets) and never touches the test set.
    """
    pictures, labels = images.train_images, images.train_labels.astype(np.int64)
    held_out = 0 if name == "test" else min(HELD_OUT, len(labels) // 6)
    order = permutation(seed, "train/held-out", len(labels), 0) if held_out else np.arange(len(labels))
    kept, watched = order[held_out:], order[:held_out]
    mean, spread = float(pictures[kept].mean()), float(pictures[kept].std())

    def flat(some: NDArray[np.uint8]) -> torch.Tensor:
        rows = some.reshape(len(some), math.prod(some.shape[1:])).astype(np.float32)
        return torch.from_numpy((rows - np.float32(mean)) / np.float32(spread or 1.0))

    validation = flat(pictures[watched]), torch.from_numpy(labels[watched])
    split = Split(flat(pictures[kept]), torch.from_numpy(labels[kept]), *validation)
    if name == "validation":
        return split, validation
    return split, (flat(images.test_images), torch.from_numpy(images.test_labels.astype(np.int64)))
