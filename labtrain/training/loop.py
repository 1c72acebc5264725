"""The training loop, top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.training.processes import Alone, Processes
from labtrain.training.randomness import permutation


@dataclass(frozen=True)
class Split:
    """Training and validation samples: features ``[N, d]``, labels ``[N]`` int64."""

    train_x: torch.Tensor
    train_y: torch.Tensor
    validation_x: torch.Tensor
    validation_y: torch.Tensor


@dataclass(frozen=True)
class Schedule:
    """Effort of one training; the same for devices and baseline.

    Attributes
    ----------
    learning_rate
        Of the first step; it falls along half a cosine to ``final_fraction`` of it.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    final_fraction: float = 0.02

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of ``step`` of ``steps``."""
        fall = 0.5 * (1.0 + np.cos(np.pi * step / steps))
        return float(self.learning_rate * (self.final_fraction + (1.0 - self.final_fraction) * fall))

    def keeps_state(self, epoch: int, every: int) -> bool:
        """Whether a state is kept at the end of ``epoch``: every so many and after the last; with 0 never."""
        return every > 0 and ((epoch + 1) % every == 0 or epoch + 1 == self.epochs)


@dataclass(frozen=True)
class Step:
    """One update, just made."""

    step: int
    epoch: int
    loss: float
    learning_rate: float


@dataclass(frozen=True)
class Epoch:
    """One epoch, just finished; accuracy in percent, NaN where nothing is held out."""

    epoch: int
    train_loss: float
    validation_accuracy: float

    def told(self) -> str:
        """Say in a few characters how it went."""
        watched = np.isfinite(self.validation_accuracy)
        return f"{self.validation_accuracy:.1f} %" if watched else f"loss {self.train_loss:.3f}"


Criterion = Callable[[torch.Tensor, NDArray[np.intp]], torch.Tensor]


class Training:
    """One training that may stop after any step and go on from its state, bit for bit.

    Parameters
    ----------
    seed, k
        Address the order of samples: ``k`` is the fold.
    optimiser
        Of the network's parameters, its rate to be set by the schedule; Adam (Kingma and Ba, 2015) if None.
    criterion
        ``criterion(scores, batch)``: the loss of scores ``[B, classes]`` of the training samples ``batch``;
        cross entropy against their labels if None.
    processes
        Those that share the batches; one process if None.

    Attributes
    ----------
    step
        Steps made.
    history
        Epochs finished.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        split: Split,
        schedule: Schedule,
        *,
        seed: int,
        k: int = 0,
        optimiser: torch.optim.Optimizer | None = None,
        criterion: Criterion | None = None,
        processes: Processes | None = None,
    ) -> None:
        self.network, self.split, self.schedule = network, split, schedule
        self.seed, self.k = seed, k
        self.processes = Alone() if processes is None else processes
        self.processes.prepare(network, len(split.train_x), schedule.batch_size)
        rate = schedule.learning_rate
        self.optimiser = torch.optim.Adam(network.parameters(), lr=rate) if optimiser is None else optimiser
        self.criterion = criterion or self._cross_entropy
        self.step = 0
        self.history: list[Epoch] = []
        self._losses: list[float] = []

    @property
    def steps_an_epoch(self) -> int:
        """Batches that deal all samples once."""
        return -(-len(self.split.train_x) // self.schedule.batch_size)

    def run(
        self,
        after_step: Callable[[Step], None] = lambda step: None,
        after_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> list[Epoch]:
        """Make the steps left; what raises in between leaves a state to go on from."""
        while len(self.history) < self.schedule.epochs:
            with self.processes.counting(self.network):
                self._rest_of_epoch(after_step)
            reached = accuracy(self.network, self.split.validation_x, self.split.validation_y)
            loss = sum(self._losses) / len(self.split.train_x)
            self.history.append(Epoch(len(self.history), loss, reached))
            self._losses = []
            self.processes.require_equal(self.state_dict, f"after epoch {len(self.history)}")
            after_epoch(self.history[-1])
        return self.history

    def _rest_of_epoch(self, after_step: Callable[[Step], None]) -> None:
        epoch, split = len(self.history), self.split
        steps = self.schedule.epochs * self.steps_an_epoch
        dealt = batches(len(split.train_x), self.schedule.batch_size, self.seed, self.k, epoch)
        self.network.train()
        for batch in islice(dealt, self.step - epoch * self.steps_an_epoch, None):
            rate = self.schedule.rate(self.step, steps)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            loss = self._gradients_of(batch)
            self.optimiser.step()
            self._losses.append(loss * len(batch))
            self.step += 1
            after_step(Step(self.step - 1, epoch, loss, rate))

    def _gradients_of(self, batch: NDArray[np.intp]) -> float:
        """Leave the gradients of a batch with the parameters; return its loss."""
        with self.processes.part(len(batch)) as part:
            own = batch[part]
            mean = self.criterion(self.network(self.split.train_x[own]), own)
            loss = self.processes.weighted(mean, len(own), len(batch))
            self.optimiser.zero_grad()
            loss.backward()
        return self.processes.sum_gradients(self.network, loss)

    def _cross_entropy(self, scores: torch.Tensor, batch: NDArray[np.intp]) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(scores, self.split.train_y[batch])

    def state_dict(self) -> dict[str, Any]:
        """All that decides how it goes on: weights, devices, optimiser, generator, place in the data."""
        return {
            "model": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": torch.get_rng_state(),
            "step": self.step,
            "losses": list(self._losses),
            "history": [list(vars(epoch).values()) for epoch in self.history],
            "run": self._identity(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back.

        Raises
        ------
        UsageError
            For the state of another network, schedule, seed or number of samples; nothing is then changed.
        """
        self._refuse_another(state)
        self.network.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["generator"])
        self.step = int(state["step"])
        self._losses = [float(loss) for loss in state["losses"]]
        self.history = [Epoch(*values) for values in state["history"]]

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "fold": self.k,
            "samples": len(self.split.train_x),
            **vars(self.schedule),
            "shapes": [list(parameter.shape) for parameter in self.network.parameters()],
        }

    def _refuse_another(self, state: Mapping[str, Any]) -> None:
        own, given = self._identity(), dict(state.get("run", {}))
        for name, value in own.items():
            if given.get(name) != value:
                raise UsageError(
                    f"the checkpoint is of another training: its {name} is {given.get(name)}, not {value}",
                    remedy="build the network and the schedule as they were when it was written",
                    key=name,
                )


def train(
    network: torch.nn.Module,
    split: Split,
    schedule: Schedule,
    *,
    seed: int,
    k: int = 0,
    optimiser: torch.optim.Optimizer | None = None,
    processes: Processes | None = None,
    after_step: Callable[[Step], None] = lambda step: None,
    after_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train ``network`` in place and return its epochs: a whole :class:`Training`.

    Parameters
    ----------
    after_step, after_epoch
        Called with what has just been done: they record, show progress, check for drift.
    """
    training = Training(network, split, schedule, seed=seed, k=k, optimiser=optimiser, processes=processes)
    return training.run(after_step, after_epoch)


def batches(count: int, batch_size: int, seed: int, k: int, epoch: int) -> Iterator[NDArray[np.intp]]:
    """Deal all samples once, in the addressed order of (seed, fold k, epoch)."""
    order = permutation(seed, f"train/order/{k}", count, epoch)
    for start in range(0, count, batch_size):
        yield order[start : start + batch_size]


def accuracy(network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, batch_size: int = 1000) -> float:
    """Classify in eval mode; return percent right (NaN of no samples)."""
    if len(y) == 0:
        return float("nan")
    network.eval()
    with torch.no_grad():
        right = sum(
            int((network(some).argmax(dim=1) == labels).sum())
            for some, labels in zip(x.split(batch_size), y.split(batch_size), strict=True)
        )
    return 100.0 * right / len(y)
