"""How dV/dI of the forward device is estimated while training.

Each estimator reads the response and, only when gradients are wanted, what it
needs for the slope. References: analog finite-difference gradients of MTJ
pairs, arXiv 2603.03947 (2026). With noise sigma a reading, a difference over dI
has a standard deviation of sqrt(2) sigma / dI and a bias of about f'' dI / 2, so
the best dI is 8^(1/4) sqrt(sigma / |f''|).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.fused import Difference
from labtrain.arrays.neurons import DifferentiableNeuronArray, NeuronArray, NeuronPairArray, Reading
from labtrain.errors import UsageError
from labtrain.training.afd.calibration import Calibration, interpolate, quantised

Volts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Response:
    """What one forward pass read.

    Attributes
    ----------
    volts, flags
        Of the forward devices, ``[B, n]``.
    ohms
        The estimate of dV/dI, ``[B, n]``.
    readings
        Readings of one device that it took, in all.
    """

    volts: Volts
    flags: NDArray[np.uint8]
    ohms: Volts
    readings: int


class SlopeEstimator(ABC):
    """Reads responses and slopes of one array of neurons.

    Attributes
    ----------
    delta_amperes
        The step between the two reads; 0 for estimators without a second read.
    """

    name: str
    delta_amperes: float = 0.0

    def prepare(self, calibration: Calibration) -> None:  # noqa: B027 - most estimators need none
        """Take a fresh calibration read of the array's neurons."""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs beside the constructor's arguments."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027
        """Take :meth:`state_dict`'s result back."""

    def difference(self) -> Difference | None:
        """Describe the second read for arrays that do it themselves; the same object until it changes."""
        return None

    @abstractmethod
    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read the response and the slope at ``amperes[B, n]``."""


@final
class PairEstimator(SlopeEstimator):
    """(V2(I + dI) - V1(I)) / dI, the pair as it is: mismatch adds (V2(I) - V1(I)) / dI."""

    name = "pair"

    def __init__(self, delta_amperes: float) -> None:
        self.delta_amperes = delta_amperes
        self._difference = Difference(delta_amperes)

    def difference(self) -> Difference:
        """The partner, as it is."""
        return self._difference

    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read forward devices at I and partners at I + dI."""
        first, second = _pairs(array, self.name).respond_pair(amperes, amperes + self.delta_amperes)
        return _response(first, (_volts(second) - _volts(first)) / self.delta_amperes)


@final
class CalibratedPairEstimator(SlopeEstimator):
    """(V2(I + dI) - d(I + dI) - V1(I)) / dI, with the measured offset curve d(I) = V2(I) - V1(I)."""

    name = "calibrated-pair"

    def __init__(self, delta_amperes: float) -> None:
        self.delta_amperes = delta_amperes
        self._calibration: Calibration | None = None
        self._difference: Difference | None = None

    def prepare(self, calibration: Calibration) -> None:
        """Take the offset curves."""
        self._calibration = calibration
        self._difference = Difference(
            self.delta_amperes, grid_amperes=calibration.amperes, offset_volts=calibration.offset_volts
        )

    def difference(self) -> Difference | None:
        """The partner, its offset curve taken off; None before there is one."""
        return self._difference

    def state_dict(self) -> dict[str, Any]:
        """Return the calibration read."""
        return {} if self._calibration is None else vars(self._calibration)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the calibration read."""
        if state:
            self.prepare(Calibration(**state))
        else:
            self._calibration = self._difference = None

    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read forward devices at I and partners at I + dI; subtract the partners' offsets."""
        if self._calibration is None:
            raise UsageError(
                "the calibrated pair has no offset curves yet",
                remedy="call prepare() with a calibration read",
            )
        partner = amperes + self.delta_amperes
        first, second = _pairs(array, self.name).respond_pair(amperes, partner)
        offset = interpolate(self._calibration.amperes, self._calibration.offset_volts, partner)
        return _response(first, (_volts(second) - offset - _volts(first)) / self.delta_amperes)


