"""Image data sets in MNIST's IDX format.

Format: http://yann.lecun.com/exdb/mnist (big-endian; two zero bytes, a type code, the
number of dimensions, the dimensions, the data), plain or compressed with gzip.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError
from labtrain.training.datasets.images import Images
from labtrain.training.datasets.places import locate

MNIST = "mnist"
"""Its files' names are those of every data set in this format."""
_UNSIGNED_BYTES = 0x08
FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def load_images(data_dir: Path | None, name: str = MNIST) -> Images:
    """Load the four IDX files of a data set: ``[N, height, width]`` uint8.

    They are looked for in ``data_dir``, then ``$LABTRAIN_DATA``, then the user cache; in each first in a
    folder ``name``; then fetched into the cache, where ``name`` is one that has mirrors.

    Raises
    ------
    DataError
        When they are nowhere (saying where to put them), or one cannot be used.
    """
    wanted = ", ".join(f"{file}[.gz]" for file in FILES.values())
    files, place = locate(name, data_dir, _present, wanted, bare=name == MNIST)
    return Images(**{key: read_idx(path) for key, path in files.items()}).checked(place, axes=2)


def _present(place: Path) -> dict[str, Path] | None:
    found = {key: _either(place, file) for key, file in FILES.items()}
    present = {key: path for key, path in found.items() if path is not None}
    return present if len(present) == len(FILES) else None


def _either(place: Path, file: str) -> Path | None:
    return next((path for path in (place / file, place / f"{file}.gz") if path.is_file()), None)


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
