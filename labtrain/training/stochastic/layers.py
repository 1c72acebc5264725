"""A linear layer that multiplies and adds random bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, final

import numpy as np
import torch

from labtrain import noise
from labtrain.arrays.batch_rows import BatchRows
from labtrain.errors import UsageError
from labtrain.kernels import stream_products
from labtrain.kernels.sequences import normals
from labtrain.kernels.stream_words import Words
from labtrain.training.one_chip import copied_around, diverged
from labtrain.training.passes import first_order, outside_graphs
from labtrain.training.processes import OnDevices
from labtrain.training.state import as_numpy, as_tensors
from labtrain.training.stochastic.generators import Floats, Generators
from labtrain.training.stochastic.moments import Counting, variance
from labtrain.training.stochastic.quantiser import quantise, require_levels

EVALUATORS = ("exact", "moments", "bits")
"""Without noise; with the mean and variance of the count; the bits themselves."""


@final
class StochasticLinear(torch.nn.Module, OnDevices):  # type: ignore[misc]  # torch is not type-checked here
    r"""``y = x W^T``, every product an XNOR or AND of two streams of ``N`` bits, the sum counted.

    ``x`` lies within the encoding's range (-1 to 1, or 0 to 1) and is taken as it is; the weights are clipped
    to [-1, 1] and rounded to ``levels`` states with a straight-through gradient. What comes out is the
    counter's estimate of the sum, not scaled: bipolar ``(2 ones - n N)/N`` of ``n N`` XNOR bits, unipolar the
    ones counted up and down over ``N``; behind a multiplexer, which sees one product in ``n``, ``n`` times
    that. Neither a bias nor a scale is part of it: both belong to the comparators behind the counter (a
    batch norm, folded).

    Parameters
    ----------
    counting
        Encoding, adder, length, memory.
    inputs, weights
        Generators of the two operands' streams; shared (never copied) by deep copies.
    levels
        States of the weights; 0: any value.
    train_with, evaluator
        How the sum is found while training, and in eval. ``"bits"``: counted, as the devices do it.
        ``"moments"``: mean, and addressed normal noise of the count's variance. ``"exact"``: the sum itself.
    seed, name
        Address the noise of ``"moments"`` and the multiplexer's choices.
    variance_gradient
        Whether the noise's size is differentiated too, so that training learns to make less of it.
    rows
        Of batches that several processes share; left out: every batch is whole.

    Notes
    -----
    One request of the weights' streams serves the whole batch: the statistics of each sample are
    exact, and errors of samples in one batch share the weights' part. Computed in float64 on the host,
    except the moments, which follow the network's device. Double backward through bits is refused.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        counting: Counting,
        inputs: Generators,
        weights: Generators,
        *,
        levels: int = 5,
        train_with: str = "moments",
        evaluator: str = "bits",
        seed: int = 0,
        name: str = "sc",
        variance_gradient: bool = True,
        dtype: torch.dtype | None = None,
        rows: BatchRows | None = None,
    ) -> None:
        super().__init__()
        for how in (train_with, evaluator):
            if how not in EVALUATORS:
                raise UsageError(
                    f"evaluator {how!r} is not known", remedy=f"one of {EVALUATORS}", key="evaluator"
                )
        if counting.n_bits < 1:
            raise UsageError(
                f"streams of {counting.n_bits} bits cannot be", remedy="give 1 or more", key="length"
            )
        self.in_features, self.out_features = n_inputs, n_outputs
        self.counting, self.levels = counting, require_levels(levels, "levels")
        self.train_with, self.evaluator = train_with, evaluator
        self.array, self.weight_generators = inputs, weights
        self.variance_gradient = variance_gradient
        self.weight = torch.nn.Parameter(torch.zeros(n_outputs, n_inputs, dtype=dtype))
        self.seed, self.name = seed, name
        self.rows = rows or BatchRows()
        self._drawn = self._chosen = 0

    @property
    def ledger(self) -> Generators:
        """The counts of the inputs' streams."""
        return self.array

    def quantised_weight(self) -> torch.Tensor:
        """Return the weights as the streams stand for them."""
        return quantise(self.weight, self.levels, -1.0, returning=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[..., out]`` for ``x[..., in]``.

        Raises
        ------
        UsageError
            For another width, values that are not finite or out of the encoding's range (nothing is driven).
        """
        if x.shape[-1:] != (self.in_features,):
            raise UsageError(f"input of shape {tuple(x.shape)} does not fit {self.in_features} streams")
        weight = self.quantised_weight()
        how = self.train_with if self.training else self.evaluator
        if how == "bits":
            gradient = self.training and torch.is_grad_enabled()
            return outside_graphs(_Count, x, weight, self, gradient)
        if how == "exact":
            return torch.nn.functional.linear(x, weight)
        flat = x.reshape(-1, self.in_features)
        return self._noisy(flat, weight.to(x.dtype)).view(*x.shape[:-1], -1)

    def _noisy(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the mean and as much noise as the count has."""
        size = variance(self.counting, x, weight).clamp_(min=1e-9).sqrt()
        if not self.variance_gradient:
            size = size.detach()
        before, behind = (rows * self.out_features for rows in self.rows.around(len(x)))
        first = self._drawn + before
        drawn = normals(self.seed, noise.stream(f"{self.name}/moments"), 0, first, size.numel())
        self._drawn = first + size.numel() + behind
        noise_ = torch.from_numpy(drawn).view(size.shape).to(size.device, size.dtype)
        return torch.addcmul(x @ weight.T, size, noise_)

    def count(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the counted estimate of a flat batch ``[B, in]``, float64 on the host."""
        given = x.detach().to("cpu", torch.float64)
        lowest, highest = (float(value) for value in torch.aminmax(given)) if given.numel() else (0.0, 0.0)
        if not (math.isfinite(lowest) and math.isfinite(highest)):
            raise diverged()
        encoding = self.counting.encoding
        if lowest < encoding.low - _ROUNDING or highest > 1.0 + _ROUNDING:
            raise UsageError(
                f"{self.name}: values from {lowest:g} to {highest:g} are no {encoding.name} numbers, which"
                f" reach from {encoding.low:g} to 1",
                remedy="quantise or clip what goes into the layer",
            )
        wanted = encoding.probability(given.clamp(encoding.low, 1.0)).numpy()
        plain = weight.detach().to("cpu", torch.float64)
        weights = self._weight_streams(plain)
        tiles = [wanted[first : first + _TILE] for first in range(0, max(len(wanted), 1), _TILE)]
        before, behind = self.rows.around(len(wanted))
        self._pass_over(before)
        counted = torch.cat(
            [self._counted(self.array.streams(rows, self.counting.n_bits), weights, plain) for rows in tiles]
        )
        self._pass_over(behind)
        return counted

    def _pass_over(self, rows: int) -> None:
        """Leave the events of rows that other processes count."""
        if rows:
            self.array.pass_over(rows, self.in_features, self.counting.n_bits)
            self._chosen += rows * self.counting.n_bits if self.counting.adder == "mux" else 0

    def _weight_streams(self, weight: torch.Tensor) -> Words:
        """Return ``[out, words, in]``; equal weights share one stream where that is asked for."""
        wanted: Floats = np.ascontiguousarray(self.counting.encoding.probability(weight).numpy())
        if not self.counting.shared:
            return self.weight_generators.streams(wanted, self.counting.n_bits)
        different, which = np.unique(wanted, return_inverse=True)
        streams = self.weight_generators.streams(different[None, :], self.counting.n_bits)[0]
        return np.ascontiguousarray(streams.T[which.reshape(wanted.shape)].transpose(0, 2, 1))

    def _counted(self, x: Words, weights: Words, weight: torch.Tensor) -> torch.Tensor:
        counting, n = self.counting, self.in_features
        length = counting.n_bits
        signs = None if counting.encoding.bipolar else -(weight.numpy() < 0).astype(np.int32)
        if counting.adder == "mux":
            address = self.seed, noise.stream(f"{self.name}/select")
            ones = stream_products.selected(x, weights, signs, address, self._chosen, length)
            self._chosen += len(x) * length
            found = n * (2.0 * ones - length if signs is None else ones) / length
        elif signs is None:
            found = (n * length - 2.0 * stream_products.differing(x, weights)) / length
        else:
            found = stream_products.common(x, weights, signs) / length
        return torch.from_numpy(np.asarray(found, dtype=np.float64))

    def with_length(self, n_bits: int) -> None:
        """Count over another length from now on."""
        self.counting = replace(self.counting, n_bits=n_bits)

    @property
    def shared_rows(self) -> BatchRows:
        """By what moments and inputs' streams know a row's place; weights' streams serve a whole batch."""
        return self.rows

    def row_counts(self) -> dict[str, Any]:
        """Of the inputs' streams."""
        return self.array.counts()

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        self.array.set_counts(counts)

    def get_extra_state(self) -> dict[str, Any]:
        """Generators' state and events, as tensors and plain values."""
        state = {
            "inputs": self.array.state_dict(),
            "weights": self.weight_generators.state_dict(),
            "drawn": self._drawn,
            "chosen": self._chosen,
        }
        return cast(dict[str, Any], as_tensors(state))

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`get_extra_state`'s result back."""
        given = as_numpy(state)
        self.array.load_state_dict(given["inputs"])
        self.weight_generators.load_state_dict(given["weights"])
        self._drawn, self._chosen = int(given["drawn"]), int(given["chosen"])

    def __deepcopy__(self, memo: dict[int, Any]) -> StochasticLinear:
        """Copy everything but the generators: there is only one chip."""
        memo[id(self.weight_generators)] = self.weight_generators
        return copied_around(self, self.array, memo)

    def extra_repr(self) -> str:
        """Name sizes and counting."""
        counting = self.counting
        return (
            f"in={self.in_features}, out={self.out_features}, levels={self.levels}, {counting.encoding.name},"
            f" {counting.adder}, N={counting.n_bits}, {self.train_with}/{self.evaluator}"
        )


_TILE = 64
"""Rows whose streams are drawn and counted at once: they stay in the cache."""
_ROUNDING = 1e-3
"""Beyond the range by this much is rounding of low-precision dtypes: clipped without a word."""


class _Count(torch.autograd.Function):  # type: ignore[misc]
    """Forward: bits. Backward: the product's mean."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, layer: StochasticLinear, gradient: bool
    ) -> torch.Tensor:
        ctx.has_gradient = gradient
        ctx.save_for_backward(x, weight)
        counted = layer.count(x.reshape(-1, x.shape[-1]), weight)
        return counted.to(x.device, x.dtype).view(*x.shape[:-1], -1)

    @staticmethod
    @first_order("counted bits", "a straight-through gradient has no derivative")
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        if not ctx.has_gradient:
            raise UsageError(
                "this forward pass ran in eval mode: bits were counted and nothing was kept for a gradient",
                remedy="call train() on the network before a forward pass whose gradient you need",
            )
        x, weight = ctx.saved_tensors
        flat = gradient.reshape(-1, gradient.shape[-1])
        rows = x.reshape(-1, x.shape[-1]).to(gradient.dtype)
        errors = (gradient @ weight.to(gradient.dtype)).to(x.dtype)
        return errors, (flat.T @ rows).to(weight.dtype), None, None
