"""A whole layer in one call: the role of arrays that bias, read and difference by themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Difference:
    """How slopes are found.

    Attributes
    ----------
    delta_amperes
        dI between the two reads.
    same_device
        The second read is of the forward device, right after the first; else of its partner.
    grid_amperes, offset_volts
        The offset curve taken off the second read, ``[G]`` uniform and ``[G, n]``; None: none.
    """

    delta_amperes: float
    same_device: bool = False
    grid_amperes: Floats | None = None
    offset_volts: Floats | None = None


@dataclass(frozen=True)
class Circuit:
    """What surrounds the devices of a layer: bias currents in, activations out, slopes.

    ``I = centre + kappa z`` inside ``low`` to ``high``, ``a = (V - mean) / scale``; each ``[n]`` or a number.
    """

    centre_amperes: Floats
    kappa_amperes: float
    mean_volts: Floats
    scale_volts: Floats
    low_amperes: float
    high_amperes: float
    difference: Difference


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened to each neuron, ``[n]``; passes add to it.

    Attributes
    ----------
    flagged, clipped
        Forward readings that came back with any flag; biases outside the range allowed.
    watts
        Sum of V I over all readings, a second one taken as equal to the first.
    """

    flagged: NDArray[np.int64]
    clipped: NDArray[np.int64]
    watts: Floats

    @classmethod
    def of(cls, count: int) -> Self:
        """Begin at zero."""
        return cls(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count))


class FusedLayer(ABC):
    """One layer, ready to be driven."""

    @abstractmethod
    def read(self, z: Singles, slopes: bool, tally: Tally) -> tuple[Singles, Singles | None] | None:
        """Read the layer at ``z[B, n]`` (contiguous).

        Returns
        -------
        tuple or None
            Activations ``[B, n]``, and with ``slopes`` da/dz ``[B, n]``; None where a pre-activation was not
            finite: nothing was then driven.
        """


class FusableArray(NeuronPairArray):
    """Neuron pairs that can do a layer's whole pass at once, in float32."""

    @abstractmethod
    def fuse(self, circuit: Circuit) -> FusedLayer | None:
        """Prepare a layer of all the array's neurons; None where its readout needs the plain path."""


def in_singles(*rows: Any, count: int) -> Singles:
    """Stack numbers and ``[count]`` arrays into ``[len(rows), count]`` float32."""
    table = np.empty((len(rows), count), np.float32)
    for place, row in enumerate(rows):
        table[place] = row
    return table
