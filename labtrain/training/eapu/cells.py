"""The devices behind one weight tensor, as the optimiser sees them: they are written, and hold weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, final

import torch

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.kernels.probabilistic_updates import add_changes
from labtrain.kernels.sequences import normals_of
from labtrain.training.eapu.rules import Address, Writes, on_host


class Cells(ABC):
    """The devices of one tensor.

    Attributes
    ----------
    written
        Weights written so far.
    """

    written: int

    @abstractmethod
    def write(self, weights: torch.Tensor, writes: Writes, address: Address) -> None:
        """Write, and leave in ``weights`` (flat, in place) what the network computes with from now on."""

    def write_both(
        self, weights: torch.Tensor, before: torch.Tensor, writes: Writes, address: Address
    ) -> bool:
        """Write, ``before`` being equal to ``weights``; return whether it has been kept so.

        Cells that change nothing but what is written can keep it: no copy of all weights is needed then.
        """
        self.write(weights, writes, address)
        return False

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters and states, as tensors and plain values."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""


@final
class NoisyIncrements(Cells):
    """The published device: a write adds its change and a normal error, and nothing else happens.

    Parameters
    ----------
    write_noise
        Standard deviation of a write, in the weights' units; 0 is the ideal device.
    from_copy
        False: a write starts from the weight as it is, so errors add up (open loop, as published). True: it
        aims at a digital copy's value, so that a cell holds the error of its last write alone; the copy
        costs one number a weight.
    count_cells
        Whether writes are counted for every cell (4 bytes each).

    Raises
    ------
    UsageError
        For negative noise.
    """

    def __init__(self, write_noise: float, *, from_copy: bool = False, count_cells: bool = False) -> None:
        if not 0.0 <= write_noise < float("inf"):
            raise UsageError(
                f"write_noise = {write_noise} cannot be",
                remedy="give 0 or more, in units of the weights",
                key="write_noise",
            )
        self.write_noise = float(write_noise)
        self.written = 0
        self._from_copy, self._count_cells = from_copy, count_cells
        self._copy: torch.Tensor | None = None
        self.writes_by_cell: torch.Tensor | None = None

    def write(self, weights: torch.Tensor, writes: Writes, address: Address) -> None:
        """Add the changes with their errors."""
        self._count(weights, writes.index)
        index = writes.index
        if self._from_copy:
            if self._copy is None:
                self._copy = weights.clone()
            self._copy[index] += writes.change
            target = self._copy[index]
        else:
            target = weights[index] + writes.change
        if self.write_noise > 0.0:
            target = target + (self.write_noise * _errors(index, address)).to(weights.dtype)
        weights[index] = target

    def write_both(
        self, weights: torch.Tensor, before: torch.Tensor, writes: Writes, address: Address
    ) -> bool:
        """Write; on the host by a compiled loop."""
        index = writes.index
        if self._from_copy or self.write_noise == 0.0 or not on_host(weights):
            self.write(weights, writes, address)
            before[index] = weights[index]
        else:
            self._count(weights, index)
            errors = _errors(index, address).numpy()
            changed, beside = weights.numpy(), before.numpy()
            add_changes(changed, beside, index.numpy(), writes.change.numpy(), self.write_noise, errors)
        return True

    def _count(self, weights: torch.Tensor, index: torch.Tensor) -> None:
        self.written += len(index)
        if self._count_cells:
            if self.writes_by_cell is None:
                self.writes_by_cell = torch.zeros(len(weights), dtype=torch.int32, device=weights.device)
            self.writes_by_cell[index] += 1

    def state_dict(self) -> dict[str, Any]:
        """Count of writes, counts by cell and the digital copy, where they are kept."""
        return {"written": self.written, "writes_by_cell": self.writes_by_cell, "copy": self._copy}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self.written = int(state["written"])
        self.writes_by_cell, self._copy = (
            None if state[key] is None else state[key].clone() for key in ("writes_by_cell", "copy")
        )


def _errors(index: torch.Tensor, address: Address) -> torch.Tensor:
    """Standard normals of the cells' writes, float64; compiled on the host, in torch elsewhere."""
    stream = address.stream("write")
    if index.device.type == "cpu":
        return torch.from_numpy(normals_of(address.seed, stream, index.numpy(), address.k))
    drawn: torch.Tensor = noise.normal(address.seed, stream, index, address.k)
    return drawn
