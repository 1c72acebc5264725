"""Layers between gated activations: convolutions and linear layers that skip the errors a gate closed."""

from __future__ import annotations

from typing import Any, final

import torch

from labtrain.errors import UsageError
from labtrain.kernels.masked_convolutions import input_gradient, weight_gradient
from labtrain.training.passes import outside_graphs
from labtrain.training.pgaf.counting import SAMPLED_ONCE, CountedLayer, compactable, share_of

DENSE_FROM = 0.3
"""Share of non-zero errors from which torch's dense convolutions are quicker (measured, one core)."""


@final
class CountedConv2d(CountedLayer):
    """A convolution like ``source``, sharing nothing with it.

    Raises
    ------
    UsageError
        For groups, dilation, or kernels, strides and paddings that are not square or not zeros.
    """

    def __init__(self, source: torch.nn.Conv2d) -> None:
        super().__init__()
        _refuse_unusual(source)
        self.size, self.stride = source.kernel_size[0], source.stride[0]
        self.padding = int(source.padding[0])
        self.weight = torch.nn.Parameter(source.weight.detach().clone())
        self.bias = None if source.bias is None else torch.nn.Parameter(source.bias.detach().clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[B, out, height, width]`` for ``x[B, in, ...]``."""
        bias = self.weight.new_zeros(len(self.weight)) if self.bias is None else self.bias
        z = outside_graphs(_Convolution, x, self.weight, bias, self)
        if self.counts:
            self.macs.forward += self.products(z)
        return z

    def products(self, z: torch.Tensor) -> int:
        """Return the multiply-accumulates of a dense product that gives ``z``, or is given its errors."""
        return int(z.numel() * self.weight[0].numel())

    def gradients(
        self, delta: torch.Tensor, x: torch.Tensor, of_inputs: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Return the gradients of inputs (where wanted) and of weights; count what was executed."""
        dense = self.products(delta)
        self.macs.weights_dense += dense
        self.macs.propagation_dense += dense if of_inputs else 0
        self.macs.indexed += delta.numel()
        if compactable(delta) and share_of(delta) < DENSE_FROM:
            return self._compacted(delta, x, of_inputs)
        self.macs.weights += dense
        self.macs.propagation += dense if of_inputs else 0
        weight, how = self.weight.detach(), {"stride": self.stride, "padding": self.padding}
        errors = torch.nn.grad.conv2d_input(x.shape, weight, delta, **how) if of_inputs else None
        return errors, torch.nn.grad.conv2d_weight(x, weight.shape, delta, **how)

    def _compacted(
        self, delta: torch.Tensor, x: torch.Tensor, of_inputs: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        edge = self.padding
        padded = torch.nn.functional.pad(x, (edge, edge, edge, edge))
        last, errors = _channels_last(delta), None
        weights, executed = weight_gradient(last, _channels_last(padded), self.size, self.stride)
        self.macs.weights += executed
        if of_inputs:
            kernels, shape = _channels_last(self.weight.detach()), (padded.shape[2], padded.shape[3])
            back, executed = input_gradient(last, kernels, shape, self.stride)
            self.macs.propagation += executed
            inner = torch.from_numpy(back)[:, edge : shape[0] - edge, edge : shape[1] - edge]
            errors = inner.permute(0, 3, 1, 2)
        return errors, torch.from_numpy(weights).permute(0, 3, 1, 2).contiguous()

    def extra_repr(self) -> str:
        """Name channels, size and stride."""
        outputs, inputs = self.weight.shape[:2]
        return f"{inputs}, {outputs}, size={self.size}, stride={self.stride}"


@final
class CountedLinear(CountedLayer):
    """A linear layer like ``source``, whose errors are dense: the last one."""

    def __init__(self, source: torch.nn.Linear) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(source.weight.detach().clone())
        self.bias = None if source.bias is None else torch.nn.Parameter(source.bias.detach().clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``x[..., in]``; its whole gradient is counted as it will be computed."""
        if self.counts:
            products = x.numel() * len(self.weight)
            macs, back = self.macs, products if x.requires_grad else 0
            macs.forward += products
            macs.weights += products
            macs.weights_dense += products
            macs.propagation += back
            macs.propagation_dense += back
        return torch.nn.functional.linear(x, self.weight, self.bias)


class _Convolution(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, layer: CountedConv2d
    ) -> torch.Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x)
        return torch.nn.functional.conv2d(x, weight, bias, layer.stride, layer.padding)

    @staticmethod
    @SAMPLED_ONCE
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        errors, weights = ctx.layer.gradients(gradient, x, ctx.needs_input_grad[0])
        return errors, weights, gradient.sum(dim=(0, 2, 3)), None


def _channels_last(some: torch.Tensor) -> Any:
    return some.permute(0, 2, 3, 1).contiguous().numpy()


def _refuse_unusual(source: torch.nn.Conv2d) -> None:
    square = all(len(set(pair)) == 1 for pair in (source.kernel_size, source.stride, source.padding))
    plain = source.groups == 1 and set(source.dilation) == {1} and source.padding_mode == "zeros"
    if not (square and plain and isinstance(source.padding[0], int)):
        raise UsageError(
            f"gated networks do not cover {source}",
            remedy="use square kernels and strides, zero padding as numbers, no groups and no dilation",
        )
