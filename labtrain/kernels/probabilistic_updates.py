"""The probabilistic write decision as one compiled pass over a tensor.

A decision is ``|u| >= r threshold`` with ``r = (c + f) / 256``: the byte ``c`` is one of the four of an
addressed 32-bit word that four neighbouring cells share, ``f`` an addressed uniform of the cell's own.
Only the one in some hundred cells that its byte does not settle needs ``f``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, event_word, keys_of, mix, uniform_of

Floats = NDArray[Any]


def take_writes(
    before: Floats, after: Floats, threshold: float, seed: int, streams: tuple[int, int], k: int
) -> tuple[NDArray[np.int64], Floats]:
    """Undo an optimiser's step in ``after`` and return the cells that are to be written instead.

    Parameters
    ----------
    before, after
        ``[n]``, contiguous, of one float type; ``after`` becomes ``before``.
    threshold
        The smallest change that is written, in the units of the weights.
    seed, streams, k
        Address of the draws: streams of the bytes and of the uniforms, and the number of this update.

    Returns
    -------
    tuple
        ``[m]`` indices, ascending, and ``[m]`` changes: ``sign(u) threshold`` or ``u`` where that is larger.
    """
    places = np.empty(len(before), np.int64)
    changes = np.empty(len(before), before.dtype)
    coarse, fine = (keys_of(seed, stream) for stream in streams)
    count = _take(before, after, threshold, coarse, fine, np.int64(k), places, changes)
    return places[:count].copy(), changes[:count].copy()


@compiled
def add_changes(
    weights: Any, before: Any, places: Any, changes: Any, deviation: float, errors: Any
) -> None:  # pragma: no cover - compiled
    """Add changes and ``deviation`` times standard errors to weights; note the sums in ``before`` too."""
    for i in range(len(places)):
        error = weights.dtype.type(deviation * errors[i])
        sum_ = weights[places[i]] + changes[i] + error
        weights[places[i]] = sum_
        before[places[i]] = sum_


_BLOCK = 4096
"""Cells whose bytes come from one cell of the addressed words."""


@compiled
def _draw_words(words: Any, keys: Any, block: Any, k: Any) -> None:  # pragma: no cover - compiled
    # A function of its own, with the carry-free part of the event number outside the loop: vector code.
    first, key = cell_words(keys[0], keys[1], block)
    event = k * len(words)
    low, high = np.uint32(event), np.uint32(np.uint32(event >> 32) * np.uint32(0x2C1B3C6D))
    offset = np.uint32(key + high)
    for w in range(len(words)):
        words[w] = mix(np.uint32(mix(np.uint32(np.uint32(low | np.uint32(w)) ^ first)) + offset))


@compiled
def _take(
    before: Any, after: Any, threshold: float, coarse: Any, fine: Any, k: Any, places: Any, changes: Any
) -> Any:  # pragma: no cover - compiled
    # In pieces that stay in the cache: words, then bytes against sizes as vector code, then the few left.
    total, piece = len(before), _BLOCK
    words = np.empty(piece // 4, np.uint32)
    maybe = np.zeros(piece, np.uint8)
    eights, octets = maybe.view(np.uint64), words.view(np.uint8)
    scale = before.dtype.type(256.0 / threshold * (1.0 + 1e-6))
    count: Any = 0
    for start in range(0, total, piece):
        used = min(piece, total - start)
        old, new = before[start : start + used], after[start : start + used]
        _draw_words(words, coarse, start // piece, k)
        for i in range(used):
            maybe[i] = np.uint8(abs(new[i] - old[i]) * scale >= octets[i])
        maybe[used:] = 0
        for eight in range((used + 7) // 8):
            if eights[eight] == 0:
                continue
            for i in range(8 * eight, 8 * eight + 8):
                if maybe[i]:
                    change = np.float64(new[i] - old[i])
                    size = abs(change)
                    if size * 256.0 < (octets[i] + 1) * threshold:  # within the byte: its uniform decides
                        first, key = cell_words(fine[0], fine[1], start + i)
                        own = uniform_of(event_word(first, key, k), fine[2])
                        if size < (octets[i] + own) / 256.0 * threshold:
                            continue
                    places[count] = start + i
                    changes[count] = change if size >= threshold else np.copysign(threshold, change)
                    count += 1
        for i in range(used):
            new[i] = old[i]
    return count
