r"""Which part of an optimiser's step is written to devices: the published rule and its controls.

The rule of EaPU (error-aware probabilistic update; Nature Communications 2025,
doi 10.1038/s41467-025-66240-7), a cell: with the inner optimiser's step ``u``, a threshold ``T`` and ``r``
uniform in (0, 1), nothing is written where ``|u| < r T``, ``sign(u) T`` where ``r T <= |u| < T``, and ``u``
where ``|u| >= T``. So ``E[written] = u``, and ``Var[written] = |u| T - u^2`` below the threshold.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.kernels.probabilistic_updates import take_writes
from labtrain.training.eapu.octets import BLOCK, octets

_CHUNK = 64 * BLOCK


@dataclass(frozen=True, slots=True)
class Address:
    """Where the draws of one update of one tensor come from: (seed, the tensor's streams, update ``k``)."""

    seed: int
    tensor: str
    k: int

    def stream(self, kind: str) -> int:
        """Number the tensor's stream of a kind of draw."""
        return noise.stream(f"{self.tensor}/{kind}")


@dataclass(frozen=True, slots=True)
class Writes:
    """The cells to be written: ``index[m]`` int64, ascending, and ``change[m]`` in the weights' units."""

    index: torch.Tensor
    change: torch.Tensor


class WriteRule(ABC):
    """Turns an optimiser's step into writes."""

    name: str

    @abstractmethod
    def take(self, before: torch.Tensor, after: torch.Tensor, address: Address) -> Writes:
        """Return what is to be written, and set ``after`` back to ``before``.

        Both are flat and contiguous, of one dtype and device; ``after - before`` is the step ``u``.
        """

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What a resumed run needs; nothing for most rules."""
        return {}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:  # noqa: B027 - most keep nothing
        """Take :meth:`state_dict`'s result back."""


def positive_threshold(threshold: float) -> float:
    """Check a threshold.

    Raises
    ------
    UsageError
        For one that is not positive and finite.
    """
    if not 0.0 < threshold < float("inf"):
        raise UsageError(
            f"threshold = {threshold} cannot be",
            remedy="give a positive change of weight, best the device's write noise",
            key="threshold",
        )
    return float(threshold)


@final
class Probabilistic(WriteRule):
    """The published rule.

    Parameters
    ----------
    threshold
        In the weights' units; the update's variance is least where it equals the write noise.
    kernel
        Whether tensors on the host take the compiled pass; it decides as the plain one does.
    """

    name = "probabilistic"

    def __init__(self, threshold: float, *, kernel: bool = True) -> None:
        self.threshold = positive_threshold(threshold)
        self._kernel = kernel

    def take(self, before: torch.Tensor, after: torch.Tensor, address: Address) -> Writes:
        """Decide every cell by its addressed draw."""
        streams = (address.stream("byte"), address.stream("uniform"))
        if self._kernel and before.device.type == "cpu" and before.dtype in (torch.float32, torch.float64):
            index, change = take_writes(
                before.numpy(), after.numpy(), self.threshold, address.seed, streams, address.k
            )
            return Writes(torch.from_numpy(index), torch.from_numpy(change))
        found = [
            self._candidates(
                before[i : i + _CHUNK], after[i : i + _CHUNK], i, address.seed, streams[0], address.k
            )
            for i in range(0, before.numel(), _CHUNK)
        ]
        index, change, drawn = (torch.cat(parts) for parts in zip(*found, strict=True))
        size = change.to(torch.float64).abs()
        own = noise.uniform(address.seed, streams[1], index, address.k)
        taken = size >= (drawn + own) / 256.0 * self.threshold
        written = torch.where(size >= self.threshold, change, self.threshold * torch.sign(change))
        return Writes(index[taken], written.to(before.dtype)[taken])

    def _candidates(
        self, before: torch.Tensor, after: torch.Tensor, start: int, seed: int, stream: int, k: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Undo the step of a piece; return the cells whose byte does not settle them, step and byte."""
        update = after - before
        after.copy_(before)
        drawn = octets(seed, stream, start // BLOCK, len(update), k, update.device)
        # The rounding of the product may not lose a cell that the exact test would take; compared as bytes.
        scaled = update.abs().mul_(256.0 / self.threshold * (1.0 + 1e-6)).clamp_(max=255.0)
        index = (scaled.to(torch.uint8) >= drawn).nonzero().flatten()
        return index + start, update[index], drawn[index]


@final
class EveryStep(WriteRule):
    """The control without a rule: every cell with a step is written, so that all write noise enters."""

    name = "noise-only"

    def take(self, before: torch.Tensor, after: torch.Tensor, address: Address) -> Writes:
        """Write the whole step."""
        update = after - before
        after.copy_(before)
        index = update.nonzero().flatten()
        return Writes(index, update[index])


@final
class FixedThreshold(WriteRule):
    """The control without chance: ``u`` is written where ``|u| >= threshold`` and forgotten elsewhere."""

    name = "deterministic"

    def __init__(self, threshold: float) -> None:
        self.threshold = positive_threshold(threshold)

    def take(self, before: torch.Tensor, after: torch.Tensor, address: Address) -> Writes:
        """Write the large part of the step."""
        update = after - before
        after.copy_(before)
        index = (update.abs() >= self.threshold).nonzero().flatten()
        return Writes(index, update[index])


@final
class Accumulator(WriteRule):
    """Mixed precision: steps gather in a digital copy; whole thresholds of it are written.

    It writes less than any rule without memory, at the price of one digital number a weight
    (Nandakumar et al., Front. Neurosci. 14, 406 (2020)).
    """

    name = "mixed-precision"

    def __init__(self, threshold: float) -> None:
        self.threshold = positive_threshold(threshold)
        self._gathered: dict[str, torch.Tensor] = {}

    def take(self, before: torch.Tensor, after: torch.Tensor, address: Address) -> Writes:
        """Gather the step; write the whole thresholds that came together."""
        gathered = self._gathered.setdefault(address.tensor, torch.zeros_like(before))
        gathered += after - before
        after.copy_(before)
        whole = torch.trunc(gathered / self.threshold) * self.threshold
        index = whole.nonzero().flatten()
        gathered -= whole
        return Writes(index, whole[index])

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What has been gathered, by tensor."""
        return {name: gathered.clone() for name, gathered in self._gathered.items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Take it back."""
        self._gathered = {name: gathered.clone() for name, gathered in state.items()}
