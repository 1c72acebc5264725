"""The seal behind a sealed file's last HDF5 byte: digests that find any changed bit, and say where.

HDF5 ignores what follows its end-of-file address, so viewers open the file as
ever. A program that opens it for writing cuts the seal off, and that shows::

    HDF5 bytes | xxh3-64 of each block of 64 KiB | magic 16 | size 8 | block 4 | count 4 | xxh3-128 16
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from xxhash import xxh3_64_digest, xxh3_128_digest

from labtrain.errors import DataError

_MAGIC = b"labtrain-seal-1\n"
_FOOTER = struct.Struct("<16sQII16s")
_BLOCK_BYTES = 2**16
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MENDABLE = "take the file from a backup; what is left of it opens with Recording.open(path, verify=False)"


def add_seal(path: Path) -> None:
    """Append the seal to a closed HDF5 file and synchronise it."""
    append_seal(path)
    synchronise(path)


def append_seal(path: Path) -> None:
    """Append the seal to a closed HDF5 file."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as whole:
            digests = _block_digests(whole, size)
        head = _FOOTER.pack(_MAGIC, size, _BLOCK_BYTES, len(digests) // 8, bytes(16))[:-16]
        file.write(digests + head + xxh3_128_digest(digests + head))


def synchronise(path: Path) -> None:
    """Return when a file is on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def drop_seal(path: Path) -> None:
    """Take the seal off, before a copy is changed and sealed again."""
    with path.open("r+b") as file:
        size = _FOOTER.unpack(_tail(file.read()))[1]
        file.truncate(size)


def check_seal(path: Path) -> None:
    """Accept a file none of whose bits changed since it was sealed.

    Raises
    ------
    DataError
        Saying what and where: cut, changed by another program, flipped bits, or no session at all.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _FOOTER.size:
            raise DataError(f"{size} bytes are no labtrain session", file=path, remedy="give a session file")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as whole:
            _check(path, whole, size)


def _check(path: Path, whole: mmap.mmap, size: int) -> None:
    magic, payload, block, count, digest = _FOOTER.unpack(_tail(whole))
    if magic != _MAGIC:
        raise _without_seal(path, whole)
    table = size - _FOOTER.size - 8 * count
    intact = table == payload and block == _BLOCK_BYTES and xxh3_128_digest(whole[table:-16]) == digest
    if not intact:
        raise DataError("the seal at the end of the file is damaged", file=path, remedy=_MENDABLE)
    found, wanted = _block_digests(whole, payload), whole[table : table + 8 * count]
    bad = [i for i in range(count) if found[8 * i : 8 * i + 8] != wanted[8 * i : 8 * i + 8]]
    if bad:
        first, last = bad[0] * block, min((bad[-1] + 1) * block, payload)
        raise DataError(
            f"{len(bad)} of {count} blocks changed after sealing, between byte {first} and byte {last}",
            file=path,
            remedy=_MENDABLE,
        )


def _without_seal(path: Path, whole: mmap.mmap) -> DataError:
    if whole[:8] != _HDF5_SIGNATURE:
        return DataError(
            "this is no HDF5 file, so no labtrain session", file=path, remedy="give a session file"
        )
    return DataError(
        "no seal at the end: the file was cut short, changed by another program, or is no labtrain session",
        file=path,
        remedy=_MENDABLE,
    )


def _tail(whole: bytes | mmap.mmap) -> bytes:
    return whole[-_FOOTER.size :]


def _block_digests(whole: mmap.mmap, size: int) -> bytes:
    with memoryview(whole) as view:
        blocks = range(0, size, _BLOCK_BYTES)
        return b"".join([xxh3_64_digest(view[at : min(at + _BLOCK_BYTES, size)]) for at in blocks])
