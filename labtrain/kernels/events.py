"""Compiled loops over threshold decisions: switching attempts and sampled telegraph noise.

A decision is ``uniform < P``: with P equal to the bit, kernel and plain functions decide alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.attempts import attempt_row, count_events, edges_row, reset_edges_row, words_of
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
    words = words_of(keys, cells, events)
    edges, reset_edges = np.empty(len(cells), np.int32), np.empty(len(cells), np.int32)
    for b in range(probability.shape[0]):
        edges_row(probability[b], edges)
        reset_edges_row(reset, start[b], reset_edges)
        attempt_row(
            probability[b],
            edges,
            start[b],
            reset,
            reset_edges,
            state,
            words,
            keys[2],
            switched[b],
            verified[b],
        )
    count_events(words, events)


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
