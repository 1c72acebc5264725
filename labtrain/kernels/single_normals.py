"""Rows of addressed standard normals in float32, for kernels that read many devices.

The draws of :func:`labtrain.noise.normal`, rounded: the 32 high bits of each uniform count, and values
agree within 1e-5 relative (in the far tails; 1e-6 elsewhere), at half the time of the float64 row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, mix

_f = np.float32
_HALF, _ONE, _TWO, _FOUR = _f(0.5), _f(1.0), _f(2.0), _f(4.0)
_UNIT = _f(2.0**-32)
_LN2 = _f(np.log(2.0))
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_LOGARITHM = tuple(
    _f(c)
    for c in (
        0.0888953707957,
        -0.1407808523652,
        0.1477214062070,
        -0.1659493194363,
        0.1997724401777,
        -0.2500104870942,
        0.3333358094954,
        -0.4999999728548,
    )
)
"""Of a minimax fit of (ln(1 + f) - f) / f^2 for 1 + f from sqrt(1/2) to sqrt(2); error of ln 6e-8."""
_TOP = tuple(
    _f(c)
    for c in (
        2.921225226081722e-05,
        1.002735690332812e-03,
        1.1903858053698728e-02,
        8.999631532504827e-02,
        4.529225969151452e-01,
        1.2533142849820873,
    )
)
"""Of a minimax fit of quantile(p) / (2p - 1) over w = -ln(4 p (1 - p)) from 0 to 21.6 (all 32-bit p)."""
_BOTTOM = tuple(
    _f(c)
    for c in (
        1.0037497616930036e-06,
        1.6976872671160774e-04,
        2.292076623227847e-03,
        3.269261334738119e-02,
        9.958343394232652e-02,
        1.0,
    )
)


_CARRY, _NONE = np.uint32(0x2C1B3C6D), np.uint32(0)
_LOW_WORD = np.int64(0xFFFFFFFF)


@compiled
def event_words(
    first: Any, second: Any, cell: Any, k: Any, words: Any
) -> None:  # pragma: no cover - compiled
    """Prepare a column ``words[3]`` (uint32) for :func:`draw_normals`: a cell and its next event ``k``.

    ``first`` and ``second`` are words of :func:`labtrain.kernels.noise.keys_of`.
    """
    start, key = cell_words(first, second, cell)
    words[0] = start
    words[1] = np.uint32(key + np.uint32(k >> 32) * _CARRY)
    words[2] = np.uint32(k & _LOW_WORD)


@compiled
def draw_normals(
    events: Any, row: int, stride: int, normals: Any, weights: Any, exponents: Any
) -> None:  # pragma: no cover - compiled
    """Fill ``normals[R, n]`` with events ``k[j] + stride * (row + r)`` of every cell.

    Parameters
    ----------
    events
        ``[3, n]`` uint32 of :func:`event_words`.
    weights, exponents
        Scratch, ``[R, n]`` float32. Many rows a call: a call costs as much as a hundred draws.
    """
    rows, n = normals.shape
    for r in range(rows):
        b = np.uint32(stride * (row + r))
        for j in range(n):
            low = np.uint32(events[2, j] + b)
            carried = _CARRY if low < b else _NONE
            word = np.uint32(mix(np.uint32(low ^ events[0, j])) + events[1, j])
            word = mix(np.uint32(word + carried))
            signed = np.int32(word ^ np.uint32(0x80000000))
            # The smaller of p and 1 - p is counted in whole numbers: exact in the tails.
            middle = np.int32(signed ^ np.int32(signed >> np.int32(31)))
            tail = (_f(np.int32(np.int32(0x7FFFFFFF) - middle)) + _HALF) * _UNIT
            normals[r, j] = (_f(signed) + _HALF) * (_TWO * _UNIT)
            weights[r, j] = _FOUR * tail * (_ONE - tail)
    _negative_logarithms(weights, exponents)
    for r in range(rows):
        for j in range(n):
            w = weights[r, j]
            top, bottom = _TOP[0], _BOTTOM[0]
            for k in range(1, 6):
                top = top * w + _TOP[k]
                bottom = bottom * w + _BOTTOM[k]
            normals[r, j] *= top / bottom


@compiled
def _negative_logarithms(values: Any, exponents: Any) -> None:  # pragma: no cover - compiled
    """Replace float32 ``values`` by -ln, as :func:`labtrain.kernels.vectors.logarithms` does."""
    bits = values.view(np.int32)
    rows, n = values.shape
    for r in range(rows):
        for j in range(n):
            exponent = np.int32(np.int32(bits[r, j] - _SQRT_HALF_BITS) >> np.int32(23))
            exponents[r, j] = _f(exponent)
            bits[r, j] = np.int32(bits[r, j] - np.int32(exponent << np.int32(23)))
    for r in range(rows):
        for j in range(n):
            f = values[r, j] - _ONE
            total = _LOGARITHM[0]
            for k in range(1, 8):
                total = total * f + _LOGARITHM[k]
            values[r, j] = -(exponents[r, j] * _LN2 + (f * f * total + f))
