"""Writing datasets into the file being sealed: compressed where it pays, each read back and compared."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t
from numpy.typing import NDArray
from xxhash import xxh3_64, xxh3_64_digest

from labtrain.errors import RecordError

_WORTH_COMPRESSING = 2**14
_SAMPLE_BYTES = 2**12
_WORTH_RATIO = 0.5  # gzip writes some 40 MB/s: less gain is not worth the wait
_CHUNK_BYTES = 2**18
_MAX_ATTRIBUTE = 60_000
_SCALAR = h5s.create(h5s.SCALAR)
_TEXTS = h5py.string_dtype()
_TEXT = h5t.py_create(_TEXTS, logical=True)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a dataset's bytes must give when they are read back: xxh3-64 of ``before`` and them.

    ``plain_bytes`` is their number where they lie in the file as they are: one piece, not compressed.
    """

    digest: bytes
    before: bytes = b""
    plain_bytes: int = 0

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
        proof = proof or Proof(xxh3_64_digest(_bytes(value)))
        storage = _storage(value)
        if storage:
            _describe(self._file.create_dataset(path, data=value, **storage), attributes)
        else:
            _create_plain(self._file, path, value, attributes)
            proof = replace(proof, plain_bytes=value.nbytes)
        self._proofs[path] = proof

    def text(self, path: str, text: str, **attributes: Any) -> None:
        """Write one text as UTF-8."""
        _create_plain(self._file, path, np.array(text, dtype=_TEXTS), attributes)
        self._proofs[path] = Proof(xxh3_64_digest(_bytes(text)))

    def texts(self, path: str, texts: Iterable[str], **attributes: Any) -> None:
        """Write a column of texts as UTF-8."""
        column = np.array(list(texts), dtype=_TEXTS)
        _create_plain(self._file, path, column, attributes)
        self._proofs[path] = Proof(xxh3_64_digest(_bytes(column)))

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
                with memoryview(whole) as view:
                    for name, proof in self._proofs.items():
                        if not _is_proven(proof, file, name, view):
                            raise _misread(name, path)


def _misread(name: str, path: Path) -> RecordError:
    return RecordError(
        f"the dataset {name!r} reads back otherwise than it was written",
        file=path,
        remedy="the journal is kept: check disk and memory, then `labtrain session recover`",
    )


def _is_proven(proof: Proof, file: h5py.File, name: str, whole: memoryview) -> bool:
    """Check what stands in the file: plain datasets where they lie, uncopied; empty ones by their shape."""
    dataset = h5d.open(file.id, name.encode())
    if proof.plain_bytes:
        offset = dataset.get_offset()
        return offset is not None and proof.holds(whole[offset : offset + proof.plain_bytes])
    if 0 in dataset.shape:
        return proof.holds(b"")
    return proof.holds(_bytes(read_dataset(h5py.Dataset(dataset))))


def _create_plain(file: h5py.File, path: str, value: NDArray[Any], attributes: Mapping[str, Any]) -> None:
    """Create a dataset in one piece through HDF5's own calls: there may be thousands, in a third of the time.

    Attributes are texts and whole numbers.
    """
    kind = _TEXT if value.dtype == object else _stored(value.dtype)
    space = h5s.create_simple(value.shape) if value.ndim else _SCALAR
    dataset = h5d.create(file.id, path.encode(), kind, space, lcpl=_with_groups())
    if value.size:
        dataset.write(h5s.ALL, h5s.ALL, np.asarray(value, order="C"))
    for name, content in attributes.items():
        if type(content) is int:
            h5a.create(dataset, name.encode(), h5t.NATIVE_INT64, _SCALAR).write(np.array(content))
        elif type(content) is str and len(content) <= _MAX_ATTRIBUTE:
            text = np.array(content, dtype=_TEXTS)
            h5a.create(dataset, name.encode(), _TEXT, _SCALAR).write(text)


@lru_cache(maxsize=64)
def _stored(dtype: np.dtype[Any]) -> h5t.TypeID:
    return h5t.py_create(dtype, logical=True)


@lru_cache(maxsize=1)
def _with_groups() -> h5p.PropLCID:
    """The groups on the way to a dataset are made with it; names are UTF-8."""
    properties = h5p.create(h5p.LINK_CREATE)
    properties.set_create_intermediate_group(True)
    properties.set_char_encoding(h5t.CSET_UTF8)
    return properties


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
