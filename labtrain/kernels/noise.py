"""Addressed noise for compiled loops; the bits of :mod:`labtrain.noise`.

Scalar functions to be inlined in numba kernels. ``keys`` are the three words of
:func:`labtrain.noise.stream_keys` as uint32.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from labtrain import noise as plain
from labtrain.kernels.compiling import compiled, inlined
from labtrain.kernels.vectors import logarithms

_CENTRE_TOP, _CENTRE_BOTTOM = plain._CENTRE_TOP, plain._CENTRE_BOTTOM  # noqa: SLF001 - one set of constants
_MIDDLE_TOP, _MIDDLE_BOTTOM = plain._MIDDLE_TOP, plain._MIDDLE_BOTTOM  # noqa: SLF001
_FAR_TOP, _FAR_BOTTOM = plain._FAR_TOP, plain._FAR_BOTTOM  # noqa: SLF001


@lru_cache(maxsize=4096)
def keys_of(seed: int, stream: int) -> tuple[Any, Any, Any]:
    """Return the key words of one (seed, stream) as uint32, for the functions below."""
    first, second, third = plain.stream_keys(seed, stream)
    return np.uint32(first), np.uint32(second), np.uint32(third)


@inlined
def mix(word: Any) -> Any:
    """Permute a uint32 (lowbias32)."""
    word = np.uint32(word ^ (word >> np.uint32(16)))
    word = np.uint32(word * np.uint32(0x7FEB352D))
    word = np.uint32(word ^ (word >> np.uint32(15)))
    word = np.uint32(word * np.uint32(0x846CA68B))
    return np.uint32(word ^ (word >> np.uint32(16)))


@inlined
def cell_words(first: Any, second: Any, cell: Any) -> Any:
    """Return the two key words of a cell; once per cell."""
    word = np.uint32(cell)
    return mix(np.uint32(word ^ first)), mix(np.uint32(word + second))


@inlined
def event_word(start: Any, key: Any, k: Any) -> Any:
    """Return the inner word of a cell's event ``k`` (int64)."""
    word = mix(np.uint32(np.uint32(k) ^ start))
    high = np.uint32(np.uint32(k >> 32) * np.uint32(0x2C1B3C6D))
    return np.uint32(np.uint32(word + key) + high)


@inlined
def uniform_of(word: Any, third: Any) -> Any:
    """Return the uniform in (0, 1) of an event's inner word."""
    high = np.int64(mix(word))
    low = np.int64(mix(np.uint32(word ^ third)))
    return (np.float64((high << 20) | (low >> 12)) + 0.5) * 2.0**-52


@inlined
def _ratio(x: float, top: Any, bottom: Any) -> Any:
    numerator, denominator = top[0], bottom[0]
    for i in range(1, 8):
        numerator = numerator * x + top[i]
        denominator = denominator * x + bottom[i]
    return numerator / denominator


@compiled
def tail_quantile(probability: float) -> Any:
    """Return the normal quantile outside 0.075 to 0.925 (AS 241's outer branches)."""
    lower = probability < 0.5
    tail = math.sqrt(-math.log(probability if lower else 1.0 - probability))
    if tail <= 5.0:
        value = _ratio(tail - 1.6, _MIDDLE_TOP, _MIDDLE_BOTTOM)
    else:
        value = _ratio(tail - 5.0, _FAR_TOP, _FAR_BOTTOM)
    return -value if lower else value


@inlined
def quantile(probability: float) -> Any:
    """Return the standard normal quantile (AS 241)."""
    q = probability - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(0.180625 - q * q, _CENTRE_TOP, _CENTRE_BOTTOM)
    return tail_quantile(probability)


@compiled
def to_normals(values: Any) -> None:  # pragma: no cover - compiled
    """Turn uniforms ``[n]`` into standard normals in place: the centre as vector code, then the tails."""
    # The tails are gathered first: which uniform is one is a coin toss, and no processor predicts it.
    size = len(values)
    tails, places = np.empty(size + 1), np.empty(size + 1, np.int64)
    count: Any = 0
    for j in range(size):
        tails[count], places[count] = values[j], j
        count += np.int64(abs(values[j] - 0.5) > 0.425)
    for j in range(size):
        q = values[j] - 0.5
        values[j] = q * _ratio(0.180625 - q * q, _CENTRE_TOP, _CENTRE_BOTTOM)
    tails = tails[:count]
    outer = np.empty(count)
    for j in range(count):
        outer[j] = min(tails[j], 1.0 - tails[j])
    logarithms(outer)
    for j in range(count):
        outer[j] = _ratio(math.sqrt(-outer[j]) - 1.6, _MIDDLE_TOP, _MIDDLE_BOTTOM)
    for j in range(count):
        p = tails[j]
        value = -outer[j] if p < 0.5 else outer[j]
        # e^-25: one uniform in 4e10 is farther out.
        values[places[j]] = tail_quantile(p) if min(p, 1.0 - p) < 1.4e-11 else value
