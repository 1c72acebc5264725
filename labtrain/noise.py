"""Randomness with an address: (seed, stream, cell, k).

``k`` is the cell's own k-th event of a kind (the stream): its third read, its
tenth pulse. Nothing is drawn in sequence, so calls may be split, batched or
interleaved between cells and every event keeps its value.

The integers and uniforms are the same bits in NumPy, in torch (on any device)
and in numba (:mod:`labtrain.kernels.noise`): only 32-bit words are mixed, held in
int64 whose products never overflow, and a uniform is an exact product of a
53-bit integer and a power of two. Normals agree within 4 units in the last place.

The mixer is Wellons' *lowbias32* (https://nullprogram.com/blog/2018/07/31/, public
domain). A cell's key is two words, so that two cells never share a sequence.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from types import ModuleType
from typing import Any

import array_api_compat
import numpy as np

_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9
_FIRST = 0x7FEB352D
# 0x846CA68B as a negative number: the same 32 low bits, and the product stays inside int64.
_SECOND = 0x846CA68B - (1 << 32)
_HIGH_WORD = 0x2C1B3C6D


@lru_cache(maxsize=4096)
def stream(name: str) -> int:
    """Number a kind of event: 32 bits, the same on every machine and in every version.

    Parameters
    ----------
    name
        For instance ``"neurons/read"``.
    """
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")


def bits(seed: int, stream: int, cell: Any, k: Any) -> Any:
    """Return 32 random bits for every event.

    Parameters
    ----------
    seed
        A whole number; its 64 low bits count.
    stream
        A number from :func:`stream`.
    cell
        Cell numbers, below 2**32; broadcast against ``k``.
    k
        Event numbers of the cells, non-negative, below 2**63.

    Returns
    -------
    array
        Of NumPy ``uint32``; of ``int64`` in other namespaces (torch has no full uint32).
    """
    xp, cells, events = _integers(cell, k)
    word = _words(seed, stream, cells, events)[0]
    return word.astype(np.uint32) if array_api_compat.is_numpy_namespace(xp) else word


def uniform(seed: int, stream: int, cell: Any, k: Any) -> Any:
    """Return float64 numbers in the open interval (0, 1), 52 random bits each; see :func:`bits`."""
    xp, cells, events = _integers(cell, k)
    high, low = _words(seed, stream, cells, events)
    return (xp.astype((high << 20) | (low >> 12), xp.float64) + 0.5) * 2.0**-52


def normal(seed: int, stream: int, cell: Any, k: Any) -> Any:
    """Return float64 standard normals by inversion of :func:`uniform`; see :func:`bits`."""
    return normal_quantile(uniform(seed, stream, cell, k))


@lru_cache(maxsize=4096)
def stream_keys(seed: int, stream: int) -> tuple[int, int, int]:
    """Three 32-bit key words of one (seed, stream)."""
    low, high = seed & _MASK, (seed >> 32) & _MASK
    first = _mix(_mix(_mix(low ^ _GOLDEN) ^ high) ^ (stream & _MASK))
    second = _mix((_mix((stream & _MASK) ^ 0x85EBCA6B) + _mix(high ^ first) + low) & _MASK)
    return first, second, _mix(first ^ second ^ 0x27D4EB2F)


def cell_keys(seed: int, stream: int, cell: int) -> tuple[int, int, int]:
    """Return what one cell's events are mixed with: start, key, and the word of a uniform's low half."""
    first, second, third = stream_keys(int(seed), int(stream))
    return _mix((cell & _MASK) ^ first), _mix((cell + second) & _MASK), third


def _mix(word: Any) -> Any:
    """Permute 32-bit words held in int64 (or Python) integers."""
    word = word ^ (word >> 16)
    word = (word * _FIRST) & _MASK
    word = word ^ (word >> 15)
    word = (word * _SECOND) & _MASK
    return word ^ (word >> 16)


def _words(seed: int, stream: int, cells: Any, events: Any) -> tuple[Any, Any]:
    first, second, third = stream_keys(int(seed), int(stream))
    start = _mix((cells & _MASK) ^ first)
    key = _mix((cells + second) & _MASK)
    event = _mix((events & _MASK) ^ start)
    event = (event + key + (events >> 32) * _HIGH_WORD) & _MASK
    return _mix(event), _mix(event ^ third)


def _integers(cell: Any, k: Any) -> tuple[ModuleType, Any, Any]:
    """Bring both to int64 of one namespace (NumPy where neither is an array)."""
    arrays = [value for value in (cell, k) if array_api_compat.is_array_api_obj(value)]
    if not arrays or all(array_api_compat.is_numpy_array(value) for value in arrays):
        return array_api_compat.array_namespace(np.empty(0)), np.int64(cell), np.int64(k)
    foreign = next(value for value in arrays if not array_api_compat.is_numpy_array(value))
    xp, device = array_api_compat.array_namespace(foreign), array_api_compat.device(foreign)
    return (
        xp,
        xp.asarray(cell, dtype=xp.int64, device=device),
        xp.asarray(k, dtype=xp.int64, device=device),
    )


def normal_quantile(probability: Any) -> Any:
    """Return the standard normal quantile of probabilities in (0, 1).

    Wichura's algorithm AS 241 (PPND16, Applied Statistics 37, 477, 1988): relative
    error about 1e-16, in the caller's namespace.
    """
    xp = array_api_compat.array_namespace(
        np.asarray(probability) if np.isscalar(probability) else probability
    )
    q = probability - 0.5
    r = 0.180625 - q * q
    central = q * _ratio(r, _CENTRE_TOP, _CENTRE_BOTTOM)
    tail = xp.sqrt(-xp.log(xp.where(q < 0, probability, 1.0 - probability)))
    middle = _ratio(tail - 1.6, _MIDDLE_TOP, _MIDDLE_BOTTOM)
    far = _ratio(tail - 5.0, _FAR_TOP, _FAR_BOTTOM)
    outer = xp.where(tail <= 5.0, middle, far)
    return xp.where(xp.abs(q) <= 0.425, central, xp.where(q < 0, -outer, outer))


def _ratio(x: Any, top: tuple[float, ...], bottom: tuple[float, ...]) -> Any:
    numerator, denominator = x * top[0] + top[1], x * bottom[0] + bottom[1]
    for upper, lower in zip(top[2:], bottom[2:], strict=True):
        numerator = numerator * x + upper
        denominator = denominator * x + lower
    return numerator / denominator


# The constants of AS 241, highest power first.
_CENTRE_TOP = (
    2509.0809287301226727,
    33430.575583588128105,
    67265.770927008700853,
    45921.953931549871457,
    13731.693765509461125,
    1971.5909503065514427,
    133.14166789178437745,
    3.387132872796366608,
)
_CENTRE_BOTTOM = (
    5226.495278852854561,
    28729.085735721942674,
    39307.89580009271061,
    21213.794301586595867,
    5394.1960214247511077,
    687.1870074920579083,
    42.313330701600911252,
    1.0,
)
_MIDDLE_TOP = (
    7.7454501427834140764e-4,
    0.0227238449892691845833,
    0.24178072517745061177,
    1.27045825245236838258,
    3.64784832476320460504,
    5.7694972214606914055,
    4.6303378461565452959,
    1.42343711074968357734,
)
_MIDDLE_BOTTOM = (
    1.05075007164441684324e-9,
    5.475938084995344946e-4,
    0.0151986665636164571966,
    0.14810397642748007459,
    0.68976733498510000455,
    1.6763848301838038494,
    2.05319162663775882187,
    1.0,
)
_FAR_TOP = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    0.0012426609473880784386,
    0.026532189526576123093,
    0.29656057182850489123,
    1.7848265399172913358,
    5.4637849111641143699,
    6.6579046435011037772,
)
_FAR_BOTTOM = (
    2.04426310338993978564e-15,
    1.4215117583164458887e-7,
    1.8463183175100546818e-5,
    7.868691311456132591e-4,
    0.0148753612908506148525,
    0.13692988092273580531,
    0.59983220655588793769,
    1.0,
)
