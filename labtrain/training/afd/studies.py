"""Gradient cosines over many draws of the chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.training.afd.calibration import calibrate
from labtrain.training.afd.device_neurons import DeviceNeurons
from labtrain.training.afd.estimators import make_estimator
from labtrain.training.afd.gradients import GradientCheck, check_gradients
from labtrain.training.afd.health import assess
from labtrain.training.afd.mapping import fit_mapping


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation and extremes of a figure over chips."""

    mean: float
    deviation: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Summarise at least two values."""
        deviation = float(np.std(values, ddof=1))
        return cls(float(np.mean(values)), deviation, min(values), max(values))


def chip_gradients(
    array: NeuronPairArray, estimator: str, delta_amperes: float, low_amperes: float = 0.0
) -> GradientCheck:
    """Calibrate one chip and compare its healthy neurons' slopes with their central differences.

    Raises
    ------
    UsageError
        When no neuron of the chip is healthy.
    """
    whole = calibrate(array, low_amperes, array.max_amperes)
    health = assess(whole)
    chosen = health.choose(max(len(health.healthy), 1), array.name)
    part, neurons = whole.columns(chosen), array.select([int(index) for index in chosen])
    reader = make_estimator(estimator, delta_amperes, array.resolution_amperes)
    reader.prepare(part)
    return check_gradients(DeviceNeurons(neurons, reader, fit_mapping(part, delta_amperes)))
