"""Exponential and logarithm of whole rows: no branches, no calls, so that they compile to vector code.

The C library's functions are called one number at a time: some 5-10 ns each, where these take 1-2.
Within 2 units in the last place. Method: Tang, ACM Trans. Math. Softw. 15, 144 (1989) and 16, 378 (1990),
with one polynomial instead of a table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.kernels.compiling import compiled

_LOG2E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_MAGIC = 6755399441055744.0
"""1.5 * 2**52: adding it rounds to a whole number, which then stands in the low bits."""
_FARTHEST = 700.0

_EXPONENTIAL = tuple(1.0 / np.cumprod(np.arange(1.0, 14.0)))[::-1]
"""1/13!, ..., 1/1!."""
_ARTANH = tuple(2.0 / np.arange(21.0, 2.0, -2.0))
"""2/21, 2/19, ..., 2/3."""
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
_ONE_BITS = np.int64(0x3FF0000000000000)


@compiled
def exponentials(values: Any) -> None:  # pragma: no cover - compiled
    """Replace ``values [n]`` (float64, contiguous) by their exponentials; beyond +-700 as at +-700."""
    whole = np.empty_like(values)
    for j in range(len(values)):
        x = min(max(values[j], -_FARTHEST), _FARTHEST)
        values[j] = x
        whole[j] = x * _LOG2E + _MAGIC
    scales = whole.view(np.int64)
    for j in range(len(values)):
        n = whole[j] - _MAGIC
        r = (values[j] - n * _LN2_HIGH) - n * _LN2_LOW
        total = _EXPONENTIAL[0]
        for k in range(1, 13):
            total = total * r + _EXPONENTIAL[k]
        values[j] = total * r + 1.0
    for j in range(len(values)):
        scales[j] = (scales[j] + np.int64(1023)) << np.int64(52)
    for j in range(len(values)):
        values[j] *= whole[j]


@compiled
def logarithms(values: Any) -> None:  # pragma: no cover - compiled
    """Replace ``values [n]`` (float64, contiguous, positive and normal) by their natural logarithms."""
    bits = values.view(np.int64)
    exponents = np.empty_like(values)
    for j in range(len(values)):
        # Counted from sqrt(1/2), so that the mantissa lies between sqrt(1/2) and sqrt(2).
        shifted = bits[j] - _SQRT_HALF_BITS
        exponent = shifted >> np.int64(52)
        exponents[j] = np.float64(np.int32(exponent))
        bits[j] = bits[j] - (exponent << np.int64(52))
    for j in range(len(values)):
        m = values[j]
        s = (m - 1.0) / (m + 1.0)
        square = s * s
        total = _ARTANH[0]
        for k in range(1, 10):
            total = total * square + _ARTANH[k]
        n = exponents[j]
        values[j] = n * _LN2_HIGH + (n * _LN2_LOW + (s * square * total + 2.0 * s))
