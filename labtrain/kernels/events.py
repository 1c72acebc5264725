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
    batch, count = probability.shape
    for j in range(count):
        first, key = cell_words(keys[0], keys[1], cells[j])
        k, now = events[j], state[j]
        for b in range(batch):
            wanted = start[b, j]
            fine = now == wanted or uniform_of(event_word(first, key, k), keys[2]) < reset[wanted, j]
            k += 1
            verified[b, j] = fine
            if fine:
                hit = uniform_of(event_word(first, key, k), keys[2]) < probability[b, j]
                k += 1
                switched[b, j] = hit
                now = np.uint8(1 - wanted) if hit else wanted
        events[j], state[j] = k, now


@compiled
def _telegraph(
    low: Any, high: Any, state: Any, keys: Any, cells: Any, events: Any, n_bits: int, packed: Any
) -> None:  # pragma: no cover - compiled
    for j in range(len(cells)):
        first, key = cell_words(keys[0], keys[1], cells[j])
        bit = np.uint8(state[j])
        for i in range(n_bits):
            u = uniform_of(event_word(first, key, events[j] + i), keys[2])
            if u < low[j]:
                bit = np.uint8(1)
            elif u >= high[j]:
                bit = np.uint8(0)
            packed[j, i >> 3] |= np.uint8(bit << np.uint8(7 - (i & 7)))
        state[j] = bit
