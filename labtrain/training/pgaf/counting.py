"""What layers count: the multiply-accumulates of their gradients, executed and dense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from labtrain.training.passes import first_order
from labtrain.training.processes import CountsRows

WEIGHTS_DENSE_FROM, PROPAGATION_DENSE_FROM = 0.25, 0.04
"""Shares of multiply-accumulates from which a dense product is quicker than the compacted one (measured on
one core, lists included): whole rows are added up for weights, single entries gathered for errors."""
NARROW = 32
"""Outputs up to which the compacted propagation is quicker at any share: BLAS does thin products badly."""


SAMPLED_ONCE = first_order("sampled gates", "two samples stand for a first derivative only")
"""Of the backward passes of gated layers."""


@dataclass
class GradientMacs:
    """Multiply-accumulates of a layer in training: those executed, and those of dense products.

    Attributes
    ----------
    forward
        Of the forward passes.
    propagation, propagation_dense
        Of the errors, to the layer before.
    weights, weights_dense
        Of the weight gradient.
    indexed
        Entries looked at to find those that are not zero: no multiply-accumulates, and counted apart.
    """

    forward: int = 0
    propagation: int = 0
    propagation_dense: int = 0
    weights: int = 0
    weights_dense: int = 0
    indexed: int = 0


class CountedLayer(torch.nn.Module, CountsRows):  # type: ignore[misc]  # torch is not type-checked here
    """A layer with weights and counts.

    Attributes
    ----------
    macs
        Counted in training with gradients enabled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.macs = GradientMacs()

    @property
    def counts(self) -> bool:
        """Whether a forward pass is one of training."""
        return bool(self.training and torch.is_grad_enabled())

    def row_counts(self) -> dict[str, Any]:
        """Return the multiply-accumulates."""
        return dict(vars(self.macs))

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        self.macs = GradientMacs(**counts)

    def get_extra_state(self) -> dict[str, Any]:
        """Return the counts."""
        return {"macs": dict(vars(self.macs))}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self.macs = GradientMacs(**state["macs"])


def compactable(delta: torch.Tensor) -> bool:
    """Whether there is a kernel for compacted products of these numbers."""
    return bool(delta.device.type == "cpu" and delta.dtype in (torch.float32, torch.float64))


def count_of(some: torch.Tensor) -> int:
    """Return how many entries are not zero."""
    if some.device.type == "cpu":
        return int(np.count_nonzero(some.detach().numpy()))  # in a fifth of torch's time
    return int(torch.count_nonzero(some))


def share_of(some: torch.Tensor) -> float:
    """Return the share of entries that are not zero."""
    return count_of(some) / max(int(some.numel()), 1)
