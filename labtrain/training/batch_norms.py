"""Batch normalisation over a batch that several processes share.

Torch's own (``SyncBatchNorm``) needs GPUs. Means and squares of the parts are put together by Chan, Golub and
LeVeque (1979, "Updating formulae and a pairwise algorithm for computing sample variances"), in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast, final

import numpy as np
import torch

from labtrain.arrays.batch_rows import BatchRows
from labtrain.errors import UsageError
from labtrain.training.passes import first_order

BatchNorm = torch.nn.BatchNorm1d | torch.nn.BatchNorm2d


class Sums(Protocol):
    """The part of :class:`~labtrain.training.torchrun.Torchrun` that a shared batch norm needs."""

    rows: BatchRows

    def summed(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the sums over all processes."""


def share_norms(network: torch.nn.Module, processes: Sums) -> None:
    """Replace the batch norms of a network, in place; parameters and statistics stay the same tensors."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, BatchNorm):
                setattr(parent, name, SharedBatchNorm(layer, processes))


@final
class SharedBatchNorm(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """As ``source``, with the statistics of the whole batch; the same names in ``state_dict``.

    Raises
    ------
    UsageError
        For a batch norm without running statistics or with a cumulative average.
    """

    def __init__(self, source: torch.nn.Module, processes: Sums) -> None:
        super().__init__()
        if not source.track_running_stats or source.momentum is None or not source.affine:
            raise UsageError(
                f"{source} cannot be shared by processes",
                remedy="use affine batch norms with running statistics and a momentum",
            )
        self.eps, self.momentum, self.processes = source.eps, source.momentum, processes
        self.weight, self.bias = source.weight, source.bias
        for name, buffer in source.named_buffers():
            self.register_buffer(name, buffer)
        self.train(source.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise ``x[B, C, ...]``; in eval by the running statistics."""
        if not self.training:
            given = self.running_mean, self.running_var, self.weight, self.bias
            return torch.nn.functional.batch_norm(x, *given, eps=self.eps)
        mean, variance, count = self._of_whole(x.detach())
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            unbiased = variance * (count / max(count - 1, 1))
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        inverse = (variance + self.eps).rsqrt()
        return cast(torch.Tensor, _Normalise.apply(x, self.weight, self.bias, mean, inverse, count, self))

    def _of_whole(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Return mean and variance of each channel over all processes, float64, and how many numbers."""
        over = [axis for axis in range(x.dim()) if axis != 1]
        count = x.numel() // x.shape[1]
        variance, mean = torch.var_mean(x.to(torch.float64), over, correction=0)
        told = self.processes.rows.of_all(
            np.stack([np.full(x.shape[1], float(count)), mean.cpu().numpy(), variance.cpu().numpy()])
        )
        counts, means, variances = (torch.from_numpy(told[:, row]).to(x.device) for row in range(3))
        total = counts.sum(0)
        whole = (counts * means).sum(0) / total
        spread = (counts * (variances + (means - whole).square())).sum(0) / total
        return whole, spread, int(total[0])

    def extra_repr(self) -> str:
        """Name channels and constants."""
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


class _Normalise(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        mean: torch.Tensor,
        inverse: torch.Tensor,
        count: int,
        layer: SharedBatchNorm,
    ) -> torch.Tensor:
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        normal = (x - mean.to(x.dtype).view(shape)).mul_(inverse.to(x.dtype).view(shape))
        ctx.save_for_backward(normal, weight, inverse)
        ctx.count, ctx.layer, ctx.shape = count, layer, shape
        return normal * weight.view(shape) + bias.view(shape)

    @staticmethod
    @first_order("a batch norm that processes share", "its second derivative is not implemented")
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        normal, weight, inverse = ctx.saved_tensors
        over = [axis for axis in range(gradient.dim()) if axis != 1]
        of_bias, of_weight = gradient.sum(over), (gradient * normal).sum(over)
        sums = torch.stack([of_bias, of_weight]).to(torch.float64)
        (whole,) = ctx.layer.processes.summed([sums])
        mean, along = ((part / ctx.count).to(gradient.dtype).view(ctx.shape) for part in whole)
        scale = (weight * inverse.to(weight.dtype)).view(ctx.shape)
        return scale * (gradient - mean - normal * along), of_weight, of_bias, None, None, None, None
