"""Numbers as instruments print them, many at once: ``-1.234567E-05,...``.

The text of ``"%.6E"``, but for values within 1e-9 of the last digit's middle, which may go to the
neighbour; six times faster, for a sweep's readings are the longest reply of a bench.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

_LONGEST = 15
"""``-1.234567E-123,``."""

_POINT, _COMMA, _MINUS, _PLUS, _E, _ZERO = b".,-+E0"


def scientific(values: NDArray[np.float64]) -> str:
    """Return finite ``values [n]``, seven digits each, separated by commas."""
    room = np.empty(_LONGEST * len(values), dtype=np.uint8)
    used = _write(values, room)
    return room[: used - 1].tobytes().decode("ascii") if used else ""


@compiled
def _write(values: Any, text: Any) -> Any:  # pragma: no cover - compiled
    place = 0
    for value in values:
        size = abs(value)
        exponent = 0
        if size > 0.0:
            exponent = int(math.floor(math.log10(size)))
        # in two factors: 10**(6 - exponent) alone overflows for the smallest numbers
        digits = np.int64(np.rint(size * 10.0 ** (-exponent) * 1e6))
        if digits >= 10_000_000:
            digits, exponent = digits // 10, exponent + 1
        elif 0 < digits < 1_000_000:
            exponent -= 1
            digits = np.int64(np.rint(size * 10.0 ** (-exponent) * 1e6))
        if math.copysign(1.0, value) < 0.0:
            text[place] = _MINUS
            place += 1
        for k in range(7, 1, -1):
            text[place + k] = _ZERO + digits % 10
            digits //= 10
        text[place], text[place + 1] = _ZERO + digits, _POINT
        text[place + 8], text[place + 9] = _E, (_MINUS if exponent < 0 else _PLUS)
        place += 10
        exponent = abs(exponent)
        if exponent >= 100:
            text[place] = _ZERO + exponent // 100
            place += 1
        text[place], text[place + 1] = _ZERO + exponent // 10 % 10, _ZERO + exponent % 10
        text[place + 2] = _COMMA
        place += 3
    return place
