"""Tests of randomness for short bit streams: p-values under independent, fair bits.

From NIST SP 800-22 rev. 1a (A. Rukhin et al., 2010), each checked against the worked example of that paper:
frequency, block frequency, runs, cumulative sums, serial and approximate entropy. See
docs/decisions for why no library is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Bits = NDArray[np.int64]


def frequency(bits: Bits) -> float:
    """As many ones as zeros? (2.1)."""
    return float(special.erfc(abs(2 * int(bits.sum()) - len(bits)) / np.sqrt(2 * len(bits))))


def block_frequency(bits: Bits, length: int = 16) -> float:
    """As many ones as zeros in every block? (2.2)."""
    blocks = bits[: len(bits) // length * length].reshape(-1, length)
    chi_square = 4 * length * float(np.sum((blocks.mean(axis=1) - 0.5) ** 2))
    return float(special.gammaincc(len(blocks) / 2, chi_square / 2))


def runs(bits: Bits) -> float:
    """As many changes as chance makes? (2.3); 0 where the frequency is too far off to ask."""
    share, n = float(bits.mean()), len(bits)
    if abs(share - 0.5) >= 2 / np.sqrt(n):
        return 0.0
    changes = 1 + int(np.sum(bits[1:] != bits[:-1]))
    expected = 2 * n * share * (1 - share)
    return float(special.erfc(abs(changes - expected) / (2 * np.sqrt(2 * n) * share * (1 - share))))


def cumulative_sums(bits: Bits) -> float:
    """Does the walk of ones and zeros stay as near to its start as chance? (2.13, forward)."""
    n = len(bits)
    reach = int(np.max(np.abs(np.cumsum(2 * bits - 1))))
    root = np.sqrt(n)
    k = np.arange(int((-n / reach + 1) // 4), int((n / reach - 1) // 4) + 1)
    more = np.arange(int((-n / reach - 3) // 4), int((n / reach - 1) // 4) + 1)
    cdf = stats.norm.cdf
    inner = np.sum(cdf((4 * k + 1) * reach / root) - cdf((4 * k - 1) * reach / root))
    outer = np.sum(cdf((4 * more + 3) * reach / root) - cdf((4 * more + 1) * reach / root))
    return float(np.clip(1 - inner + outer, 0.0, 1.0))


def serial(bits: Bits, length: int = 3) -> float:
    """Is every pattern as frequent as the others? (2.11, the first p-value)."""
    psi = [_psi_square(bits, size) for size in (length, length - 1)]
    return float(special.gammaincc(2 ** (length - 2), (psi[0] - psi[1]) / 2))


def approximate_entropy(bits: Bits, length: int = 2) -> float:
    """Do patterns and those one longer carry the entropy of chance? (2.12)."""
    entropies = []
    for size in (length, length + 1):
        shares = _patterns(bits, size) / len(bits)
        shares = shares[shares > 0]
        entropies.append(float(np.sum(shares * np.log(shares))))
    chi_square = 2 * len(bits) * (np.log(2) - (entropies[0] - entropies[1]))
    return float(special.gammaincc(2 ** (length - 1), chi_square / 2))


def _patterns(bits: Bits, size: int) -> NDArray[np.int64]:
    """Count overlapping patterns of ``size`` bits, the stream taken as a ring."""
    ring = np.concatenate([bits, bits[: size - 1]])
    codes = sum(ring[i : i + len(bits)] << (size - 1 - i) for i in range(size))
    return np.bincount(np.asarray(codes), minlength=2**size)


def _psi_square(bits: Bits, size: int) -> float:
    if size == 0:
        return 0.0
    counts = _patterns(bits, size)
    return float(2**size / len(bits) * np.sum(counts.astype(float) ** 2) - len(bits))


TESTS: Mapping[str, Callable[[Bits], float]] = {
    "frequency": frequency,
    "block-frequency": block_frequency,
    "runs": runs,
    "cumulative-sums": cumulative_sums,
    "serial": serial,
    "approximate-entropy": approximate_entropy,
}
"""The tests by name."""

LEAST_BITS = 100
"""Fewer bits make the p-values wrong (SP 800-22, the recommendations of each test)."""


def p_values(bits: Bits) -> dict[str, float] | None:
    """Return every test's p-value; None for fewer than :data:`LEAST_BITS` bits."""
    return {name: test(bits) for name, test in TESTS.items()} if len(bits) >= LEAST_BITS else None


def unbiased(bits: Bits) -> Bits:
    """Return von Neumann's extraction: 01 gives 0, 10 gives 1, equal pairs nothing.

    Independent bits of any bias become fair ones; correlated bits do not (J. von Neumann, Natl. Bur. Stand.
    Appl. Math. Ser. 12, 36, 1951).
    """
    pairs = bits[: len(bits) // 2 * 2].reshape(-1, 2)
    return pairs[pairs[:, 0] != pairs[:, 1], 0]
