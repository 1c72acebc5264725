"""Which neurons can compute: dead and stuck ones found from the calibration read.

A *dead* neuron does not carry the current: most of its readings are flagged, or
its voltage does not follow the current at all. A *stuck* one conducts but has
no switching step: its dV/dI is a straight line within the noise, whichever
state it is stuck in (a stuck antiparallel junction's slope falls with bias
because TMR does, but falls smoothly).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import Flag
from labtrain.errors import UsageError
from labtrain.training.afd.calibration import Calibration

_UNUSABLE = int(Flag.COMPLIANCE | Flag.OVERRANGE | Flag.DEAD)
STEP_CONTRAST = 0.5
"""The least extremum of dV/dI over its own straight-line trend, relative to the median |dV/dI|.

The nano-neuron with TMR 120 % has about 2; a constant resistance 0; a junction stuck in AP below 0.2.
"""


@dataclass(frozen=True)
class Health:
    """Indices of neurons by condition; every neuron is in exactly one tuple."""

    healthy: tuple[int, ...]
    dead: tuple[int, ...]
    stuck: tuple[int, ...]

    def choose(self, count: int, array_name: str) -> NDArray[np.intp]:
        """Return the first ``count`` healthy neurons.

        Raises
        ------
        UsageError
            When there are fewer.
        """
        if count > len(self.healthy):
            raise UsageError(
                f"the network needs {count} device neurons, but array {array_name!r} has"
                f" {len(self.healthy)} healthy ones (dead: {list(self.dead)}, stuck: {list(self.stuck)})",
                remedy=f"give hidden= at most {len(self.healthy)} neurons in all, or use a larger array",
                key="hidden",
            )
        return np.array(self.healthy[:count], dtype=np.intp)


def assess(calibration: Calibration) -> Health:
    """Sort neurons into healthy, dead and stuck; either device of a pair counts."""
    dead = is_dead(calibration)
    stuck_flag = ((calibration.flags & int(Flag.STUCK)) != 0).any(axis=0)
    no_step = (contrast(calibration, calibration.forward_volts) < STEP_CONTRAST) | (
        contrast(calibration, calibration.partner_volts) < STEP_CONTRAST
    )
    stuck = ~dead & (stuck_flag | no_step)
    return Health(*(tuple(int(i) for i in np.flatnonzero(which)) for which in (~dead & ~stuck, dead, stuck)))


def is_dead(calibration: Calibration) -> NDArray[np.bool_]:
    """Tell for each neuron whether it is open, shorted or unreadable, ``[n]``."""
    unusable = ((calibration.flags & _UNUSABLE) != 0).mean(axis=0) > 0.5
    rise = np.ptp(calibration.forward_volts, axis=0)
    partner_rise = np.ptp(calibration.partner_volts, axis=0)
    floor = 0.01 * np.median(rise)
    finite = np.isfinite(calibration.forward_volts) & np.isfinite(calibration.partner_volts)
    return np.asarray(unusable | ~finite.all(axis=0) | (rise <= floor) | (partner_rise <= floor))


def contrast(calibration: Calibration, volts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the step contrast (see :data:`STEP_CONTRAST`) of curves ``[G, n]``, ``[n]``."""
    slopes, middles = smooth_slopes(calibration.amperes, np.nan_to_num(volts))
    excess = slopes - straight_line(middles, slopes)
    scale = np.median(np.abs(slopes), axis=0)
    peak = np.abs(excess).max(axis=0)
    return np.asarray(np.divide(peak, scale, out=np.zeros_like(peak), where=scale > 0))


def smooth_slopes(
    amperes: NDArray[np.float64], volts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return dV/dI over four grid steps, in ohm, and the currents in their middle."""
    return (volts[4:] - volts[:-4]) / (amperes[4:] - amperes[:-4])[:, None], amperes[2:-2]


def straight_line(amperes: NDArray[np.float64], curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares straight line of each column, at ``amperes``."""
    # Sums rather than matrix products: their last bits do not depend on BLAS and its threads.
    centred = (amperes - amperes.mean())[:, None]
    gradient = (centred * curves).sum(axis=0) / (centred * centred).sum()
    return np.asarray(curves.mean(axis=0) + centred * gradient)
