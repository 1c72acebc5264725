"""Threshold decisions of many devices in any array namespace: attempts to switch, sampled telegraph noise.

Their compiled twins, for the CPU, are in :mod:`labtrain.kernels.events`; a decision is ``uniform < P``, so
both decide alike where P is the same number.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import device

from labtrain import noise
from labtrain.physics.namespaces import namespace

_AHEAD = 256
"""Rows of attempts that are tried at once."""
_PIECE = 4096
"""Samples of a telegraph signal that are drawn at once."""


def attempt(
    probability: Any,
    start: Any,
    reset: Any,
    state: Any,
    dead: Any,
    address: tuple[int, int],
    cells: Any,
    events: Any,
) -> tuple[Any, Any, Any, Any]:
    """Run attempts (reset, verify, pulse, read), row after row in effect.

    How many events an attempt takes depends on its reset: one where that fails, two else. Rows are
    tried together as if every reset worked, and taken up to the first that did not.

    Parameters
    ----------
    probability
        ``[B, n]`` of the pulse to switch.
    start
        ``[B, n]`` uint8 state that the pulse starts from (0 P, 1 AP).
    reset
        ``[2, n]`` probability that a reset pulse reaches state 0, 1 from the other one.
    state, events
        ``[n]``: the devices' states and pulse counters.
    dead
        ``[n]``: open devices, whose reset is never verified.
    address
        (seed, stream) of the pulses.

    Returns
    -------
    tuple
        ``[B, n]`` switched and reset verified; ``[n]`` the new states and counters.
    """
    xp = namespace(probability)
    rows, switched, verified = 0, [], []
    while rows < probability.shape[0]:
        ahead = slice(rows, rows + _AHEAD)
        hit, fine, states, after = _try_ahead(
            (probability[ahead], start[ahead], reset), state, dead, address, cells, events
        )
        kept = _rows_that_hold(xp, fine | dead)
        switched.append(hit[:kept])
        verified.append(fine[:kept])
        state, events = xp.where(dead, state, states[kept - 1]), after[kept - 1]
        rows += kept
    if not switched:
        empty = xp.astype(probability, xp.bool)
        return empty, empty, state, events
    return xp.concat(switched), xp.concat(verified), state, events


def _try_ahead(
    given: tuple[Any, Any, Any], state: Any, dead: Any, address: tuple[int, int], cells: Any, events: Any
) -> tuple[Any, Any, Any, Any]:
    """Return hit, verified, states and counters after each row; right up to the first failed reset."""
    probability, start, reset = given
    xp = namespace(probability)
    row = xp.arange(start.shape[0], device=device(start))[:, None]
    k = events + row * xp.where(dead, 1, 2)
    wanted = start == 1
    fine = noise.uniform(*address, cells, k) < xp.where(wanted, reset[1], reset[0])
    hit = noise.uniform(*address, cells, k + 1) < probability
    # Every reset but the first starts from where the attempt before ended.
    after = xp.astype(wanted ^ hit, xp.uint8)
    before = xp.concat([state[None, :], after[:-1]])
    fine = (fine | (before == start)) & ~dead
    states = xp.where(fine, after, before)
    return hit & fine, fine, states, k + 1 + xp.astype(fine, xp.int64)


def _rows_that_hold(xp: Any, fine: Any) -> int:
    """Rows up to the first one with a failed reset, that one included: its own outcome is true."""
    failed = xp.nonzero(~xp.all(fine, axis=1))[0]
    return int(failed[0]) + 1 if failed.shape[0] else int(fine.shape[0])


def telegraph(
    low: Any, high: Any, state: Any, address: tuple[int, int], cells: Any, events: Any, n_bits: int
) -> tuple[Any, Any]:
    """Sample two-state devices ``n_bits`` times.

    A uniform below ``low`` gives AP, from ``high`` on P, between them the device keeps its state: so a
    sample is the newest decided one. It is found by doubling, in any namespace.

    Parameters
    ----------
    low, high
        ``[n]``, as :func:`labtrain.physics.telegraph.thresholds` gives them.
    state, events
        ``[n]``: uint8 states and sample counters.

    Returns
    -------
    tuple
        ``[n, ceil(n_bits / 8)]`` uint8, packed big-endian; ``[n]`` the last states.
    """
    xp = namespace(low)
    pieces = []
    for first in range(0, n_bits, _PIECE):
        count = min(_PIECE, n_bits - first)
        k = events[:, None] + first + xp.arange(count, device=device(low))
        uniform = noise.uniform(*address, cells[:, None], k)
        bits = _newest(xp, uniform < low[:, None], uniform >= high[:, None], state)
        state = bits[:, -1]
        pieces.append(_packed(xp, bits))
    empty = xp.zeros((low.shape[0], 0), dtype=xp.uint8, device=device(low))
    return xp.concat([empty, *pieces], axis=1), state


def _newest(xp: Any, up: Any, down: Any, state: Any) -> Any:
    decided, value = up | down, xp.astype(up, xp.uint8)
    reach = 1
    while reach < decided.shape[1]:
        late, early = slice(reach, None), slice(None, -reach)
        filled = xp.where(decided[:, late], value[:, late], value[:, early])
        value = xp.concat([value[:, :reach], filled], axis=1)
        decided = xp.concat([decided[:, :reach], decided[:, late] | decided[:, early]], axis=1)
        reach *= 2
    return xp.where(decided, value, state[:, None])


def _packed(xp: Any, bits: Any) -> Any:
    padding = -bits.shape[1] % 8
    zeros = xp.zeros((bits.shape[0], padding), dtype=xp.uint8, device=device(bits))
    bytes_of = xp.reshape(xp.concat([bits, zeros], axis=1), (bits.shape[0], -1, 8))
    total = bytes_of[:, :, 0] << 7
    for place in range(1, 8):
        total = total | (bytes_of[:, :, place] << (7 - place))
    return total
