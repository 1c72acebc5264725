"""Switching attempts (reset, verify, pulse, read), decided on the high 32 bits of their uniforms.

``uniform < P`` is settled where those bits differ from P's: all but one decision in 4e9, for which the row is
decided again on all 52. So the outcomes are those of :func:`labtrain.physics.events.attempt`, to
the draw, in whole numbers that fill a vector register.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import mix, uniform_of
from labtrain.kernels.single_normals import event_words

_CARRY, _NONE, _SIGN = np.uint32(0x2C1B3C6D), np.uint32(0), np.uint32(0x80000000)


@compiled
def words_of(keys: Any, cells: Any, events: Any) -> Any:  # pragma: no cover - compiled
    """Return ``[3, n]``: both key words of every cell and the low word of its next event."""
    words = np.empty((3, len(cells)), np.uint32)
    for j in range(len(cells)):
        event_words(keys[0], keys[1], cells[j], events[j], words[:, j])
    return words


@compiled
def edges_row(probability: Any, edges: Any) -> None:  # pragma: no cover - compiled
    """Fill ``edges [n]`` (int32) with the high 32 bits of P in [0, 1], in the order of signed numbers."""
    for j in range(len(probability)):
        edges[j] = np.int32(min(np.floor(probability[j] * 2.0**32) - 2.0**31, 2147483647.0))


@compiled
def reset_edges_row(reset: Any, start: Any, edges: Any) -> None:  # pragma: no cover - compiled
    """Fill ``edges [n]`` (int32) with those of ``reset [2, n]`` to the states ``start``."""
    chances = np.empty(len(start))
    for j in range(len(start)):
        chances[j] = reset[1, j] if start[j] else reset[0, j]
    edges_row(chances, edges)


@compiled
def attempt_row(
    probability: Any,
    edges: Any,
    start: Any,
    reset: Any,
    reset_edges: Any,
    state: Any,
    words: Any,
    third: Any,
    switched: Any,
    verified: Any,
) -> None:  # pragma: no cover - compiled
    """Run one attempt on each device; ``state`` and the events in ``words`` are advanced.

    Parameters
    ----------
    probability, start, reset, state
        Of one row; see :func:`labtrain.kernels.events.attempt`.
    edges, reset_edges
        Of ``probability`` and of ``reset`` to the row's ``start``, by :func:`edges_row`.
    third
        Last word of :func:`labtrain.kernels.noise.keys_of`.
    """
    # In passes without branches (outcomes are coin tosses), each over few arrays: that makes vector code.
    count, ties = len(edges), False
    of_reset, of_pulse = np.empty(count, np.int32), np.empty(count, np.int32)
    _draw(words, of_reset, of_pulse)
    for j in range(count):
        verified[j] = (state[j] == start[j]) | (of_reset[j] < reset_edges[j])
    for j in range(count):
        switched[j] = verified[j] & (of_pulse[j] < edges[j])
    for j in range(count):
        ties |= (of_reset[j] == reset_edges[j]) | (of_pulse[j] == edges[j])
    if ties:
        _decide_exactly(probability, start, reset, state, words, third, switched, verified)
    for j in range(count):
        change = np.uint8(state[j] ^ start[j] ^ np.uint8(switched[j]))
        state[j] = np.uint8(state[j] ^ (change if verified[j] else np.uint8(0)))
    _advance(words, verified)


@compiled
def count_events(words: Any, events: Any) -> None:  # pragma: no cover - compiled
    """Bring ``events [n]`` (int64) to where ``words`` stand, less than 2^32 further."""
    for j in range(len(events)):
        events[j] += np.int64(np.uint32(words[2, j] - np.uint32(events[j])))


@compiled
def _draw(words: Any, of_reset: Any, of_pulse: Any) -> None:  # pragma: no cover - compiled
    # The high 32 bits of the next event's uniform and of the one after, as signed numbers.
    for j in range(len(of_reset)):
        following = np.uint32(words[2, j] + np.uint32(1))
        key = np.uint32(words[1, j] + (_CARRY if following == _NONE else _NONE))
        first = mix(np.uint32(mix(np.uint32(words[2, j] ^ words[0, j])) + words[1, j]))
        second = mix(np.uint32(mix(np.uint32(following ^ words[0, j])) + key))
        of_reset[j], of_pulse[j] = np.int32(first ^ _SIGN), np.int32(second ^ _SIGN)


@compiled
def _advance(words: Any, verified: Any) -> None:  # pragma: no cover - compiled
    # A pulse follows a reset that was verified: two events then, else one.
    low, wrapped = words[2], False
    for j in range(len(low)):
        step = np.uint32(1) + np.uint32(verified[j])
        low[j] = np.uint32(low[j] + step)
        wrapped |= low[j] < step
    if wrapped:
        for j in range(len(low)):
            if low[j] < np.uint32(1) + np.uint32(verified[j]):
                words[1, j] = np.uint32(words[1, j] + _CARRY)


@compiled
def _decide_exactly(
    probability: Any, start: Any, reset: Any, state: Any, words: Any, third: Any, switched: Any, verified: Any
) -> None:  # pragma: no cover - compiled
    for j in range(len(probability)):
        following = np.uint32(words[2, j] + np.uint32(1))
        key = np.uint32(words[1, j] + (_CARRY if following == _NONE else _NONE))
        of_reset = np.uint32(mix(np.uint32(words[2, j] ^ words[0, j])) + words[1, j])
        of_pulse = np.uint32(mix(np.uint32(following ^ words[0, j])) + key)
        fine = (state[j] == start[j]) | (uniform_of(of_reset, third) < reset[start[j], j])
        verified[j] = fine
        switched[j] = fine & (uniform_of(of_pulse, third) < probability[j])
