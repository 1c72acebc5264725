"""What training learns about an array before it trains: one averaged read of every pair.

The same read, on one grid of currents, gives the health of each neuron
(:mod:`labtrain.training.afd.health`), the offset curve between the devices of each
pair, and the bias mapping (:mod:`labtrain.training.afd.mapping`). It sees no
training or validation sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.errors import UsageError


@dataclass(frozen=True)
class Calibration:
    """Averaged voltages of an array's pairs on a uniform grid of currents.

    Attributes
    ----------
    amperes
        The grid ``[G]``, uniform.
    forward_volts, partner_volts
        Means over the repeats, ``[G, n]``.
    flags
        Every flag seen at a grid point, of either device, ``[G, n]`` uint8.
    repeats
        Readings averaged at each point.
    """

    amperes: NDArray[np.float64]
    forward_volts: NDArray[np.float64]
    partner_volts: NDArray[np.float64]
    flags: NDArray[np.uint8]
    repeats: int

    @property
    def offset_volts(self) -> NDArray[np.float64]:
        """Partner minus forward device at equal current, ``[G, n]``."""
        return self.partner_volts - self.forward_volts

    @property
    def readings(self) -> int:
        """How many readings the calibration took."""
        return 2 * self.repeats * self.forward_volts.size

    def columns(self, indices: NDArray[np.intp]) -> Calibration:
        """Return the calibration of some of the neurons."""
        return Calibration(
            self.amperes,
            self.forward_volts[:, indices],
            self.partner_volts[:, indices],
            self.flags[:, indices],
            self.repeats,
        )


def calibrate(
    array: NeuronPairArray, low_amperes: float, high_amperes: float, *, points: int = 64, repeats: int = 4
) -> Calibration:
    """Read every pair of ``array`` on a grid, forward and partner devices at equal currents.

    Parameters
    ----------
    low_amperes, high_amperes
        The ends of the grid; both within the array's ``max_amperes``.
    points, repeats
        Grid points, and readings averaged at each. All readings of a device are one batch.

    Raises
    ------
    UsageError
        For a range that the devices may not see, before anything is driven.
    """
    check_range(array.name, array.max_amperes, low_amperes, high_amperes)
    grid = quantised(np.linspace(low_amperes, high_amperes, points), array.resolution_amperes)
    stimuli = np.tile(grid, repeats)[:, None] * np.ones(len(array))
    forward, partner = array.respond_pair(stimuli, stimuli)
    shape = (repeats, points, len(array))
    flags = np.asarray(forward.flags) | np.asarray(partner.flags)
    return Calibration(
        grid,
        np.asarray(forward.volts, dtype=np.float64).reshape(shape).mean(axis=0),
        np.asarray(partner.volts, dtype=np.float64).reshape(shape).mean(axis=0),
        np.bitwise_or.reduce(flags.astype(np.uint8).reshape(shape), axis=0),
        repeats,
    )


def check_range(name: str, max_amperes: float, low_amperes: float, high_amperes: float) -> None:
    """Accept a range of currents only if the devices of array ``name`` may see all of it.

    Raises
    ------
    UsageError
        Naming the range and what is allowed.
    """
    worst = max(abs(low_amperes), abs(high_amperes))
    if not (low_amperes < high_amperes and worst <= max_amperes * (1 + 1e-9)):
        raise UsageError(
            f"a bias range from {low_amperes * 1e6:g} uA to {high_amperes * 1e6:g} uA cannot be used"
            f" with array {name!r}",
            remedy=f"stay within {max_amperes * 1e6:g} uA, the lower end first",
            key="lowest_current, highest_current",
        )


def quantised(amperes: NDArray[np.float64], resolution: float) -> NDArray[np.float64]:
    """Round currents to the source's step (0: none)."""
    return np.round(amperes / resolution) * resolution if resolution > 0 else amperes


def interpolate(
    grid: NDArray[np.float64], curves: NDArray[np.float64], amperes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate ``curves[G, n]`` linearly at ``amperes[B, n]``; constant beyond the uniform ``grid[G]``."""
    place = (amperes - grid[0]) * ((len(grid) - 1) / (grid[-1] - grid[0]))
    place = np.clip(place, 0.0, len(grid) - 1)
    left = np.minimum(place.astype(np.intp), len(grid) - 2)
    column = np.arange(curves.shape[1])
    below = curves[left, column]
    return np.asarray(below + (curves[left + 1, column] - below) * (place - left))
