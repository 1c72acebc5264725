"""Image data sets in MNIST's IDX format: found, checked, never guessed.

Format: http://yann.lecun.com/exdb/mnist (big-endian; two zero bytes, a type code, the
number of dimensions, the dimensions, the data), plain or compressed with gzip.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from labtrain.errors import DataError

_UNSIGNED_BYTES = 0x08
FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Images:
    """A data set of grey images: ``[N, height, width]`` uint8 and labels ``[N]`` uint8."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load_images(data_dir: Path | None, name: str = "mnist") -> Images:
    """Load the four IDX files of a data set.

    They are looked for in ``data_dir``, then ``$LABTRAIN_DATA``, then the user cache; in each also in a
    folder ``name``.

    Raises
    ------
    DataError
        When they are nowhere (saying where to put them), or one cannot be used.
    """
    places = [place for root in _roots(data_dir) for place in (root, root / name)]
    for place in places:
        found = {key: _present(place, file) for key, file in FILES.items()}
        if all(found.values()):
            return _checked({key: read_idx(path) for key, path in found.items() if path}, place)
    wanted = ", ".join(f"{file}[.gz]" for file in FILES.values())
    raise DataError(
        f"the data set {name} is not in {', '.join(str(place) for place in places)}",
        remedy=f"put {wanted} into one of them, or name their folder with --data",
        key="data",
    )


def _roots(data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield Path(data_dir)
    if os.environ.get("LABTRAIN_DATA"):
        yield Path(os.environ["LABTRAIN_DATA"])
    yield user_cache_path("labtrain")


def _present(place: Path, file: str) -> Path | None:
    candidates = (place / file, place / f"{file}.gz")
    return next((path for path in candidates if path.is_file()), None)


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes.

    Raises
    ------
    DataError
        For a file that is not one, is cut short, or is too long for its header.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", remedy="copy it again", file=path) from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise DataError("is no IDX file of unsigned bytes", remedy="see MNIST's format", file=path)
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DataError("ends within its header", remedy="copy it again", file=path)
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) - header != int(np.prod(shape, dtype=np.int64)):
        raise DataError(
            f"has {len(content) - header} bytes of data where its header {shape} says"
            f" {int(np.prod(shape, dtype=np.int64))}",
            remedy="copy it again",
            file=path,
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _checked(arrays: dict[str, NDArray[np.uint8]], place: Path) -> Images:
    images = Images(**arrays)
    for part, pictures, labels in (
        ("train", images.train_images, images.train_labels),
        ("test", images.test_images, images.test_labels),
    ):
        if pictures.ndim != 3 or labels.ndim != 1 or len(pictures) != len(labels) or len(labels) == 0:
            raise DataError(
                f"{part} images of shape {pictures.shape} do not match labels of shape {labels.shape}",
                remedy="give images [N, height, width] and N labels",
                file=place,
            )
    if images.train_images.shape[1:] != images.test_images.shape[1:]:
        raise DataError(
            "train and test images differ in size", remedy="use files of one data set", file=place
        )
    return images
