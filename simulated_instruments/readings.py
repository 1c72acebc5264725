"""What a meter reads where its circuit stands: its terminals, and the noise of the devices behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulated_instruments.circuits import Driven
from simulated_instruments.laws import Floats
from simulated_instruments.operating_points import OperatingPoint, OperatingPoints
from simulated_instruments.sources import MeterPort

Bools = NDArray[np.bool_]


def read(
    port: MeterPort, driven: Driven, points: OperatingPoints, seconds: float
) -> tuple[Floats, Floats, Bools]:
    """Return what a meter reads at B points, its devices' noise of these very readings included."""
    index = driven.circuit.meters.index(port)
    if not driven.noisy:
        return points.volts[:, index], points.amperes[:, index], points.limited[:, index]
    emf = np.zeros(points.branch_amperes.shape)
    for column, branch in driven.noisy:
        emf[:, column] = branch.noise(points.branch_amperes[:, column], seconds)
    volts, amperes = points.disturbed(emf)
    return volts[:, index], amperes[:, index], points.limited[:, index]


def read_once(
    port: MeterPort, driven: Driven, point: OperatingPoint, seconds: float
) -> tuple[float, float, bool]:
    """Do what :func:`read` does for one reading."""
    meters = driven.circuit.meters
    index = 0 if meters[0] is port else meters.index(port)
    if not driven.noisy:
        return point.volts[index], point.amperes[index], point.limited[index]
    emf = [0.0] * len(driven.circuit.branches)
    for column, branch in driven.noisy:
        emf[column] = branch.noise_once(point.branch_amperes[column], seconds)
    volts, amperes = point.disturbed(emf)
    return volts[index], amperes[index], point.limited[index]
