"""Where a layer's whole pass can be done at once: kept ready between steps."""

from __future__ import annotations

from typing import Any, final

import torch

from labtrain.arrays.fused import Circuit, Difference, FusableArray, FusedLayer
from labtrain.arrays.neurons import NeuronArray
from labtrain.training.afd.estimators import SlopeEstimator
from labtrain.training.afd.mapping import BiasMapping


def single(z: torch.Tensor) -> bool:
    """Whether a tensor is float32 in the host's memory."""
    return z.dtype is torch.float32 and z.device.type == "cpu"


@final
class FusedCache:
    """The fused layer of the mapping and difference last seen; prepared again when either is another."""

    def __init__(self) -> None:
        self._mapping: BiasMapping | None = None
        self._difference: Difference | None = None
        self._layer: FusedLayer | None = None

    def layer(self, array: NeuronArray, estimator: SlopeEstimator, mapping: BiasMapping) -> FusedLayer | None:
        """Return the layer, None where the array or the estimator takes the plain path."""
        difference = estimator.difference()
        if difference is None or not isinstance(array, FusableArray):
            return None
        if mapping is not self._mapping or difference is not self._difference:
            self._mapping, self._difference = mapping, difference
            self._layer = array.fuse(Circuit(**vars(mapping), difference=difference))
        return self._layer

    def __deepcopy__(self, memo: dict[int, Any]) -> FusedCache:
        """Start empty: the layer holds the counters of the one chip there is."""
        return FusedCache()
