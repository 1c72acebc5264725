"""The two conductances of a junction that flips by itself, and whether it can be read as bits at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import CheckFailed
from labtrain.roles.source_meter import SourceMeter

LINE_SECONDS = 0.02
"""One power line cycle at 50 Hz, the longer of the two mains."""

LEAST_BIAS = 0.02
"""Share of the largest bias below which a conductance cannot be read: the current is too small."""

_POINTS, _READINGS = 61, 80
_BETWEEN = (0.25, 0.75)
_MOST_BETWEEN = 0.1
_LEAST_CONTRAST = 1.15


@dataclass(frozen=True, slots=True)
class Levels:
    """Conductances in S, parallel (high) and antiparallel (low), at the ends of the bias range."""

    parallel: float
    antiparallel: float

    def antiparallel_bits(self, siemens: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Tell the states apart at the geometric mean, inside both for any bias-dependent TMR."""
        threshold = float(np.sqrt(self.parallel * self.antiparallel))
        return (siemens < threshold).astype(np.uint8)

    def between(self, siemens: NDArray[np.float64]) -> float:
        """Return the share of readings that are neither state but an average of both."""
        place = (siemens - self.antiparallel) / (self.parallel - self.antiparallel)
        return float(np.mean((place > _BETWEEN[0]) & (place < _BETWEEN[1])))


def learn(meter: SourceMeter, max_volts: float, device: str) -> Levels:
    """Sweep the bias once for the two levels, then read where both states are as likely.

    The meter is configured and connected. A device that stays ten apertures and more in a state gives
    an average in less than a tenth of the readings there.

    Raises
    ------
    CheckFailed
        When no two states are seen, or readings are averages of both.
    """
    volts = np.linspace(-max_volts, max_volts, _POINTS + 1)  # an even number: none is zero
    swept = meter.sweep(volts, abort_on_compliance=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        siemens = swept.amperes / swept.volts
    ends = _POINTS // 6
    levels = Levels(float(np.median(siemens[:ends])), float(np.median(siemens[-ends:])))
    if not levels.parallel > _LEAST_CONTRAST * levels.antiparallel > 0:
        raise CheckFailed(
            f"{device} does not show two states between {-max_volts:g} and {max_volts:g} V (conductances"
            f" {levels.parallel:.3g} and {levels.antiparallel:.3g} S)",
            remedy="widen the bias range within the device's limits, or check its contacts",
        )
    centre = _centre(volts, siemens, levels, max_volts)
    read = meter.sweep(np.full(_READINGS, centre), abort_on_compliance=False)
    share = levels.between(read.amperes / read.volts)
    if share > _MOST_BETWEEN:
        raise CheckFailed(
            f"{share:.0%} of {device}'s readings at {centre:.3g} V lie between its two states: the aperture"
            " is too long for its dwell time, and such readings are averages, not bits",
            remedy="shorten the aperture (reading.nplc), or use a digitiser or a slower device",
            key=device,
        )
    return levels


def _centre(
    volts: NDArray[np.float64], siemens: NDArray[np.float64], levels: Levels, max_volts: float
) -> float:
    """The bias where P gives way to AP, if all above it were AP."""
    bits = levels.antiparallel_bits(siemens)
    centre = float(max_volts - bits.mean() * 2 * max_volts)
    least = LEAST_BIAS * max_volts
    return centre if abs(centre) >= least else least
