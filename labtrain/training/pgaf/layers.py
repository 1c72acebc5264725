"""Layers whose backward pass is gated by switches, and skips what the gates close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import torch

from labtrain.arrays.batch_rows import BatchRows
from labtrain.errors import UsageError
from labtrain.kernels.masked_products import RowLists, input_gradient, weight_gradient
from labtrain.training.passes import outside_graphs
from labtrain.training.pgaf.counting import (
    NARROW,
    PROPAGATION_DENSE_FROM,
    SAMPLED_ONCE,
    WEIGHTS_DENSE_FROM,
    CountedLayer,
    compactable,
    share_of,
)
from labtrain.training.pgaf.sampler import SwitchSampler
from labtrain.training.processes import OnDevices


class _Linear(CountedLayer):
    """Weight, bias and gradients that the layers below share."""

    def __init__(self, inputs: int, outputs: int, dtype: torch.dtype | None) -> None:
        super().__init__()
        plain = torch.nn.Linear(inputs, outputs, dtype=dtype)
        self.in_features, self.out_features = inputs, outputs
        self.weight, self.bias = plain.weight, plain.bias

    def count_forward(self, x: torch.Tensor) -> None:
        """Count the products of one forward pass over ``x[..., in]``."""
        if self.counts:
            self.macs.forward += x.numel() * self.out_features

    def gradient_of_weights(self, delta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return ``delta^T x``, compacted where that pays; count what was executed."""
        dense = delta.numel() * x.shape[1]
        self.macs.weights_dense += dense
        if compactable(delta):
            lists = RowLists.of(delta.numpy())
            self.macs.indexed += delta.numel()
            if len(lists) < WEIGHTS_DENSE_FROM * delta.numel():
                gradient, executed = weight_gradient(lists, x.numpy())
                self.macs.weights += executed
                return torch.from_numpy(gradient)
        self.macs.weights += dense
        return delta.T @ x

    def gradient_of_inputs(self, delta: torch.Tensor, gates: torch.Tensor, scale: float) -> torch.Tensor:
        """Return ``scale delta W`` where the gates are open, zero elsewhere; count what was executed."""
        dense = delta.numel() * self.in_features
        self.macs.propagation_dense += dense
        weight = self.weight.detach()
        if compactable(delta) and self._gathering_pays(delta, gates):
            errors, gate = delta.contiguous().numpy(), gates.contiguous().numpy()
            gradient, executed = input_gradient(errors, weight.contiguous().numpy(), gate, scale)
            self.macs.propagation += executed
            return torch.from_numpy(gradient)
        self.macs.propagation += dense
        return (delta @ weight).mul_(gates).mul_(scale)

    def _gathering_pays(self, delta: torch.Tensor, gates: torch.Tensor) -> bool:
        self.macs.indexed += delta.numel() + gates.numel()
        if delta.shape[1] <= NARROW:
            return True
        return share_of(delta) * share_of(gates) < PROPAGATION_DENSE_FROM


