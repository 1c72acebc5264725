"""Rows whose first event depends on the rows before, though those are another process's.

How many pulses an attempt takes depends on whether its reset worked, and what the reset has to do on how the
attempt before ended. So each process begins where it would stand if every reset before worked, and all
compare where each began with where the one before ended. Only what began at the wrong place is done again:
with resets that work (as they should) nothing is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.plain import as_numpy, like
from labtrain.physics.namespaces import namespace

Standing = tuple[Any, Any]
"""States (uint8) and event counters (int64) of the cells, ``[n]`` each."""
Tried = tuple[Any, Any, Standing]
"""Outcomes and flags ``[B, n]``, and where the cells then stand."""
Run = Callable[[Any, Standing], Tried]
Words = NDArray[np.int64]

_STATE, _OPEN, _EVENTS = 1, 2, 2
"""Of a word that tells where a cell stands: its state, whether that mattered, the count from which bit on."""


def run_in_turn(rows: BatchRows, run: Run, given: Any, now: Standing, each: Any) -> Tried:
    """Run this process's rows of a batch; return their outcome, and where the cells stand after the whole.

    Parameters
    ----------
    run
        ``run(given, standing)``: rows from where the cells stand; changes nothing.
    given
        This process's rows, ``[B, n]``.
    now
        Where the cells stand before the batch.
    each
        ``[n]``: events that a row takes if nothing fails.
    """
    before, _ = rows.around(len(given))
    if not rows.shared:
        return run(given, now)
    begun = now if rows.rank == 0 else (now[0], now[1] + each * before)
    while True:
        tried = run(given, begun)
        words = np.stack([_words(begun, _state_matters(run, given, begun)), _words(tried[2])])
        told: Words = rows.of_all(words)
        if _continuous(told):
            return tried[0], tried[1], _standing(told[-1, 1], now)
        if rows.rank:
            begun = _standing(told[rows.rank - 1, 1], now)


def _state_matters(run: Run, given: Any, begun: Standing) -> NDArray[np.bool_]:
    """Return of which cells the first row would end otherwise from the other state."""
    xp, (state, events) = namespace(begun[0]), begun
    first = [run(given[:1], (xp.zeros_like(state) + xp.astype(s, state.dtype), events)) for s in _either(xp)]
    (one, flags, ended), (other, others, also) = first
    differs = (one != other)[0] | (flags != others)[0] | (ended[0] != also[0]) | (ended[1] != also[1])
    matters: NDArray[np.bool_] = as_numpy(differs)
    return matters


def _either(xp: Any) -> tuple[Any, Any]:
    return xp.asarray(0), xp.asarray(1)


def _words(standing: Standing, matters: Any = False) -> Words:
    state, events = (as_numpy(part).astype(np.int64) for part in standing)
    return (events << _EVENTS) | (np.asarray(matters, np.int64) * _OPEN) | (state & _STATE)


def _standing(words: Words, model: Standing) -> Standing:
    state, events = (words & _STATE).astype(np.uint8), words >> _EVENTS
    return like(state, model[0]), like(events, model[1])


def _continuous(told: Words) -> bool:
    """Whether each process began where the one before ended: ``told[processes, begun and ended, n]``."""
    begun, ended = told[1:, 0], told[:-1, 1]
    counts = (begun >> _EVENTS) == (ended >> _EVENTS)
    states = ((begun & _OPEN) == 0) | ((begun & _STATE) == (ended & _STATE))
    return bool((counts & states).all())
