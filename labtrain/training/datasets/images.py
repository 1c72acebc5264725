"""Pictures with labels, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.errors import DataError


@dataclass(frozen=True)
class Images:
    """A data set of uint8 images, grey ``[N, height, width]`` or colour ``[N, 3, height, width]``.

    Labels are ``[N]`` uint8.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def checked(self, place: Path, axes: int) -> Images:
        """Return the images if pictures of ``axes`` axes, labels and sizes fit each other.

        Raises
        ------
        DataError
            Naming what does not.
        """
        for part, pictures, labels in (
            ("train", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
        ):
            if pictures.ndim != axes + 1:
                raise _refusal(
                    f"{part} images have the shape {pictures.shape}",
                    f"give {axes + 1} axes: samples, then those of one picture",
                    place,
                )
            if labels.ndim != 1 or len(pictures) != len(labels):
                raise _refusal(
                    f"{part} images of shape {pictures.shape} do not match labels of shape {labels.shape}",
                    "give one label for each picture",
                    place,
                )
            if pictures.size == 0:
                raise _refusal(
                    f"{part} images of shape {pictures.shape} hold no pixel", "copy it again", place
                )
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise _refusal("train and test images differ in size", "use files of one data set", place)
        unknown = sorted(set(np.unique(self.test_labels)) - set(np.unique(self.train_labels)))
        if unknown:
            raise _refusal(
                f"test labels {', '.join(map(str, unknown))} do not occur in training",
                "use files of one data set",
                place,
            )
        return self


def in_unit_range(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Return pictures as a float32 tensor of the same shape, pixels from 0 to 1."""
    return torch.from_numpy(pictures.astype(np.float32) / np.float32(255))


def _refusal(message: str, remedy: str, place: Path) -> DataError:
    return DataError(message, remedy=remedy, file=place, key="data")
