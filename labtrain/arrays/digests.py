"""What a record keeps of a directly simulated array's calls by default: addresses and digests.

Its answers follow from addressed noise (seed, cell, count), so a replay computes them again. A call is then
told from any other by how far the counters are, and by one digest each of what was asked and answered: where
the questions differ first, the training did; where only the answers do, the devices did.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64

from labtrain.arrays.plain import as_numpy
from labtrain.populations import Population
from labtrain.session.sink import Sink

DIGESTS = "digests"
"""Of the exchange ``describe``: there where only digests follow."""


class Addressed(Protocol):
    """A directly simulated array, as a record of digests needs it."""

    name: str
    population: Population

    @property
    def events(self) -> int:
        """Events of all its cells so far."""


@final
class DigestRecorder:
    """One simulated array's place in a sink; takes the place of :class:`ExchangeRecorder`.

    Parameters
    ----------
    properties
        Noted at once as the exchange ``describe``, with the population's seed.
    """

    def __init__(self, sink: Sink, array: Addressed, properties: Mapping[str, float]) -> None:
        self._sink, self._array = sink, array
        known = {**properties, "seed": array.population.seed, DIGESTS: 1}
        sink.exchange(array.name, "describe", {}, {key: np.array([value]) for key, value in known.items()})

    def note(self, verb: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        """Note a call that has just been answered: the events up to its end, and the digests."""
        asked = {"events": np.array([self._array.events]), "digest": _digest(inputs)}
        self._sink.exchange(self._array.name, verb, asked, {"digest": _digest(outputs)})


def _digest(arrays: Mapping[str, Any]) -> NDArray[np.uint64]:
    """Return xxh3 (64 bits) over names, dtypes, shapes and bytes, in order."""
    digest = xxh3_64()
    for name, value in arrays.items():
        array = np.ascontiguousarray(as_numpy(value))
        digest.update(_head(name, array.dtype, array.shape))
        digest.update(array.data)
    return np.array([digest.intdigest()], np.uint64)


@lru_cache(maxsize=1024)
def _head(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    return f"{name}{dtype.str}{shape}".encode()
