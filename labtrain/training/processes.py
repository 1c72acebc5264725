"""The processes that train one network together, and what the loop asks of them.

Every process holds the whole network and every device. Each takes its part of a batch; gradients are summed
and each makes the same step, so that weights and devices stay equal without being sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, final

import torch

from labtrain.arrays.batch_rows import BatchRows


class CountsRows(ABC):
    """A layer that counts what its rows took: in a shared batch, those of this process."""

    @abstractmethod
    def row_counts(self) -> dict[str, Any]:
        """Return numbers and NumPy arrays by name."""

    @abstractmethod
    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take the like of :meth:`row_counts` instead."""


class OnDevices(CountsRows):
    """A layer whose passes are events of devices."""

    @property
    @abstractmethod
    def shared_rows(self) -> BatchRows | None:
        """By what the devices know a row's place in a shared batch; None: every batch is whole to them."""


class Processes(ABC):
    """What a training shares its batches with.

    Attributes
    ----------
    count, rank
        How many processes there are, and which of them this is, from 0; the first one keeps the record.
    rows
        For arrays and layers: where this process's rows stand in a batch.
    """

    count: int
    rank: int
    rows: BatchRows

    @property
    def first(self) -> bool:
        """Whether this process keeps the record."""
        return self.rank == 0

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """Return plain data for a session's start."""

    @abstractmethod
    def prepare(self, network: torch.nn.Module, samples: int, batch_size: int) -> None:
        """Make a network fit to be trained with batches of ``batch_size`` of ``samples``.

        Raises
        ------
        UsageError
            For devices whose batches cannot be shared, or a batch too small to give every process a sample.
        """

    @abstractmethod
    def part(self, total: int) -> Any:
        """Return a context manager that gives the slice of ``total`` samples that is this process's."""

    @abstractmethod
    def weighted(self, loss: torch.Tensor, own: int, total: int) -> torch.Tensor:
        """Return a mean over ``own`` samples as their part of the mean over ``total``."""

    @abstractmethod
    def sum_gradients(self, network: torch.nn.Module, loss: torch.Tensor) -> float:
        """Sum weighted losses and gradients over all processes, in place; return the summed loss."""

    @abstractmethod
    def counting(self, network: torch.nn.Module) -> Any:
        """Return a context manager; what layers count inside it is summed over all processes at its end."""

    @abstractmethod
    def require_equal(self, state: Callable[[], Any], when: str) -> None:
        """Refuse to go on where the processes' states are not equal to the bit."""

    @abstractmethod
    def of_first(self, value: Any) -> Any:
        """Return the first process's ``value`` in every process."""


@final
class Alone(Processes):
    """One process: every batch is its own."""

    count, rank = 1, 0

    def __init__(self) -> None:
        self.rows = BatchRows()

    def described(self) -> dict[str, Any]:
        """Say that there is one."""
        return {"count": 1}

    def prepare(self, network: torch.nn.Module, samples: int, batch_size: int) -> None:
        """Leave it as it is."""

    @contextmanager
    def part(self, total: int) -> Iterator[slice]:
        """Give all."""
        yield slice(total)

    def weighted(self, loss: torch.Tensor, own: int, total: int) -> torch.Tensor:
        """Return the loss."""
        return loss

    def sum_gradients(self, network: torch.nn.Module, loss: torch.Tensor) -> float:
        """Return the loss as a number."""
        return float(loss.item())

    @contextmanager
    def counting(self, network: torch.nn.Module) -> Iterator[None]:
        """Count."""
        yield

    def require_equal(self, state: Callable[[], Any], when: str) -> None:
        """Accept."""

    def of_first(self, value: Any) -> Any:
        """Return the value."""
        return value
