"""How arrays become bytes and arrays again: named arrays, and the calls of a device array.

An *exchange form* is what calls of one verb have in common (names, dtypes,
numbers of dimensions). It is recorded once; an exchange is then its shapes (as
int64) followed by its data.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.session.names import check_part

SMALL_BYTES = 2**14
"""Below this, copying an array's bytes costs less than gathering them from where they are."""


@dataclass(frozen=True, slots=True)
class Part:
    """One array of an exchange: which side it is on, its name, dtype and number of dimensions."""

    side: str
    name: str
    dtype: str
    ndim: int


@dataclass(frozen=True, slots=True)
class ExchangeForm:
    """What the calls of one verb of one array have in common."""

    array: str
    verb: str
    parts: tuple[Part, ...]

    def to_json(self) -> bytes:
        """Return the form as the journal keeps it."""
        parts = [[p.side, p.name, p.dtype, p.ndim] for p in self.parts]
        return json.dumps({"array": self.array, "verb": self.verb, "parts": parts}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> ExchangeForm:
        """Read what :meth:`to_json` wrote."""
        content = json.loads(text)
        return cls(content["array"], content["verb"], tuple(Part(*part) for part in content["parts"]))

    def check(self) -> None:
        """Accept names that can be written.

        Raises
        ------
        UsageError
            For an array, verb or part that cannot be named so.
        """
        check_part("the array", self.array)
        check_part("the verb", self.verb)
        for part in self.parts:
            check_part(f"{part.side} of {self.array!r}.{self.verb}:", part.name)

    def unpack(self, payloads: Sequence[memoryview]) -> list[tuple[NDArray[Any], NDArray[Any] | None]]:
        """Return each part as ``(data[N, *shape], None)``, or ``(flat data, shapes[N, ndim])`` if ragged."""
        words = sum(part.ndim for part in self.parts)
        shapes = np.frombuffer(b"".join([p[: 8 * words] for p in payloads]), "<i8").reshape(
            len(payloads), words
        )
        if (shapes == shapes[:1]).all():
            return [(data, None) for data in self._unpack_alike(payloads, shapes[0])]
        return self._unpack_ragged(payloads, shapes)

    def _unpack_alike(self, payloads: Sequence[memoryview], words: NDArray[np.int64]) -> list[NDArray[Any]]:
        fields: list[tuple[str, Any, tuple[int, ...]]] = [("shapes", "<i8", (len(words),))]
        place = 0
        for index, part in enumerate(self.parts):
            fields.append((str(index), part.dtype, tuple(words[place : place + part.ndim].tolist())))
            place += part.ndim
        packed = np.dtype(fields)
        whole = b"".join(payloads)
        rows = np.frombuffer(whole, packed) if packed.itemsize else np.zeros(len(payloads), packed)
        return [np.ascontiguousarray(rows[str(index)]) for index in range(len(self.parts))]

    def _unpack_ragged(
        self, payloads: Sequence[memoryview], shapes: NDArray[np.int64]
    ) -> list[tuple[NDArray[Any], NDArray[Any] | None]]:
        starts = np.full(len(payloads), 8 * shapes.shape[1])
        place, unpacked = 0, list[tuple[NDArray[Any], NDArray[Any] | None]]()
        for part in self.parts:
            own = shapes[:, place : place + part.ndim]
            stops = starts + own.prod(axis=1, dtype=np.int64) * np.dtype(part.dtype).itemsize
            pieces = [p[a:b] for p, a, b in zip(payloads, starts.tolist(), stops.tolist(), strict=True)]
            unpacked.append((np.frombuffer(b"".join(pieces), part.dtype), own))
            starts, place = stops, place + part.ndim
        return unpacked


_PLAIN = frozenset(np.dtype(code) for code in "?bhilqBHILQefdFD" if np.dtype(code).str[0] != ">")


def is_plain(value: Any) -> bool:
    """Whether a value needs no conversion: a C-ordered array of numbers in this machine's byte order."""
    return type(value) is np.ndarray and value.dtype in _PLAIN and value.flags.c_contiguous


def plain_array(what: str, value: Any) -> NDArray[Any]:
    """Return ``value`` as a C-ordered, little-endian array of numbers or booleans.

    Raises
    ------
    UsageError
        For objects, text and extended precision, which no file keeps bit for bit.
    """
    array = np.asarray(value, order="C")
    if array.dtype.str[0] == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.kind == "c" and array.dtype.itemsize <= 16:
        return array
    raise UsageError(
        f"{what} has dtype {array.dtype}, which cannot be recorded",
        remedy="give booleans, integers, floats or complex numbers of at most 64 bits a component",
    )


def form_of(array: str, verb: str, sides: Mapping[str, Mapping[str, NDArray[Any]]]) -> ExchangeForm:
    """Return the form of one call whose arrays are plain."""
    named = [(side, name, value) for side, values in sides.items() for name, value in values.items()]
    return ExchangeForm(array, verb, tuple(Part(s, n, value.dtype.str, value.ndim) for s, n, value in named))


def pack_exchange(arrays: Sequence[NDArray[Any]]) -> list[Any]:
    """Return the buffers of one exchange: shapes, then data."""
    shapes = [n for array in arrays for n in array.shape]
    return [struct.pack(f"<{len(shapes)}q", *shapes), *map(buffer, arrays)]


def array_head(name: str, value: NDArray[Any], unit: str) -> bytes:
    """Return what stands before a named array's data: a JSON head, with its length."""
    head = json.dumps({"name": name, "dtype": value.dtype.str, "shape": value.shape, "unit": unit}).encode()
    return len(head).to_bytes(4, "little") + head


def buffer(array: NDArray[Any]) -> Any:
    """Return an array's bytes: a copy of a small one, which is quicker, and a view of a large one."""
    return array.tobytes() if array.nbytes < SMALL_BYTES else array.reshape(-1).view(np.uint8)


@dataclass(frozen=True, slots=True)
class NamedArray:
    """A named array as it stands in the journal; ``head`` is what stands before its data."""

    name: str
    value: NDArray[Any]
    unit: str
    head: bytes

    @classmethod
    def unpack(cls, payload: memoryview) -> NamedArray:
        """Read a head (:func:`array_head`) and the data behind it."""
        start = 4 + int.from_bytes(payload[:4], "little")
        head = json.loads(bytes(payload[4:start]))
        value = np.frombuffer(payload[start:], head["dtype"]).reshape(head["shape"])
        return cls(head["name"], value, head["unit"], bytes(payload[:start]))
