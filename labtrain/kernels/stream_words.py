"""Random bit streams in packed words: 32 bits of one generator a word, many generators a loop.

A stream's bit ``t`` is bit ``t % 32`` of word ``t // 32``; a row of streams is ``[words, n]``, so that the
loops run over generators and become vector code.

A bit is ``u < T`` with ``u`` and ``T`` of 32 bits. It is decided from the highest bit down, for 64 steps of a
generator at once: two random words a binary digit of ``T``. Probabilities that are multiples of 1/4 take
two digits; others are decided by 12 digits for all and to the last one for the few still equal.

A telegraph signal (u < low: 1; u >= high: 0; else as before) is a carry chain: with G the bits u < low and H
the bits u < high, the carries of G + H + (last bit) are the next 32 states. So memory costs one more
comparison.

Event ``k`` of a generator gives two words: that of :func:`labtrain.noise.bits`, and the one behind the low
half of :func:`labtrain.noise.uniform`. Digit ``d`` of a generator's ``q``-th 64 steps is event ``32 q + d``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, keys_of, mix

Words = NDArray[np.uint32]
SURE = 1 << 32
"""The threshold of probability 1."""
_EARLY = 12
"""Digits that are compared for all generators before the undecided are followed one by one."""
_EXACT = 14
"""Up to so many digits of the thresholds, all are compared."""
_STEPS = 64


def thresholds(probability: Any) -> NDArray[np.int64]:
    """Return ``round(p 2^32)``: what a 32-bit uniform is compared with."""
    return np.rint(np.asarray(probability, dtype=np.float64) * SURE).astype(np.int64)


def words_of(n_bits: int) -> int:
    """Return the words of a stream."""
    return (n_bits + 31) // 32


def pieces_of(n_bits: int) -> int:
    """Return the steps of 64 that a stream takes of its generator's events."""
    return (n_bits + _STEPS - 1) // _STEPS


def streams(
    low: NDArray[np.int64],
    high: NDArray[np.int64] | None,
    start: NDArray[np.uint8] | None,
    address: tuple[int, int],
    first: int,
    n_bits: int,
    *,
    own_cells: bool,
) -> Words:
    """Draw streams ``[rows, words, n]``.

    Parameters
    ----------
    low, high
        Thresholds ``[rows, n]``; ``high`` None: every bit is drawn afresh.
    start
        ``[rows, n]`` state before the first bit; with ``high`` only.
    address
        Seed and stream.
    first
        Pieces (of 64 steps) that the generators have given before.
    own_cells
        True: row ``r`` has generators ``r n + i``; False: all rows share generators ``i``, one row after the
        other.
    """
    rows, n = low.shape
    out = np.empty((rows, words_of(n_bits), n), np.uint32)
    keys = keys_of(*address)
    digits = _digits(low, high)
    if high is None or start is None:
        _draw(low, low, np.zeros((rows, n), np.uint8), False, keys, first, n_bits, own_cells, digits, out)
    else:
        _draw(low, high, start, True, keys, first, n_bits, own_cells, digits, out)
    return out


def _digits(low: NDArray[np.int64], high: NDArray[np.int64] | None) -> int:
    """Return how many digits (an even number) all generators are compared to: all where they are few."""
    used = int(np.bitwise_or.reduce(low, axis=None)) if low.size else 0
    if high is not None and high.size:
        used |= int(np.bitwise_or.reduce(high, axis=None))
    used &= SURE - 1
    needed = 32 - ((used & -used).bit_length() - 1) if used else 2
    return needed + needed % 2 if needed <= _EXACT else _EARLY


@compiled
def _draw(
    low: Any,
    high: Any,
    start: Any,
    memory: Any,
    keys: Any,
    first: Any,
    n_bits: Any,
    own_cells: Any,
    digits: Any,
    out: Any,
) -> None:  # pragma: no cover - compiled
    rows, n = low.shape
    words, pieces = out.shape[1], (n_bits + 63) // 64
    cells = np.empty((2, n), np.uint32)
    _key(keys, 0, cells)
    places = np.empty(n + 1, np.int64)
    events = np.empty((2, n), np.uint32)
    wanted = np.empty((2, n), np.uint32)
    found = np.empty((4, n), np.uint32)
    open_ = np.empty((4, n), np.uint32)
    state = np.empty(n, np.uint64)
    for r in range(rows):
        if own_cells:
            _key(keys, r * n, cells)
        count = _gather(low[r], high[r], start[r], cells, events, wanted, places, state)
        _fill_sure(low[r], out[r])
        for q in range(pieces):
            k = (first + (0 if own_cells else r * pieces) + q) * 32
            for d in range(0, digits, 2):
                _compare(events, keys[2], k + d, d, count, wanted[0], found[0], found[1], open_[0], open_[1])
                if memory:
                    _compare(
                        events, keys[2], k + d, d, count, wanted[1], found[2], found[3], open_[2], open_[3]
                    )
            if digits == _EARLY:
                _finish(events, keys[2], k, count, wanted, found, open_, memory)
            for half in range(min(2, words - 2 * q)):
                if memory:
                    _carry(found[half], found[2 + half], state, count)
                _scatter(found[half], places, count, out[r, 2 * q + half])
        _mask(out[r, words - 1], n_bits)


@compiled
def _key(keys: Any, cell: Any, cells: Any) -> None:  # pragma: no cover - compiled
    for i in range(cells.shape[1]):
        cells[0, i], cells[1, i] = cell_words(keys[0], keys[1], cell + i)


