"""What training asked of the devices, counted where it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.fused import Tally


@dataclass
class NeuronLedger:
    """Counts of one layer of device neurons.

    Attributes
    ----------
    reads
        Readings of one device.
    responses
        Forward readings of each neuron.
    trained
        Samples whose slopes were found.
    tally
        Flagged readings, clipped biases and the sum of V I of each neuron: times the aperture the latter is
        the energy spent in the devices.
    """

    reads: int
    responses: int
    trained: int
    tally: Tally

    @classmethod
    def of(cls, count: int) -> Self:
        """Begin the ledger of ``count`` neurons."""
        return cls(0, 0, 0, Tally.of(count))

    def count(
        self,
        amperes: NDArray[np.float64],
        volts: NDArray[np.float64],
        flags: NDArray[np.uint8],
        readings: int,
        slopes: bool,
    ) -> None:
        """Count one call that took ``readings`` readings at about these currents and voltages."""
        self.add(readings, len(volts), slopes)
        self.tally.flagged[:] += np.count_nonzero(flags, axis=0)
        self.tally.watts[:] += (amperes * volts).sum(axis=0) * (readings / max(volts.size, 1))

    def add(self, readings: int, responses: int, slopes: bool) -> None:
        """Count one call's readings, how many of each neuron were forward ones, and whether with slopes."""
        self.reads += readings
        self.responses += responses
        self.trained += responses if slopes else 0

    def copy(self) -> NeuronLedger:
        """Return a ledger that counts on by itself."""
        return NeuronLedger.restored(self.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Plain values and arrays."""
        return {
            "reads": self.reads,
            "responses": self.responses,
            "trained": self.trained,
            "flagged": self.tally.flagged.copy(),
            "clipped": self.tally.clipped.copy(),
            "watts": self.tally.watts.copy(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Undo :meth:`state_dict`."""
        tally = Tally(state["flagged"], state["clipped"], state["watts"])
        return cls(state["reads"], state["responses"], state["trained"], tally)
