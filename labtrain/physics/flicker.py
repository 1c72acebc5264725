r"""1/f noise with an address: the k-th reading of a cell, whatever was read before.

A sum of independent parts, the j-th of which is held for :math:`2^j` readings (Voss and Clarke, J.
Acoust. Soc. Am. 63, 258 (1978), after McCartney): each octave of frequency carries the same power, as
1/f noise does, between one reading and :data:`OCTAVES` octaves of readings. A part's value depends on
(seed, stream, cell, j, k div :math:`2^j`) alone, so nothing is filtered and nothing has to be remembered.
"Time" is counted in readings: at a steady rate of reading that is time.
"""

from __future__ import annotations

import math
from typing import Any

from labtrain import noise

OCTAVES = 20
"""A million readings; slower parts look like a constant offset of the device."""

OCTAVES_A_DECADE = math.log2(10.0)

_GOLDEN = 0x9E3779B9


def phase(octave: int) -> int:
    """Return the reading at which an octave's part first changes: not all change together."""
    return (_GOLDEN * octave) & ((1 << octave) - 1)


def flicker(seed: int, stream: int, cell: Any, k: Any, octaves: int = OCTAVES) -> Any:
    """Return 1/f noise of unit variance a decade, broadcast over cells and events.

    Parameters
    ----------
    seed, stream, cell, k
        As :func:`labtrain.noise.normal`; ``k`` below 2**55.
    octaves
        How far down in frequency: the total variance is ``octaves`` / 3.32.
    """
    total = 0.0
    for octave in range(octaves):
        event = (octave << 56) + ((k + phase(octave)) >> octave)
        total = total + noise.normal(seed, stream, cell, event)
    return total / math.sqrt(OCTAVES_A_DECADE)
