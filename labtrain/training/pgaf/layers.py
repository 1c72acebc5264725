"""Layers whose backward pass is gated by switches, and skips what the gates close."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast, final

import torch

from labtrain.errors import UsageError
from labtrain.kernels.masked_products import RowLists, input_gradient, weight_gradient
from labtrain.training.pgaf.sampler import SwitchSampler

WEIGHTS_DENSE_FROM, PROPAGATION_DENSE_FROM = 0.25, 0.04
"""Shares of multiply-accumulates from which a dense product is quicker than the compacted one (measured on
one core, lists included): whole rows are added up for weights, single entries gathered for errors."""
NARROW = 32
"""Outputs up to which the compacted propagation is quicker at any share: BLAS does thin products badly."""


@dataclass
class GradientMacs:
    """Multiply-accumulates of a layer's backward pass: executed, and of dense products.

    Attributes
    ----------
    propagation, propagation_dense
        Of the errors, to the layer before.
    weights, weights_dense
        Of the weight gradient.
    indexed
        Entries looked at to find those that are not zero: no multiply-accumulates, and counted apart.
    """

    propagation: int = 0
    propagation_dense: int = 0
    weights: int = 0
    weights_dense: int = 0
    indexed: int = 0


class _Linear(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Weight, bias and counts that the layers below share."""

    def __init__(self, inputs: int, outputs: int, dtype: torch.dtype | None) -> None:
        super().__init__()
        plain = torch.nn.Linear(inputs, outputs, dtype=dtype)
        self.in_features, self.out_features = inputs, outputs
        self.weight, self.bias = plain.weight, plain.bias
        self.macs = GradientMacs()

    def gradient_of_weights(self, delta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return ``delta^T x``, compacted where that pays; count what was executed."""
        dense = delta.numel() * x.shape[1]
        self.macs.weights_dense += dense
        if _compactable(delta) and delta.shape[1] > NARROW:
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
        if _compactable(delta) and self._gathering_pays(delta, gates):
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
        shares = [float(torch.count_nonzero(some)) / max(some.numel(), 1) for some in (delta, gates)]
        return bool(math.prod(shares) < PROPAGATION_DENSE_FROM)

    def get_extra_state(self) -> dict[str, Any]:
        """Counts, and the switches' state where there are switches."""
        return {"macs": dict(vars(self.macs))}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self.macs = GradientMacs(**state["macs"])


def _compactable(delta: torch.Tensor) -> bool:
    """Whether there is a kernel for compacted products of these numbers."""
    return bool(delta.device.type == "cpu" and delta.dtype in (torch.float32, torch.float64))


@final
class FirstLinear(_Linear):
    """The network's first layer, ``z = W x + b``: its weight gradient skips closed neurons.

    No gradient flows to ``x``.
    """

    def __init__(self, inputs: int, outputs: int, dtype: torch.dtype | None = None) -> None:
        super().__init__(inputs, outputs, dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``x[..., in]``."""
        return cast(torch.Tensor, _First.apply(x, self.weight, self.bias, self))


@final
class GatedLinear(_Linear):
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
        gated = self.training and torch.is_grad_enabled()
        return cast(torch.Tensor, _Gated.apply(z, self.weight, self.bias, self, gated))

    def activate(self, z: torch.Tensor, gated: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the activations of a flat batch, and its gates where they are wanted."""
        sampler, activation = self.sampler, self.sampler.activation
        biased = z.mean(dim=0, keepdim=True) if self.per_batch else z
        samples = None
        if gated:
            samples = sampler.samples(biased, 2)
        elif self.sampled:
            samples = sampler.samples(z, 1)
        gates = (
            sampler.open_gates(samples[0], samples[1]).expand_as(z) if gated and samples is not None else None
        )
        if self.sampled and samples is not None:
            return samples[0].expand_as(z).to(z.dtype) * (1.0 - activation.low) + activation.low, gates
        return (torch.tanh(z) if activation.name == "tanh" else torch.sigmoid(z)), gates

    def get_extra_state(self) -> dict[str, Any]:
        """Counts and the switches' state."""
        return {**super().get_extra_state(), "sampler": self.sampler.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take them back."""
        super().set_extra_state(state)
        self.sampler.load_state_dict(state["sampler"])

    def extra_repr(self) -> str:
        """Name the array, activation and gate."""
        sampler, name = self.sampler, self.sampler.array.name
        return f"{name}, {sampler.activation.name}, gate={sampler.gate.name}, out={self.out_features}"


class _First(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, layer: FirstLinear
    ) -> torch.Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x)
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
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
        activations, gates = layer.activate(z.detach().reshape(-1, z.shape[-1]), gated)
        ctx.layer, ctx.gated = layer, gated
        ctx.save_for_backward(activations, activations if gates is None else gates)
        return torch.nn.functional.linear(activations, weight, bias).view(*z.shape[:-1], -1)

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        if not ctx.gated:
            raise UsageError(
                "this forward pass ran in eval mode, so no gates were sampled",
                remedy="call train() on the network before a forward pass whose gradient you need",
            )
        activations, gates = ctx.saved_tensors
        layer = ctx.layer
        delta = gradient.reshape(-1, gradient.shape[-1]).contiguous()
        weights = layer.gradient_of_weights(delta, activations)
        errors = layer.gradient_of_inputs(delta, gates, layer.sampler.slope_scale)
        return errors.view(*gradient.shape[:-1], -1), weights, delta.sum(dim=0), None, None