@final
class SameDeviceEstimator(SlopeEstimator):
    """(V1(I + dI) - V1(I)) / dI: the forward device twice, in one batch; no mismatch, but never at once."""

    name = "same-device"

    def __init__(self, delta_amperes: float) -> None:
        self.delta_amperes = delta_amperes
        self._difference = Difference(delta_amperes, same_device=True)

    def difference(self) -> Difference:
        """The forward device again."""
        return self._difference

    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read forward devices at I and I + dI."""
        # I and I + dI follow each other, so that slow drift cancels and splitting a batch changes nothing.
        stimuli = np.repeat(amperes, 2, axis=0)
        stimuli[1::2] += self.delta_amperes
        both = array.respond(stimuli)
        volts = _volts(both)
        first = Reading(volts[::2], np.asarray(both.flags)[::2])
        return _response(first, (volts[1::2] - volts[::2]) / self.delta_amperes)


@final
class ExactEstimator(SlopeEstimator):
    """The simulated devices' own derivative, without noise: simulation only, the yardstick of the others."""

    name = "exact"

    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read forward devices once and ask the simulation for the slope."""
        if not isinstance(array, DifferentiableNeuronArray):
            raise UsageError(
                f"array {array.name!r} is not a directly simulated one, so its exact derivative is unknown",
                remedy="use the estimator calibrated-pair",
                key="estimator",
            )
        reading = array.respond(amperes)
        return _response(reading, np.asarray(array.derivative(amperes), dtype=np.float64), reads=1)


@final
class SurrogateEstimator(SlopeEstimator):
    """The slope of a twin fitted from recordings; the response is still read from the devices.

    Parameters
    ----------
    slope
        ``slope(amperes[B, n]) -> ohms[B, n]``.
    """

    name = "surrogate"

    def __init__(self, slope: Callable[[Volts], Any]) -> None:
        self._slope = slope

    def respond(self, array: NeuronArray, amperes: Volts) -> Response:
        """Read forward devices once and ask the twin for the slope."""
        reading = array.respond(amperes)
        return _response(reading, np.asarray(self._slope(amperes), dtype=np.float64), reads=1)


_BY_NAME: dict[str, Callable[[float], SlopeEstimator]] = {
    "pair": PairEstimator,
    "calibrated-pair": CalibratedPairEstimator,
    "same-device": SameDeviceEstimator,
    "exact": lambda delta_amperes: ExactEstimator(),
}
ESTIMATORS = tuple(_BY_NAME)


def make_estimator(name: str, delta_amperes: float, resolution_amperes: float = 0.0) -> SlopeEstimator:
    """Make an estimator by name; dI is rounded to the source's resolution.

    Raises
    ------
    UsageError
        For an unknown name, or a dI that is not positive or below half the resolution.
    """
    if name not in _BY_NAME:
        raise UsageError(
            f"there is no estimator {name!r}", remedy=f"known: {', '.join(ESTIMATORS)}", key="estimator"
        )
    delta_amperes = float(quantised(np.array(delta_amperes), resolution_amperes))
    if not delta_amperes > 0:
        raise UsageError(
            "delta_current must be positive and at least the source's resolution"
            f" ({resolution_amperes * 1e9:g} nA)",
            remedy="about a tenth of the width of the neuron's step is a good start, for instance 1uA",
            key="delta_current",
        )
    return _BY_NAME[name](delta_amperes)


def _pairs(array: NeuronArray, estimator: str) -> NeuronPairArray:
    if isinstance(array, NeuronPairArray):
        return array
    raise UsageError(
        f"estimator {estimator} needs an array of pairs, which {array.name!r} is not",
        remedy="use the estimator same-device",
        key="estimator",
    )


def _volts(reading: Reading) -> Volts:
    return np.asarray(reading.volts, dtype=np.float64)


def _response(reading: Reading, ohms: Volts, *, reads: int = 2) -> Response:
    volts = _volts(reading)
    return Response(volts, np.asarray(reading.flags, dtype=np.uint8), ohms, reads * volts.size)
