"""Whether every pair still answers as it did at its last calibration: three currents, read now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.training.afd.calibration import quantised
from labtrain.training.afd.mapping import BiasMapping

Floats = NDArray[np.float64]

REPEATS = 16
SIGNIFICANT = 6.0
"""Standard errors below which a change is noise: some 1e-9 a comparison, 1e-5 a check of a thousand pairs."""


class PairCheck:
    """Reads the pairs at a few currents each: at low bias, on the switching step and behind it.

    A stuck junction shows before or behind its step, one whose step has moved on it, an open one anywhere.

    Parameters
    ----------
    amperes
        ``[points, n]``, see :func:`check_currents`.
    limit
        The relative change of a mean voltage above which a pair has moved.

    Attributes
    ----------
    readings
        Readings of one device that it took.
    """

    def __init__(self, array: NeuronPairArray, amperes: Floats, limit: float) -> None:
        self._limit, self.readings = limit, 0
        self.accept(array, amperes)

    def moved(self) -> NDArray[np.bool_]:
        """Read again; tell which pairs changed since :meth:`accept` (or the beginning), ``[n]``."""
        means, errors = self._read()
        change = np.abs(means - self._means)
        relative = change > self._limit * np.abs(self._means)
        significant = change > SIGNIFICANT * np.hypot(errors, self._errors)
        return np.asarray((relative & significant).any(axis=(0, 1)))

    def accept(self, array: NeuronPairArray, amperes: Floats) -> None:
        """Take how the pairs of ``array`` answer now as the state that later checks compare with."""
        self._array = array
        self._stimuli = np.repeat(quantised(amperes, array.resolution_amperes), REPEATS, axis=0)
        self._means, self._errors = self._read()

    def state_dict(self) -> dict[str, Any]:
        """What later checks compare with, and the readings so far."""
        return {
            "readings": self.readings,
            "stimuli": self._stimuli,
            "means": self._means,
            "errors": self._errors,
        }

    def load_state_dict(self, array: NeuronPairArray, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back, of the pairs of ``array``; nothing is read."""
        self._array, self.readings = array, int(state["readings"])
        self._stimuli, self._means, self._errors = state["stimuli"], state["means"], state["errors"]

    def _read(self) -> tuple[Floats, Floats]:
        """Means and their standard errors, ``[points, 2 devices, n]`` V."""
        pair = self._array.respond_pair(self._stimuli, self._stimuli)
        self.readings += 2 * self._stimuli.size
        volts = np.stack([np.asarray(reading.volts, dtype=np.float64) for reading in pair])
        volts = volts.reshape(2, -1, REPEATS, volts.shape[-1]).swapaxes(0, 1)
        return volts.mean(axis=2), volts.std(axis=2, ddof=1) / np.sqrt(REPEATS)


def check_currents(mappings: Sequence[BiasMapping]) -> Floats:
    """Return three currents of every neuron: 15 % into the range, its centre, 90 %, ``[3, n]``."""
    columns = []
    for mapping in mappings:
        low, span = mapping.low_amperes, mapping.high_amperes - mapping.low_amperes
        centre = np.clip(mapping.centre_amperes, low, low + span)
        columns.append(np.stack((0 * centre + low + 0.15 * span, centre, 0 * centre + low + 0.9 * span)))
    return np.concatenate(columns, axis=1)
