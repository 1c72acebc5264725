"""Writing datasets into the file being sealed: compressed where it pays, each read back and compared."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64, xxh3_64_digest

from labtrain.errors import RecordError

_WORTH_COMPRESSING = 2**14
_SAMPLE_BYTES = 2**12
_WORTH_RATIO = 0.5  # gzip writes some 40 MB/s: less gain is not worth the wait
_CHUNK_BYTES = 2**18
_MAX_ATTRIBUTE = 60_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What a dataset's bytes must give when they are read back: xxh3-64 of ``before`` and them."""

    digest: bytes
    before: bytes = b""

    def holds(self, data: Any) -> bool:
        """Whether these are the bytes."""
        found = xxh3_64(self.before)
        found.update(data)
        return found.digest() == self.digest


@final
class SealedWriter:
    """Writes groups, datasets and texts, and remembers what proves that each was written."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._proofs: dict[str, Proof] = {}

    def dataset(self, path: str, value: NDArray[Any], proof: Proof | None = None, **attributes: Any) -> None:
        """Write one array of numbers; ``proof`` saves digesting it where its record was digested already."""
        dataset = self._file.create_dataset(path, data=value, **_storage(value))
        self._proofs[path] = proof or Proof(xxh3_64_digest(_bytes(value)))
        _describe(dataset, attributes)

    def text(self, path: str, text: str, **attributes: Any) -> None:
        """Write one text as UTF-8."""
        dataset = self._file.create_dataset(path, data=text, dtype=h5py.string_dtype())
        self._proofs[path] = Proof(xxh3_64_digest(_bytes(text)))
        _describe(dataset, attributes)

    def texts(self, path: str, texts: Iterable[str], **attributes: Any) -> None:
        """Write a column of texts as UTF-8."""
        column = np.array(list(texts), dtype=object)
        dataset = self._file.create_dataset(path, data=column, shape=column.shape, dtype=h5py.string_dtype())
        self._proofs[path] = Proof(xxh3_64_digest(_bytes(column)))
        _describe(dataset, attributes)

    def group(self, path: str, **attributes: Any) -> None:
        """Make a group where there is none yet, and describe it."""
        _describe(self._file.require_group(path), attributes)

    def compare(self, path: Path) -> None:
        """Read every dataset of the closed file at ``path`` back.

        Raises
        ------
        RecordError
            When one is not what was written.
        """
        with h5py.File(path, "r") as file, path.open("rb") as raw:
            with mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                for name, proof in self._proofs.items():
                    if not _is_proven(proof, file[name], whole):
                        raise _misread(name, path)


def _misread(name: str, path: Path) -> RecordError:
    return RecordError(
        f"the dataset {name!r} reads back otherwise than it was written",
        file=path,
        remedy="the journal is kept: check disk and memory, then `labtrain session recover`",
    )


def _is_proven(proof: Proof, dataset: h5py.Dataset, whole: mmap.mmap) -> bool:
    """Check what stands in the file; large plain datasets where they lie, without a copy."""
    offset = dataset.id.get_offset()  # None for chunks
    if offset is None or dataset.nbytes < _WORTH_COMPRESSING or dataset.dtype.hasobject:
        return proof.holds(_bytes(read_dataset(dataset)))
    with memoryview(whole) as view:
        return proof.holds(view[offset : offset + dataset.nbytes])


def read_dataset(dataset: h5py.Dataset) -> Any:
    """Return a dataset's numbers, its text, or its texts as an object array."""
    if h5py.check_string_dtype(dataset.dtype) is None:
        return dataset[()]
    return dataset.asstr()[()]


def _describe(place: h5py.Group | h5py.Dataset, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if not (isinstance(value, str) and len(value) > _MAX_ATTRIBUTE):
            place.attrs[name] = value


def _bytes(value: Any) -> Any:
    """Return what of a text, of texts or of numbers is digested."""
    if isinstance(value, str):
        return value.encode()
    if value.dtype == object:
        return "\0".join(value.tolist()).encode()
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data


def _storage(value: NDArray[Any]) -> dict[str, Any]:
    """Return chunks and compression for large compressible data, nothing (contiguous storage) for other."""
    if value.nbytes < _WORTH_COMPRESSING or value.ndim == 0:
        return {}
    sample = np.ascontiguousarray(value.reshape(-1)[: _SAMPLE_BYTES // value.dtype.itemsize])
    shuffled = sample.view(np.uint8).reshape(-1, value.dtype.itemsize).T.tobytes()
    if len(zlib.compress(shuffled, 1)) > _WORTH_RATIO * len(shuffled):
        return {}
    row_bytes = max(1, value.nbytes // len(value))
    rows = max(1, min(len(value), _CHUNK_BYTES // row_bytes))
    return {"chunks": (rows, *value.shape[1:]), "compression": "gzip", "compression_opts": 1, "shuffle": True}
