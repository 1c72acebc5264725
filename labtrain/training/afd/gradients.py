"""Device slopes as training gets them, against a central difference of the forward device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronArray
from labtrain.training.afd.calibration import quantised
from labtrain.training.afd.device_neurons import DeviceNeurons


@dataclass(frozen=True)
class GradientCheck:
    """Slopes at the same currents, ``[P, n]`` each, in ohm.

    Attributes
    ----------
    device_ohms
        One shot of the estimator, as in training.
    reference_ohms
        (V1(I + h) - V1(I - h)) / 2h, averaged.
    """

    amperes: NDArray[np.float64]
    device_ohms: NDArray[np.float64]
    reference_ohms: NDArray[np.float64]

    @property
    def cosine(self) -> float:
        """The cosine between the two, over all neurons and currents."""
        return cosine(self.device_ohms, self.reference_ohms)

    @property
    def relative_rmse(self) -> float:
        """The root mean square of their difference over that of the reference."""
        difference = self.device_ohms - self.reference_ohms
        return float(np.sqrt((difference**2).sum() / (self.reference_ohms**2).sum()))


def check_gradients(
    layer: DeviceNeurons,
    *,
    reach: float = 3.0,
    points: int = 13,
    repeats: int = 8,
    step_amperes: float | None = None,
) -> GradientCheck:
    """Read slopes of a layer at pre-activations from ``-reach`` to ``reach``.

    Parameters
    ----------
    repeats
        Readings averaged at each side of the central difference.
    step_amperes
        Half the span of the central difference; None takes the estimator's dI, or an eighth of kappa.
    """
    z = np.linspace(-reach, reach, points)[:, None] * np.ones(len(layer.array))
    step = step_amperes or layer.estimator.delta_amperes or layer.mapping.kappa_amperes / 8
    step = float(quantised(np.array(step), layer.array.resolution_amperes))
    amperes = quantised(layer.mapping.amperes(z)[0], layer.array.resolution_amperes)
    amperes = np.clip(amperes, layer.mapping.low_amperes + step, layer.mapping.high_amperes - step)
    _, device = layer.read_with_slope(amperes)
    return GradientCheck(amperes, device, central_difference(layer.array, amperes, step, repeats))


def central_difference(
    array: NeuronArray, amperes: NDArray[np.float64], step: float, repeats: int
) -> NDArray[np.float64]:
    """Average ``repeats`` central differences of the forward devices, in one batch, ``[P, n]``."""
    stimuli = np.concatenate([np.tile(amperes + sign * step, (repeats, 1)) for sign in (1, -1)])
    volts = np.asarray(array.respond(stimuli).volts, dtype=np.float64)
    above, below = volts.reshape(2, repeats, *amperes.shape).mean(axis=1)
    slopes: NDArray[np.float64] = (above - below) / (2 * step)
    return slopes


def cosine(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the cosine between two arrays taken as vectors."""
    return float((first * second).sum() / np.sqrt((first * first).sum() * (second * second).sum()))


def pooled_cosine(checks: Sequence[GradientCheck]) -> float:
    """Return the cosine over all slopes of several layers."""
    return cosine(*_pooled(checks))


def pooled_rmse(checks: Sequence[GradientCheck]) -> float:
    """Return the root mean square error over that of the reference, over all slopes of several layers."""
    device, reference = _pooled(checks)
    return float(np.sqrt(((device - reference) ** 2).sum() / (reference**2).sum()))


def _pooled(checks: Sequence[GradientCheck]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.concatenate([check.device_ohms.ravel() for check in checks]),
        np.concatenate([check.reference_ohms.ravel() for check in checks]),
    )
