"""Fisher's Iris, in stratified folds standardised on their training part only."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.training.loop import Split
from labtrain.training.randomness import stratified_folds


def load_iris() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features ``[150, 4]`` in cm and labels ``[150]``, from scikit-learn (no network needed)."""
    from sklearn import datasets

    data = datasets.load_iris()
    return data.data.astype(np.float64), data.target.astype(np.int64)


def fold_splits(
    features: NDArray[np.float64], labels: NDArray[np.int64], folds: int, seed: int
) -> list[Split]:
    """Split into ``folds`` stratified training and validation sets.

    Raises
    ------
    DataError
        For features that are not finite or do not match the labels, or too few samples of a class.
    """
    _check(features, labels, folds)
    return [_split(features, labels, held_out) for held_out in stratified_folds(labels, folds, seed)]


def _split(features: NDArray[np.float64], labels: NDArray[np.int64], held_out: NDArray[np.intp]) -> Split:
    training = np.setdiff1d(np.arange(len(labels)), held_out)
    mean, spread = features[training].mean(axis=0), features[training].std(axis=0)
    standardised = torch.from_numpy((features - mean) / np.where(spread > 0, spread, 1.0))
    targets = torch.from_numpy(labels)
    return Split(standardised[training], targets[training], standardised[held_out], targets[held_out])


def _check(features: NDArray[np.float64], labels: NDArray[np.int64], folds: int) -> None:
    if features.ndim != 2 or len(features) != len(labels):
        raise DataError(
            f"features of shape {features.shape} do not match labels of shape {labels.shape}",
            remedy="give features [samples, inputs] and one label a sample",
        )
    if not np.isfinite(features).all():
        raise DataError("the features hold values that are not finite", remedy="clean the data first")
    fewest = int(np.unique(labels, return_counts=True)[1].min())
    if fewest < folds:
        raise DataError(
            f"a class has {fewest} samples, too few for {folds} folds", remedy="use fewer folds", key="folds"
        )
