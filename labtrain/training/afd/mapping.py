"""From pre-activations to currents and from voltages to activations.

For neuron j: ``I = centre_j + kappa z`` and ``a = (V - mean_j) / scale_j``.
The centre is where dV/dI departs most from its straight-line trend (the middle
of the switching step); kappa is set, or half the logistic width found there, so
that the step is about tanh(z); mean and scale put a(z = -2) and a(z = +2) of
the calibrated curve at -1 and +1. The linear term of a real V(I) stays in the
activation: it is not a tanh (and that is what backpropagation sees).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labtrain.training.afd.calibration import Calibration, interpolate
from labtrain.training.afd.health import smooth_slopes, straight_line

ANCHOR = 2.0
"""The pre-activation whose voltages become -1 and +1."""
_FWHM_IN_KAPPA = 1.7627471740390859
"""Full width at half maximum of sech^2(z): 2 arccosh(sqrt 2)."""


@dataclass(frozen=True)
class BiasMapping:
    """The affine maps of ``n`` neurons, and the currents allowed.

    Attributes
    ----------
    centre_amperes, mean_volts, scale_volts
        ``[n]``; the scale may be negative (reversed polarity) but never zero.
    kappa_amperes
        Amperes a unit of pre-activation, one for all neurons of a layer.
    low_amperes, high_amperes
        Currents beyond are clipped (their slope is then 0, as that of the clipped function is).
    """

    centre_amperes: NDArray[np.float64]
    kappa_amperes: float
    mean_volts: NDArray[np.float64]
    scale_volts: NDArray[np.float64]
    low_amperes: float
    high_amperes: float

    def amperes(self, z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return currents ``[B, n]`` and where they were clipped."""
        wanted = self.centre_amperes + self.kappa_amperes * z
        allowed = np.clip(wanted, self.low_amperes, self.high_amperes)
        return allowed, allowed != wanted

    def activation(self, volts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return activations ``[B, n]`` of readings."""
        return (volts - self.mean_volts) / self.scale_volts

    def silenced(self, which: NDArray[np.bool_]) -> BiasMapping:
        """Return the mapping with some neurons silent: activation 0 and slope 0, whatever they read."""
        return replace(self, scale_volts=np.where(which, np.inf, self.scale_volts))

    def merged(self, other: BiasMapping, which: NDArray[np.bool_]) -> BiasMapping:
        """Return the mapping with some neurons as in ``other``."""
        names = ("centre_amperes", "mean_volts", "scale_volts")
        taken = {name: np.where(which, getattr(other, name), getattr(self, name)) for name in names}
        return replace(self, **taken)

    def distance(self, calibration: Calibration) -> NDArray[np.float64]:
        """Return how far activations at -2 and +2 are from those it was fitted to, rms, ``[n]``."""
        z = np.array([-ANCHOR, ANCHOR])[:, None] * np.ones(len(self.centre_amperes))
        volts = interpolate(calibration.amperes, calibration.forward_volts, self.amperes(z)[0])
        missed: NDArray[np.float64] = self.activation(volts) - np.array([[-1.0], [1.0]])
        return np.asarray(np.sqrt((missed**2).mean(axis=0)))

    def gain(self, ohms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn device slopes dV/dI into da/dz."""
        return ohms * (self.kappa_amperes / self.scale_volts)


def fit_mapping(
    calibration: Calibration, headroom_amperes: float, kappa_amperes: float | None = None
) -> BiasMapping:
    """Fit the mapping to a calibration read of healthy neurons.

    Parameters
    ----------
    headroom_amperes
        Kept free at the upper end for the second read of the pair.
    kappa_amperes
        None takes the median of the widths found.

    Notes
    -----
    A neuron without a step (dead in use) gets a mapping that nobody may rely on, but no error.
    """
    grid = calibration.amperes
    slopes, middles = smooth_slopes(grid, calibration.forward_volts)
    excess = np.abs(slopes - straight_line(middles, slopes))
    column = np.arange(excess.shape[1])
    # Only the inner part: the trend's own error is largest at the ends.
    inner = slice(len(middles) // 8, len(middles) - len(middles) // 8)
    peak = inner.start + np.argmax(excess[inner], axis=0)
    step = (middles[-1] - middles[0]) / (len(middles) - 1)
    centre = middles[peak] + step * _vertex(excess, peak, column)
    if kappa_amperes is None:
        kappa_amperes = float(np.median(_half_width(excess, peak, column) * step)) / _FWHM_IN_KAPPA
    low, high = float(grid[0]), float(grid[-1]) - headroom_amperes
    above, below = (
        interpolate(
            grid, calibration.forward_volts, np.clip(centre + sign * ANCHOR * kappa_amperes, low, high)[None]
        )
        for sign in (1, -1)
    )
    scale = (above - below)[0] / 2
    scale = np.where(scale == 0.0, np.inf, scale)
    return BiasMapping(centre, kappa_amperes, (above + below)[0] / 2, scale, low, high)


def _vertex(
    curves: NDArray[np.float64], peak: NDArray[np.intp], column: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Where a parabola through the peak and its neighbours has its vertex, in grid steps from the peak."""
    left, top, right = (curves[peak + shift, column] for shift in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(top), where=bend < 0)
    return np.clip(shift, -1, 1)


def _half_width(
    curves: NDArray[np.float64], peak: NDArray[np.intp], column: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Full width at half maximum around the peak, in grid steps, crossings interpolated."""
    return np.array(
        [
            _crossing(curves[:, j], p, 1) + _crossing(curves[:, j], p, -1)
            for j, p in zip(column, peak, strict=True)
        ]
    )


def _crossing(curve: NDArray[np.float64], peak: int, direction: int) -> float:
    half, place = curve[peak] / 2, peak
    while 0 < place < len(curve) - 1 and curve[place + direction] > half:
        place += direction
    following = place + direction
    if not 0 <= following < len(curve):
        return float(abs(place - peak))
    if curve[place] == curve[following]:
        return float(abs(place - peak))
    part = (curve[place] - half) / (curve[place] - curve[following])
    return float(abs(place - peak) + part)
