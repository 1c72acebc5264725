"""Products of packed bit streams, added: XNOR or AND, then a parallel counter or a multiplexer.

Words as :mod:`labtrain.kernels.stream_words` packs them, ``[rows, words, n]``; bits past a stream's
end are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, event_word, keys_of, mix
from labtrain.kernels.stream_words import Words
from labtrain.kernels.wide_counts import LANES, differing_four

Counts = NDArray[np.int64]
_PIECE = 1536
"""Words of five rows that the first cache holds."""


@intrinsic  # type: ignore[untyped-decorator]
def _ones(context: Any, word: Any) -> Any:
    """Count the ones of a uint32 (LLVM's ctpop: one instruction for 16 words where the processor has it)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(builder.trunc(arguments[0], ir.IntType(32)))  # type: ignore[no-untyped-call]

    return types.int32(types.uint32), generate


def differing(x: Words, w: Words) -> Counts:
    """Return ``[B, O]``: bits in which the streams of a row ``x[b]`` and those of ``w[o]`` differ.

    The XNOR of a pair has a one wherever they do not.
    """
    found = np.empty((len(x), len(w)), np.int32)
    _differing(_flat(x), _flat(w), found)
    return found.astype(np.int64)


def common(x: Words, w: Words, signs: NDArray[np.int32]) -> Counts:
    """Return ``[B, O]``: ones of x AND w, counted up where ``signs[o, i]`` is 0, down where it is -1."""
    found = np.empty((len(x), len(w)), np.int32)
    _common(x, w, signs, found)
    return found.astype(np.int64)


def selected(
    x: Words,
    w: Words,
    signs: NDArray[np.int32] | None,
    address: tuple[int, int],
    first: int,
    n_bits: int,
) -> Counts:
    """Add by multiplexer: at every step one of the n products, the same for all neurons of a row.

    Parameters
    ----------
    signs
        None: XNOR products, their ones are counted. Else AND products with these signs, as :func:`common`.
    address, first
        Seed and stream of the choices; steps taken before.
    """
    found = np.zeros((len(x), len(w)), np.int64)
    bipolar = signs is None
    given = np.zeros((1, 1), np.int32) if signs is None else signs
    _selected(x, w, given, bipolar, keys_of(*address), first, n_bits, found)
    return found


def _flat(words: Words) -> Words:
    return np.ascontiguousarray(words).reshape(len(words), -1)


@compiled
def _differing(x: Any, w: Any, found: Any) -> None:  # pragma: no cover - compiled
    # In pieces that stay in the first cache while all rows of x meet them.
    rows, outputs, length = len(x), len(w), x.shape[1]
    found[:, :] = 0
    whole = outputs - outputs % 4
    for begin in range(0, length, _PIECE):
        end = min(begin + _PIECE, length)
        for o in range(0, whole, 4):
            w0, w1, w2, w3 = w[o, begin:end], w[o + 1, begin:end], w[o + 2, begin:end], w[o + 3, begin:end]
            for b in range(rows):
                _differing_four(x[b, begin:end], w0, w1, w2, w3, found[b, o : o + 4])
        for o in range(whole, outputs):
            for b in range(rows):
                found[b, o] += _differing_one(x[b, begin:end], w[o, begin:end])


@compiled
def _differing_four(
    x: Any, w0: Any, w1: Any, w2: Any, w3: Any, found: Any
) -> None:  # pragma: no cover - compiled
    vectors = len(x) // LANES
    c0, c1, c2, c3 = differing_four(x, w0, w1, w2, w3, vectors)
    for i in range(vectors * LANES, len(x)):
        word = x[i]
        c0 += _ones(np.uint32(word ^ w0[i]))
        c1 += _ones(np.uint32(word ^ w1[i]))
        c2 += _ones(np.uint32(word ^ w2[i]))
        c3 += _ones(np.uint32(word ^ w3[i]))
    found[0] += c0
    found[1] += c1
    found[2] += c2
    found[3] += c3


@compiled
def _differing_one(x: Any, w: Any) -> Any:  # pragma: no cover - compiled
    count = np.int32(0)
    for i in range(len(x)):
        count = np.int32(count + _ones(np.uint32(x[i] ^ w[i])))
    return count


@compiled
def _common(x: Any, w: Any, signs: Any, found: Any) -> None:  # pragma: no cover - compiled
    outputs, words, n = w.shape
    for begin in range(0, outputs, 64):
        for b in range(len(x)):
            for o in range(begin, min(begin + 64, outputs)):
                count = np.int32(0)
                for k in range(words):
                    count += _common_row(x[b, k], w[o, k], signs[o])
                found[b, o] = count


@compiled
def _common_row(x: Any, w: Any, signs: Any) -> Any:  # pragma: no cover - compiled
    count = np.int32(0)
    for i in range(len(x)):
        ones = _ones(np.uint32(x[i] & w[i]))
        count = np.int32(count + np.int32(np.int32(ones ^ signs[i]) - signs[i]))
    return count


@compiled
def _selected(
    x: Any, w: Any, signs: Any, bipolar: Any, keys: Any, first: Any, n_bits: Any, found: Any
) -> None:  # pragma: no cover - compiled
    n = x.shape[2]
    start, key = cell_words(keys[0], keys[1], 0)
    for b in range(len(x)):
        for t in range(n_bits):
            drawn = np.int64(mix(event_word(start, key, np.int64(first + b * n_bits + t))))
            i = (drawn * n) >> 32
            word, shift = t // 32, np.uint32(t % 32)
            bit = (x[b, word, i] >> shift) & np.uint32(1)
            for o in range(len(w)):
                other = (w[o, word, i] >> shift) & np.uint32(1)
                if bipolar:
                    found[b, o] += np.int64(bit == other)
                else:
                    found[b, o] += np.int64(bit & other) * (1 + 2 * signs[o, i])
