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
from labtrain.kernels.sequences import uniforms_of
from labtrain.training.eapu.octets import BLOCK, octets

_ON_HOST, _ELSEWHERE = 64 * BLOCK, 1024 * BLOCK
"""Cells that the plain rule looks at together: what stays in a core's cache, and what keeps a GPU busy."""


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


def on_host(weights: torch.Tensor) -> bool:
    """Whether the compiled loops take such weights."""
    return weights.device.type == "cpu" and weights.dtype in (torch.float32, torch.float64)


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
        if self._kernel and on_host(before):
            index, change = take_writes(
                before.numpy(), after.numpy(), self.threshold, address.seed, streams, address.k
            )
            return Writes(torch.from_numpy(index), torch.from_numpy(change))
        index, change, drawn = _candidates(before, after, self.threshold, address, streams[0])
        size = change.to(torch.float64).abs()
        own = _uniforms(index, address, streams[1])
        taken = size >= (drawn + own) / 256.0 * self.threshold
        written = torch.where(size >= self.threshold, change, self.threshold * torch.sign(change))
        return Writes(index[taken], written.to(before.dtype)[taken])


def _uniforms(index: torch.Tensor, address: Address, stream: int) -> torch.Tensor:
    """The cells' own uniforms, float64; compiled on the host, in torch elsewhere."""
    if index.device.type == "cpu":
        return torch.from_numpy(uniforms_of(address.seed, stream, index.numpy(), address.k))
    drawn: torch.Tensor = noise.uniform(address.seed, stream, index, address.k)
    return drawn


def _candidates(
    before: torch.Tensor, after: torch.Tensor, threshold: float, address: Address, stream: int
) -> tuple[torch.Tensor, ...]:
    """Undo a step; return the cells whose byte does not settle them, their steps and their bytes."""
    piece = _ON_HOST if before.device.type == "cpu" else _ELSEWHERE
    spare = _Spare(min(piece, before.numel()), before)
    found = [
        spare.look(before[i : i + piece], after[i : i + piece], i, threshold, address, stream)
        for i in range(0, before.numel(), piece)
    ]
    index, change, drawn = (torch.cat(parts) for parts in zip(*found, strict=True))
    return index, change, drawn


class _Spare:
    """Room for one piece of a tensor: steps in 256ths of the threshold, and which cells may be written."""

    def __init__(self, count: int, like: torch.Tensor) -> None:
        self.sizes = torch.empty(count, dtype=like.dtype, device=like.device)
        self.integers = torch.empty(count, dtype=torch.int32, device=like.device)
        self.bytes = torch.empty(count, dtype=torch.uint8, device=like.device)
        self.maybe = torch.zeros(-(-count // 8) * 8, dtype=torch.bool, device=like.device)

    def look(
        self,
        old: torch.Tensor,
        new: torch.Tensor,
        start: int,
        threshold: float,
        address: Address,
        stream: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Undo the step of the piece at ``start``; return index, step and byte of the cells left over."""
        n = len(old)
        sizes, integers, small = (room[:n] for room in (self.sizes, self.integers, self.bytes))
        # The rounding of the product may not lose a cell that the exact test would take; compared as bytes,
        # by way of int32, which is several times as fast.
        torch.sub(new, old, out=sizes).abs_().mul_(256.0 / threshold * (1.0 + 1e-6)).clamp_(max=255.0)
        small.copy_(integers.copy_(sizes))
        drawn = octets(address.seed, stream, start // BLOCK, n, address.k, old.device)
        torch.ge(small, drawn, out=self.maybe[:n])
        self.maybe[n:] = False
        # Eight at a time first: few are left.
        eights = self.maybe.view(torch.int64).nonzero().flatten()
        which, place = self.maybe.view(-1, 8)[eights].nonzero(as_tuple=True)
        index = eights[which] * 8 + place
        update = new[index] - old[index]
        new.copy_(old)
        return index + start, update, drawn[index]


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
