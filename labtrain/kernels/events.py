"""Compiled loops over threshold decisions: switching attempts and sampled telegraph noise.

A decision is ``uniform < P``: with P equal to the bit, kernel and plain functions decide alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, event_word, keys_of, uniform_of

Ints = NDArray[np.int64]


def attempt(
    probability: NDArray[np.float64],
    start: NDArray[np.uint8],
    reset: NDArray[np.float64],
    state: NDArray[np.uint8],
    seed: int,
    stream: int,
    cells: Ints,
    events: Ints,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Run attempts (reset, verify, pulse, read) row after row; ``state`` and ``events`` are advanced.

    Parameters
    ----------
    probability
        ``[B, n]`` of the pulse to switch.
    start
        ``[B, n]`` state that the pulse starts from (0 P, 1 AP).
    reset
        ``[2, n]`` probability that a reset pulse reaches state 0, 1 from the other one.
    state, events
        ``[n]``: the devices' states and pulse counters.

    Returns
    -------
    tuple
        ``[B, n]``: switched; reset verified.
    """
    switched = np.zeros(probability.shape, np.bool_)
    verified = np.zeros(probability.shape, np.bool_)
    _attempt(probability, start, reset, state, keys_of(seed, stream), cells, events, switched, verified)
    return switched, verified


def telegraph(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    state: NDArray[np.uint8],
    seed: int,
    stream: int,
    cells: Ints,
    events: Ints,
    n_bits: int,
) -> NDArray[np.uint8]:
    """Return ``[n, ceil(n_bits/8)]`` packed samples; ``state`` becomes each device's last bit.

    ``low`` and ``high`` (``[n]``) as :func:`labtrain.physics.telegraph.thresholds` gives them.
    """
    packed = np.zeros((len(cells), (n_bits + 7) // 8), np.uint8)
    _telegraph(low, high, state, keys_of(seed, stream), cells, events, n_bits, packed)
    return packed


@compiled
def _attempt(
    probability: Any,
    start: Any,
    reset: Any,
    state: Any,
    keys: Any,
    cells: Any,
    events: Any,
    switched: Any,
    verified: Any,
) -> None:  # pragma: no cover - compiled
    words = words_of(keys, cells)
    for b in range(probability.shape[0]):
        attempt_row(probability[b], start[b], reset, state, keys, words, events, switched[b], verified[b])


@compiled
def words_of(keys: Any, cells: Any) -> Any:  # pragma: no cover - compiled
    """Return ``[2, n]``: both key words of every cell."""
    words = np.empty((2, len(cells)), np.uint32)
    for j in range(len(cells)):
        words[0, j], words[1, j] = cell_words(keys[0], keys[1], cells[j])
    return words


@compiled
def attempt_row(
    probability: Any,
    start: Any,
    reset: Any,
    state: Any,
    keys: Any,
    words: Any,
    events: Any,
    switched: Any,
    verified: Any,
) -> None:  # pragma: no cover - compiled
    """Run one attempt on each device; see :func:`attempt`."""
    # Without branches: outcomes are coin tosses, which no processor predicts.
    for j in range(len(probability)):
        wanted = start[j]
        chance = reset[1, j] if wanted else reset[0, j]
        u_reset = uniform_of(event_word(words[0, j], words[1, j], events[j]), keys[2])
        u_pulse = uniform_of(event_word(words[0, j], words[1, j], events[j] + 1), keys[2])
        fine = (state[j] == wanted) | (u_reset < chance)
        hit = fine & (u_pulse < probability[j])
        verified[j] = fine
        switched[j] = hit
        state[j] = (wanted ^ np.uint8(hit)) if fine else state[j]
        events[j] += 1 + np.int64(fine)


@compiled
def _telegraph(
    low: Any, high: Any, state: Any, keys: Any, cells: Any, events: Any, n_bits: int, packed: Any
) -> None:  # pragma: no cover - compiled
    # In pieces of whole bytes: independent uniforms first, as vector code, then the chain of bits.
    uniforms = np.empty(512)
    for j in range(len(cells)):
        first, key = cell_words(keys[0], keys[1], cells[j])
        bit = np.uint8(state[j])
        for piece in range(0, n_bits, 512):
            count = min(512, n_bits - piece)
            for i in range(count):
                uniforms[i] = uniform_of(event_word(first, key, events[j] + piece + i), keys[2])
            for i in range(count):
                bit = np.uint8(np.uint8(uniforms[i] < low[j]) | (bit & np.uint8(uniforms[i] < high[j])))
                packed[j, (piece + i) >> 3] |= np.uint8(bit << np.uint8(7 - (i & 7)))
        state[j] = bit