@final
class FirstLinear(_Linear):
    """The network's first layer, ``z = W x + b``: its weight gradient skips closed neurons.

    No gradient flows to ``x``.
    """

    def __init__(self, inputs: int, outputs: int, dtype: torch.dtype | None = None) -> None:
        super().__init__(inputs, outputs, dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``x[..., in]``."""
        self.count_forward(x)
        return outside_graphs(_First, x, self.weight, self.bias, self)


@final
class GatedLinear(_Linear, OnDevices):
    """``z' = W f(z) + b`` with the derivative of ``f`` sampled from switches.

    The forward pass is the activation itself (``deterministic``) or the first sample (``sampled``). The error
    for ``z`` is the gate times the switches' scale times ``W^T`` of the error behind, computed only where the
    gate is open. With a deterministic forward pass and the unbiased gates the gradient is unbiased as a
    whole: masks of different layers are independent.

    Parameters
    ----------
    sampler
        The switches of the neurons ``z``.
    outputs
        Width of ``z'``.
    sampled
        Whether the forward pass is sampled too.
    per_batch
        Whether one pair of samples, at the batch's mean ``z``, gates a whole batch: fewer attempts, and
        biased where ``z`` differs within the batch.

    Notes
    -----
    Gates are sampled in training mode with gradients enabled only. Double backward is refused.
    """

    def __init__(
        self,
        sampler: SwitchSampler,
        outputs: int,
        dtype: torch.dtype | None = None,
        *,
        sampled: bool = False,
        per_batch: bool = False,
    ) -> None:
        super().__init__(len(sampler), outputs, dtype)
        self.sampler, self.sampled, self.per_batch = sampler, sampled, per_batch

    @property
    def array(self) -> Any:
        """The switches."""
        return self.sampler.array

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``z[..., in]``."""
        self.count_forward(z)
        gated = self.counts
        return outside_graphs(_Gated, z, self.weight, self.bias, self, gated)

    @property
    def shared_rows(self) -> BatchRows | None:
        """The switches'; None where a whole batch is one row of them."""
        return self.sampler.shared_rows(self.per_batch)

    def row_counts(self) -> dict[str, Any]:
        """Of multiply-accumulates and switches."""
        return super().row_counts() | self.sampler.row_counts()

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        super().set_row_counts({name: counts[name] for name in super().row_counts()})
        self.sampler.set_row_counts(counts)

    def get_extra_state(self) -> dict[str, Any]:
        """Counts and the switches' state."""
        return {**super().get_extra_state(), "sampler": self.sampler.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take them back."""
        super().set_extra_state(state)
        self.sampler.load_state_dict(state["sampler"])

    def extra_repr(self) -> str:
        """Name the array, activation and gate."""
        return f"{self.sampler.described()}, out={self.out_features}"


@final
class GatedActivation(torch.nn.Module, OnDevices):  # type: ignore[misc]
    """An activation with sampled derivative between any two layers, as in networks with branches.

    Here the gate closes only what stands before it: errors behind arrive computed for all neurons.

    Parameters
    ----------
    sampler
        One switch for each neuron of a sample, in the order of its flattened shape.
    sampled, per_batch
        See :class:`GatedLinear`.
    """

    def __init__(self, sampler: SwitchSampler, *, sampled: bool = False, per_batch: bool = False) -> None:
        super().__init__()
        self.sampler, self.sampled, self.per_batch = sampler, sampled, per_batch

    @property
    def array(self) -> Any:
        """The switches."""
        return self.sampler.array

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return the activations of ``z[B, ...]``; further leading dimensions are more samples."""
        gated = bool(self.training and torch.is_grad_enabled() and z.requires_grad)
        return outside_graphs(_GatedActivation, z, self, gated)

    @property
    def shared_rows(self) -> BatchRows | None:
        """The switches'; None where a whole batch is one row of them."""
        return self.sampler.shared_rows(self.per_batch)

    def row_counts(self) -> dict[str, Any]:
        """Return the switches'."""
        return self.sampler.row_counts()

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        self.sampler.set_row_counts(counts)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the switches' state."""
        return {"sampler": self.sampler.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self.sampler.load_state_dict(state["sampler"])

    def extra_repr(self) -> str:
        """Name the array, activation and gate."""
        return self.sampler.described()


class _First(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, layer: FirstLinear
    ) -> torch.Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x)
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    @SAMPLED_ONCE
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        delta = gradient.reshape(-1, gradient.shape[-1]).contiguous()
        weights = ctx.layer.gradient_of_weights(delta, x.reshape(-1, x.shape[-1]).contiguous())
        return None, weights, delta.sum(dim=0), None


class _Gated(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, z: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, layer: GatedLinear, gated: bool
    ) -> torch.Tensor:
        flat = z.detach().reshape(-1, z.shape[-1])
        activations, gates = layer.sampler.activate(
            flat, gated, sampled=layer.sampled, per_batch=layer.per_batch
        )
        ctx.layer, ctx.gated = layer, gated
        ctx.save_for_backward(activations, activations if gates is None else gates)
        return torch.nn.functional.linear(activations, weight, bias).view(*z.shape[:-1], -1)

    @staticmethod
    @SAMPLED_ONCE
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        if not ctx.gated:
            raise _no_gates()
        activations, gates = ctx.saved_tensors
        layer = ctx.layer
        delta = gradient.reshape(-1, gradient.shape[-1]).contiguous()
        weights = layer.gradient_of_weights(delta, activations)
        errors = layer.gradient_of_inputs(delta, gates, layer.sampler.slope_scale)
        return errors.view(*gradient.shape[:-1], -1), weights, delta.sum(dim=0), None, None


class _GatedActivation(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, layer: GatedActivation, gated: bool) -> torch.Tensor:
        flat = z.detach().reshape(-1, len(layer.sampler))
        activations, gates = layer.sampler.activate(
            flat, gated, sampled=layer.sampled, per_batch=layer.per_batch
        )
        ctx.gated, ctx.scale = gated, layer.sampler.slope_scale
        ctx.save_for_backward(*(() if gates is None else (gates,)))
        return activations.view(z.shape)

    @staticmethod
    @SAMPLED_ONCE
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        if not ctx.gated:
            raise _no_gates()
        (gates,) = ctx.saved_tensors
        return gradient * gates.view(gradient.shape) * ctx.scale, None, None


def _no_gates() -> UsageError:
    return UsageError(
        "this forward pass ran in eval mode, so no gates were sampled",
        remedy="call train() on the network before a forward pass whose gradient you need",
    )