@compiled
def _scatter(found: Any, places: Any, count: Any, target: Any) -> None:  # pragma: no cover - compiled
    if count == len(target):
        target[:] = found
        return
    for i in range(count):
        target[places[i]] = found[i]


@compiled
def _gather(
    low: Any, high: Any, start: Any, cells: Any, events: Any, wanted: Any, places: Any, state: Any
) -> Any:  # pragma: no cover - compiled
    """Collect the generators that are neither surely 0 nor surely 1; return how many."""
    count: Any = 0
    for i in range(len(low)):
        places[count] = i
        count += np.int64(high[i] > 0 and low[i] < 4294967296)
    for j in range(count):
        i = places[j]
        events[0, j], events[1, j] = cells[0, i], cells[1, i]
        wanted[0, j] = np.uint32(low[i])
        # A chain that never loses its state has high = 1: as good as the largest threshold.
        wanted[1, j] = np.uint32(min(high[i], 4294967295))
        state[j] = np.uint64(start[i])
    return count


@compiled
def _fill_sure(low: Any, out: Any) -> None:  # pragma: no cover - compiled
    for w in range(out.shape[0]):
        for i in range(len(low)):
            out[w, i] = np.uint32(0xFFFFFFFF) if low[i] >= 4294967296 else np.uint32(0)


@compiled
def _compare(
    events: Any,
    third: Any,
    k: Any,
    d: Any,
    count: Any,
    wanted: Any,
    found_a: Any,
    found_b: Any,
    open_a: Any,
    open_b: Any,
) -> None:  # pragma: no cover - compiled
    """Compare digits ``d`` and ``d + 1`` of 64 uniforms of each generator."""
    low, high = np.uint32(k & 0xFFFFFFFF), np.uint32(np.uint32(k >> 32) * np.uint32(0x2C1B3C6D))
    after = np.uint32(low + np.uint32(1))  # k is even: no carry
    shift = np.uint32(30 - d)
    begin = np.uint32(0xFFFFFFFF) if d == 0 else np.uint32(0)
    for i in range(count):
        start, key = events[0, i], np.uint32(events[1, i] + high)
        word = np.uint32(mix(np.uint32(low ^ start)) + key)
        next_ = np.uint32(mix(np.uint32(after ^ start)) + key)
        a0, b0 = mix(word), mix(np.uint32(word ^ third))
        a1, b1 = mix(next_), mix(np.uint32(next_ ^ third))
        two = np.uint32(wanted[i] >> shift)
        first = np.uint32(np.uint32(0) - np.uint32((two >> np.uint32(1)) & np.uint32(1)))
        second = np.uint32(np.uint32(0) - np.uint32(two & np.uint32(1)))
        still_a, still_b = np.uint32(open_a[i] | begin), np.uint32(open_b[i] | begin)
        equal_a, equal_b = np.uint32(still_a & ~(a0 ^ first)), np.uint32(still_b & ~(b0 ^ first))
        below_a = np.uint32((still_a & ~a0 & first) | (equal_a & ~a1 & second))
        below_b = np.uint32((still_b & ~b0 & first) | (equal_b & ~b1 & second))
        found_a[i] = np.uint32((found_a[i] & ~begin) | below_a)
        found_b[i] = np.uint32((found_b[i] & ~begin) | below_b)
        open_a[i] = np.uint32(equal_a & ~(a1 ^ second))
        open_b[i] = np.uint32(equal_b & ~(b1 ^ second))


@compiled
def _finish(
    events: Any, third: Any, k: Any, count: Any, wanted: Any, found: Any, open_: Any, memory: Any
) -> None:  # pragma: no cover - compiled
    """Follow the few uniforms that equal a threshold so far, to its last digit."""
    for i in range(count):
        for level in range(2 if memory else 1):
            left = np.uint32(wanted[level, i] << np.uint32(_EARLY))
            a, b = open_[2 * level, i], open_[2 * level + 1, i]
            d = _EARLY
            while (a | b) and left:
                at = k + d
                high = np.uint32(np.uint32(at >> 32) * np.uint32(0x2C1B3C6D))
                word = mix(np.uint32(np.uint32(at & 0xFFFFFFFF) ^ events[0, i]))
                word = np.uint32(np.uint32(word + events[1, i]) + high)
                one, other = mix(word), mix(np.uint32(word ^ third))
                digit = np.uint32(np.uint32(0) - np.uint32(left >> np.uint32(31)))
                found[2 * level, i] |= a & ~one & digit
                found[2 * level + 1, i] |= b & ~other & digit
                a &= ~(one ^ digit)
                b &= ~(other ^ digit)
                left = np.uint32(left << np.uint32(1))
                d += 1


@compiled
def _carry(low: Any, high: Any, state: Any, count: Any) -> None:  # pragma: no cover - compiled
    """Turn the bits u < low into 32 states of the chain; ``state`` is the bit before and after."""
    for i in range(count):
        g, h = np.uint64(low[i]), np.uint64(high[i])
        carries = ((g + h + state[i]) ^ g ^ h) >> np.uint64(1)
        low[i] = np.uint32(carries & np.uint64(0xFFFFFFFF))
        state[i] = (carries >> np.uint64(31)) & np.uint64(1)


@compiled
def _mask(last: Any, n_bits: Any) -> None:  # pragma: no cover - compiled
    used = n_bits % 32
    if used:
        mask = np.uint32((1 << used) - 1)
        for i in range(len(last)):
            last[i] &= mask
