"""The journal's record frame, and the scan that finds the valid prefix of a journal.

A frame is 40 bytes of header and the payload::

    checksum 8 | length 4 | kind 1 | status 1 | number 2 | seq 8 | t_ns 8 | ref 8 | payload

``checksum`` is xxh3-64 (canonical, big-endian) over everything after it; the
other fields are little-endian. ``number`` is the port, stream or form defined
earlier in the same journal, ``ref`` the sequence number of the command that a
reply answers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64, xxh3_64_digest

MAGIC = b"labtrain journal 1\r\n\x1a\n\0\0"
MAX_PAYLOAD = 2**32 - 1
MAX_NUMBER = 2**16 - 1
SUMMED = struct.Struct("<IBBHQqQ")
"""The header without its checksum: length, kind, status, number, seq, t_ns, ref."""

HEADER_BYTES = 8 + SUMMED.size
HEADER = np.dtype(
    [
        ("checksum", ">u8"),
        ("length", "<u4"),
        ("kind", "u1"),
        ("status", "u1"),
        ("number", "<u2"),
        ("seq", "<u8"),
        ("t_ns", "<i8"),
        ("ref", "<u8"),
    ]
)
STATUSES = ("none", "ok", "timeout", "lost", "error")
"""How a command ended, by code; ``none``: sent, and no reply was noted."""

SESSION_CLOCK, BENCH_CLOCK = 0, 1
"""The numbers of clock pairs: of the session's own clock, and of the clock that messages are timed by."""

_SHORT_BYTES = 256  # up to this mean length, gathering bytes beats slicing records
_BLOCK_RECORDS = 2**16
STATUS_CODES = {name: code for code, name in enumerate(STATUSES)}


class Kind(IntEnum):
    """What a record holds."""

    START = 1
    CONFIG = 2
    PORT = 3
    STREAM = 4
    FORM = 5
    COMMAND = 6
    REPLY = 7
    ROW = 8
    EXCHANGE = 9
    ARRAY = 10
    DOCUMENT = 11
    NOTE = 12
    CLOCK = 13
    STOP = 14


def frame(kind: int, status: int, number: int, seq: int, t_ns: int, ref: int, payload: bytes) -> bytes:
    """One whole record as bytes."""
    body = SUMMED.pack(len(payload), kind, status, number, seq, t_ns, ref) + payload
    return xxh3_64_digest(body) + body


def frame_parts(kind: int, number: int, seq: int, t_ns: int, parts: Sequence[Any]) -> list[Any]:
    """One record as buffers to be written together, large ones without a copy."""
    length = sum(memoryview(part).nbytes for part in parts)
    summed = SUMMED.pack(length, kind, 0, number, seq, t_ns, 0)
    digest = xxh3_64(summed)
    for part in parts:
        digest.update(part)
    return [digest.digest() + summed, *parts]


@dataclass(frozen=True, slots=True)
class Scan:
    """The valid prefix of a journal.

    Attributes
    ----------
    view
        The journal's bytes.
    headers
        ``[N]`` structured array of :data:`HEADER`.
    starts
        ``[N]`` int64, where each payload begins.
    end
        The first byte after the valid prefix; smaller than ``len(view)`` when something was cut or flipped.
    """

    view: memoryview
    headers: NDArray[Any]
    starts: NDArray[np.int64]
    end: int

    @property
    def dropped(self) -> int:
        """The number of bytes behind the valid prefix."""
        return len(self.view) - self.end

    def of(self, kind: Kind, number: int | None = None) -> NDArray[np.int64]:
        """Return the indices of the records of one kind (and one port, stream or form), in order."""
        wanted = self.headers["kind"] == kind
        if number is not None:
            wanted &= self.headers["number"] == number
        return np.flatnonzero(wanted)

    def payload(self, index: int) -> memoryview:
        """Return the payload of one record."""
        start = int(self.starts[index])
        return self.view[start : start + int(self.headers["length"][index])]

    def proof(self, index: int) -> tuple[bytes, bytes]:
        """Return a record's checksum, and what of its header it covers before the payload."""
        start = int(self.starts[index])
        header = bytes(self.view[start - HEADER_BYTES : start])
        return header[:8], header[8:]

    def payloads(self, indices: NDArray[np.int64]) -> list[memoryview]:
        """Return the payloads of several records."""
        starts = self.starts[indices]
        stops = starts + self.headers["length"][indices]
        view = self.view
        return [view[a:b] for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]

    def joined(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the payloads of several records, one behind the other."""
        lengths = self.headers["length"][indices].astype(np.int64)
        if lengths.sum() > _SHORT_BYTES * len(indices):
            return np.frombuffer(b"".join(self.payloads(indices)), np.uint8)
        raw = np.frombuffer(self.view, np.uint8)
        blocks = [slice(i, i + _BLOCK_RECORDS) for i in range(0, len(indices), _BLOCK_RECORDS)]
        gathered = [raw[_spans(self.starts[indices[b]], lengths[b])] for b in blocks]
        return np.concatenate([np.zeros(0, np.uint8), *gathered])


def _spans(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of all bytes of several spans."""
    stops = np.cumsum(lengths)
    return np.repeat(starts - (stops - lengths), lengths) + np.arange(int(stops[-1]))


def scan(view: memoryview) -> Scan:
    """Find the longest prefix of ``view`` whose frames are whole, unflipped and in order."""
    offsets = np.array(_frame_offsets(view), dtype=np.int64)
    headers = _headers(np.frombuffer(view, np.uint8), offsets)
    disordered = np.flatnonzero(np.diff(headers["seq"].astype(np.int64)) <= 0)
    if disordered.size:
        headers, offsets = headers[: disordered[0] + 1], offsets[: disordered[0] + 1]
    starts = offsets + HEADER_BYTES
    end = int(starts[-1]) + int(headers["length"][-1]) if len(starts) else 0
    return Scan(view, headers, starts, end)


def _headers(raw: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[Any]:
    field = np.arange(HEADER_BYTES)
    blocks = [offsets[i : i + _BLOCK_RECORDS, None] for i in range(0, len(offsets), _BLOCK_RECORDS)]
    gathered = [raw[block + field].reshape(-1) for block in blocks]
    return np.concatenate([np.zeros(0, np.uint8), *gathered]).view(HEADER)


def _frame_offsets(view: memoryview) -> list[int]:
    return frames_from(view, len(MAGIC))[0] if view[: len(MAGIC)] == MAGIC else []


def frames_from(view: memoryview, position: int) -> tuple[list[int], int]:
    """Return where whole, unflipped frames begin from ``position`` on, and where the last one ends."""
    offsets: list[int] = []
    unpack, digest = struct.Struct("<8sI").unpack_from, xxh3_64_digest
    size, header, note = len(view), HEADER_BYTES, offsets.append
    while position + header <= size:  # about 1 us a record, most of the time of sealing messages
        checksum, length = unpack(view, position)
        stop = position + header + length
        if stop > size or digest(view[position + 8 : stop]) != checksum:
            break
        note(position)
        position = stop
    return offsets, position
