"""CIFAR-10 in its authors' binary version.

Format: https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky, 2009): records of one label byte, 0 to 9, and
3072 pixels, the red, green and blue planes of 32 x 32, row by row.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.training.datasets.images import Images
from labtrain.training.datasets.places import locate

CLASSES = 10
SHAPE = (3, 32, 32)
RECORD_BYTES = 1 + 3 * 32 * 32
FOLDERS = ("cifar-10-batches-bin", "cifar10-slice")
"""The folder in the official archive, and one of a part of it."""


def load_cifar10(data_dir: Path | None, name: str = "cifar10") -> Images:
    """Load ``data_batch_*.bin``, however many there are, and ``test_batch.bin``: ``[N, 3, 32, 32]`` uint8.

    They are looked for in ``data_dir``, then ``$LABTRAIN_DATA``, then the user cache; in each also in a
    folder ``name`` or one of :data:`FOLDERS`; then the official archive is fetched into the cache.

    Raises
    ------
    DataError
        When they are nowhere (saying where to put them), or one cannot be used.
    """
    wanted = "data_batch_1.bin ... data_batch_5.bin and test_batch.bin"
    files, place = locate(name, data_dir, _present, wanted, FOLDERS)
    parts = [read_records(file) for file in files]
    train_images, train_labels = (np.concatenate(several) for several in zip(*parts[:-1], strict=True))
    return Images(train_images, train_labels, *parts[-1]).checked(place, axes=3)


def read_records(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read pictures ``[N, 3, 32, 32]`` and labels ``[N]`` of one file.

    Raises
    ------
    DataError
        For a file that is cut short or holds other labels.
    """
    content = np.fromfile(path, dtype=np.uint8)
    if len(content) == 0 or len(content) % RECORD_BYTES:
        raise DataError(
            f"has {len(content)} bytes, not a multiple of a record's {RECORD_BYTES}",
            remedy="copy it again; CIFAR-10's binary version, not the Python one",
            file=path,
            key="data",
        )
    records = content.reshape(-1, RECORD_BYTES)
    labels = records[:, 0].copy()
    if labels.max() >= CLASSES:
        raise DataError(
            f"holds the label {labels.max()}, where CIFAR-10's go from 0 to {CLASSES - 1}",
            remedy="copy it again; CIFAR-10, not CIFAR-100",
            file=path,
            key="data",
        )
    return records[:, 1:].reshape(-1, *SHAPE), labels


def _present(place: Path) -> list[Path] | None:
    """Return the training batches by number, then the test batch."""
    batches = sorted(place.glob("data_batch_*.bin"), key=lambda path: (len(path.name), path.name))
    test = place / "test_batch.bin"
    return [*batches, test] if batches and test.is_file() else None
