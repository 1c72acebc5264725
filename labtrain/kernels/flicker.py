"""Read noise of memristor cells, white and 1/f, compiled.

Equal to ``read_noise * noise.normal + read_flicker * flicker`` of :mod:`labtrain.noise` and
:mod:`labtrain.physics.flicker` within 1e-12: a part of the 1/f noise is drawn again only when it changes, so
that a long run of readings costs two draws each and not twenty.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, event_word, keys_of, quantile, uniform_of
from labtrain.physics.flicker import OCTAVES, OCTAVES_A_DECADE, phase

Floats = NDArray[np.float64]

_PHASES = np.array([phase(octave) for octave in range(OCTAVES)], dtype=np.int64)
_SHARE = 1.0 / math.sqrt(OCTAVES_A_DECADE)


def read_deviations(
    white: Floats,
    pink: Floats,
    seed: int,
    streams: tuple[int, int],
    cells: NDArray[np.int64],
    first: NDArray[np.int64],
    times: int,
) -> Floats:
    """Return ln(reading / conductance) of ``times`` readings of each cell, ``[times, n]``.

    Parameters
    ----------
    white, pink
        ``[n]``: relative white noise of a reading, relative 1/f noise a decade.
    streams
        Of the white and of the 1/f noise.
    cells, first
        ``[n]``: cell numbers and their next readings.
    """
    out = np.empty((times, len(cells)))
    keys = keys_of(seed, streams[0]), keys_of(seed, streams[1])
    _fill(white, pink, *keys, cells, first, _PHASES, out)
    return out


@compiled
def _fill(
    white: Any, pink: Any, keys: Any, slow_keys: Any, cells: Any, first: Any, phases: Any, out: Any
) -> None:  # pragma: no cover - compiled
    held = np.empty(len(phases))
    for j in range(len(cells)):
        start, key = cell_words(keys[0], keys[1], cells[j])
        slow_start, slow_key = cell_words(slow_keys[0], slow_keys[1], cells[j])
        share = pink[j] * _SHARE
        for b in range(out.shape[0]):
            k = first[j] + b
            value = 0.0
            if white[j] > 0:
                value = white[j] * quantile(uniform_of(event_word(start, key, k), keys[2]))
            if share > 0:
                total = 0.0
                for octave in range(len(phases)):
                    place = k + phases[octave]
                    if b == 0 or (place & ((np.int64(1) << octave) - 1)) == 0:
                        event = (np.int64(octave) << 56) + (place >> octave)
                        word = event_word(slow_start, slow_key, event)
                        held[octave] = quantile(uniform_of(word, slow_keys[2]))
                    total += held[octave]
                value += share * total
            out[b, j] = value
