"""What training asked of the devices, counted where it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class NeuronLedger:
    """Counts of one layer of device neurons.

    Attributes
    ----------
    reads
        Readings of one device.
    flagged
        Forward readings that came back with any flag (clipped, in compliance, ...).
    watts_summed
        Sum of V I over all readings, those of partners taken as equal to the forward device's:
        times the aperture it is the energy spent in the devices.
    """

    reads: int = 0
    flagged: int = 0
    watts_summed: float = 0.0

    def count(
        self,
        amperes: NDArray[np.float64],
        volts: NDArray[np.float64],
        flags: NDArray[np.uint8],
        readings: int,
    ) -> None:
        """Count one call that took ``readings`` readings at about these currents and voltages."""
        self.reads += readings
        self.flagged += int(np.count_nonzero(flags))
        self.watts_summed += float((amperes * volts).sum()) * (readings / max(volts.size, 1))
