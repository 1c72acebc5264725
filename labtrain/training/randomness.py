"""Addressed randomness for training: folds, batch order and initial weights.

Everything is a function of (seed, stream, cell, k), so that it does not depend
on torch's generators, their versions or the order of calls.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain import noise


def permutation(seed: int, name: str, count: int, k: int) -> NDArray[np.intp]:
    """Return the ``k``-th permutation of ``range(count)`` of the stream ``name``."""
    return np.argsort(noise.uniform(seed, noise.stream(name), np.arange(count), k), kind="stable")


def stratified_folds(labels: NDArray[np.int64], folds: int, seed: int) -> list[NDArray[np.intp]]:
    """Deal the samples of each class, in addressed random order, to ``folds`` validation sets.

    Returns
    -------
    list of ndarray
        The sorted sample indices of each fold; class counts differ by at most one.
    """
    order = permutation(seed, "train/folds", len(labels), 0)
    by_class = order[np.argsort(labels[order], kind="stable")]
    return [np.sort(by_class[fold::folds]) for fold in range(folds)]


def initialise(network: torch.nn.Module, seed: int, k: int) -> None:
    """Draw weights and biases in place, uniform within 1/sqrt(fan-in) (torch's default bounds).

    ``k`` addresses the draw (the fold); two networks with equal parameter names get equal values.
    """
    with torch.no_grad():
        for name, layer in network.named_modules():
            if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
                for part, tensor in layer.named_parameters(recurse=False):
                    stream = noise.stream(f"train/initial/{name}.{part}")
                    drawn = noise.uniform(seed, stream, np.arange(tensor.numel()), k)
                    spread = (2.0 * drawn - 1.0) / math.sqrt(layer.weight[0].numel())
                    tensor.copy_(torch.from_numpy(spread.reshape(tensor.shape)))
