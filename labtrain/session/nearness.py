"""Whether a re-run on another machine is near enough to the record.

Numbers may differ by a share of the largest magnitude beside them: in the same
array, the same column, the same message. Counts, flags, names and the wording of
messages may not.
"""

from __future__ import annotations

import re
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError

_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_DIGESTS = frozenset({"digest"})
"""Columns and keys of checksums: they tell only whether every bit is the same."""


@final
class Nearness:
    """Accepts deviations up to a tolerance and remembers the largest.

    Parameters
    ----------
    tolerance
        Relative to the largest magnitude beside the number; 0 accepts no deviation at all.

    Attributes
    ----------
    largest, where
        The largest deviation accepted, and the place of it.

    Raises
    ------
    UsageError
        For a tolerance that is negative, above 1 or no number.
    """

    def __init__(self, tolerance: float = 0.0) -> None:
        if not 0.0 <= tolerance <= 1.0:
            raise UsageError(f"a tolerance of {tolerance:g}", remedy="give a share from 0 to 1, such as 1e-6")
        self.tolerance = tolerance
        self.largest = 0.0
        self.where = ""

    def arrays(self, expected: NDArray[Any], got: NDArray[Any], where: str) -> bool:
        """Compare two arrays of one shape; NaN and infinities must stand in the same places."""
        alike = expected.shape == got.shape and expected.dtype.kind == got.dtype.kind
        if not self.tolerance or not alike or expected.dtype.kind not in "fc":
            return False
        finite = np.isfinite(expected)
        if not np.array_equal(expected[~finite], got[~finite], equal_nan=True):
            return False
        scale = float(np.max(np.abs(expected[finite]), initial=0.0))
        return self._accept(expected[finite], got[finite], scale, where)

    def number(self, expected: float, got: float, scale: float, where: str) -> bool:
        """Compare two numbers beside which ``scale`` is the largest magnitude."""
        if np.isnan(expected) and np.isnan(got):
            return self.tolerance > 0.0
        return self._accept(np.array([expected]), np.array([got]), scale, where)

    def messages(self, expected: bytes, got: bytes, where: str) -> bool:
        """Compare two messages: the same words, and numbers that are near; whole numbers are counts."""
        if not self.tolerance or _NUMBER.split(expected) != _NUMBER.split(got):
            return False
        pairs = list(zip(_NUMBER.findall(expected), _NUMBER.findall(got), strict=True))
        if any(a != b and a.isdigit() and b.isdigit() for a, b in pairs):
            return False
        first, second = (np.array([float(pair[side]) for pair in pairs]) for side in (0, 1))
        return self._accept(first, second, float(np.max(np.abs(first), initial=0.0)), where)

    def documents(self, expected: Any, got: Any, where: str) -> bool:
        """Compare two JSON documents: the same keys, and numbers near within each list or alone."""
        if expected == got:
            return True
        if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
            return all(
                self.is_digest(key) or self.documents(expected[key], got[key], f"{where}.{key}")
                for key in expected
            )
        if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
            return self._lists(expected, got, where)
        both = isinstance(expected, float) and isinstance(got, int | float) and not isinstance(got, bool)
        return both and self.number(expected, got, abs(expected), where)

    def is_digest(self, name: str) -> bool:
        """Whether a column or key is a checksum, which is left out of a comparison with tolerance."""
        return bool(self.tolerance) and name in _DIGESTS

    def _lists(self, expected: list[Any], got: list[Any], where: str) -> bool:
        if all(isinstance(value, float) for value in [*expected, *got]):
            return self.arrays(np.array(expected), np.array(got), where)
        return all(
            self.documents(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(expected, got, strict=True))
        )

    def _accept(self, expected: NDArray[Any], got: NDArray[Any], scale: float, where: str) -> bool:
        apart = float(np.max(np.abs(got - expected), initial=0.0))
        share = apart / scale if scale else (0.0 if apart == 0.0 else np.inf)
        if not share <= self.tolerance:
            return False
        if share > self.largest:
            self.largest, self.where = share, where
        return True
