"""How far a source meter's source and readings are from the truth; the data sheet of the Keithley 2450.

Reading: ``y = (1 + e_g) x + offset + noise sqrt(1/NPLC) + mains (NPLC < 1)``, then quantised. Source: gain,
offset, quantisation. Gain and offset errors are drawn once per (seed, alias, function,
range), uniformly within the one-year accuracy.

Other models' numbers are in :mod:`simulated_instruments.smu_specifications`.
Source of the numbers here: Keithley 2450 data sheet (1KW-60904), "Voltage/Current
specifications": accuracy one year, 23 C +- 5 C; programming and measurement resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from simulated_instruments.draws import Draws

Floats = NDArray[np.float64]
Quantity = Literal["VOLT", "CURR"]

OVERFLOW: Final = 9.9e37
OVERRANGE: Final = 1.05
"""Ranges reach 5 % beyond their name."""

_NOISE_OF_RANGE: Final = 1e-6
_MAINS_VOLTS: Final = 30e-6


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One range: relative gain error and offset (V or A) of source and measurement."""

    source_gain: float
    source_offset: float
    gain: float
    offset: float


RANGES: Final[Mapping[Quantity, Mapping[float, Accuracy]]] = {
    "VOLT": {
        0.02: Accuracy(1e-3, 200e-6, 1e-3, 150e-6),
        0.2: Accuracy(1.5e-4, 200e-6, 1.2e-4, 200e-6),
        2.0: Accuracy(2e-4, 300e-6, 1.2e-4, 300e-6),
        20.0: Accuracy(1.5e-4, 2.4e-3, 1.5e-4, 1e-3),
        200.0: Accuracy(1.5e-4, 24e-3, 1.5e-4, 10e-3),
    },
    "CURR": {
        10e-9: Accuracy(1e-3, 100e-12, 1e-3, 50e-12),
        100e-9: Accuracy(6e-4, 150e-12, 6e-4, 100e-12),
        1e-6: Accuracy(2.5e-4, 400e-12, 2.5e-4, 300e-12),
        10e-6: Accuracy(2.5e-4, 1.5e-9, 2.5e-4, 700e-12),
        100e-6: Accuracy(2e-4, 15e-9, 2e-4, 6e-9),
        1e-3: Accuracy(2e-4, 150e-9, 2e-4, 60e-9),
        10e-3: Accuracy(2e-4, 1.5e-6, 2e-4, 600e-9),
        100e-3: Accuracy(2.5e-4, 15e-6, 2.5e-4, 6e-6),
        1.0: Accuracy(6.7e-4, 900e-6, 3e-4, 500e-6),
    },
}

FULL_SCALES: Final[Mapping[Quantity, Floats]] = {q: np.array(list(t)) for q, t in RANGES.items()}


class Specification:
    """The data sheet of one model.

    Parameters
    ----------
    ranges
        Accuracy by full scale, for voltage and current.
    steps
        Programming resolution by full scale (V or A).
    overrange
        How far source ranges reach beyond their name, as a factor.
    reading_overrange
        The same for readings, before they overflow.
    overflow
        What stands for a reading that overflows.
    """

    def __init__(
        self,
        ranges: Mapping[Quantity, Mapping[float, Accuracy]],
        steps: Mapping[Quantity, Mapping[float, float]],
        overrange: float,
        reading_overrange: float,
        overflow: float = OVERFLOW,
    ) -> None:
        self.ranges = ranges
        self.steps = steps
        self.overrange = overrange
        self.reading_overrange = reading_overrange
        self.overflow = overflow
        self.full_scales = {quantity: np.array(list(table)) for quantity, table in ranges.items()}

    def range_for(self, quantity: Quantity, value: float) -> float:
        """Return the smallest range that takes ``value``; the largest where none does."""
        scales = self.full_scales[quantity]
        place = int(np.searchsorted(scales * self.overrange * (1 + 1e-12), abs(value)))
        return float(scales[min(place, len(scales) - 1)])


def range_for(quantity: Quantity, value: float) -> float:
    """Return the smallest range that takes ``value``; the largest where none does."""
    scales = FULL_SCALES[quantity]
    place = int(np.searchsorted(scales * OVERRANGE, abs(value)))
    return float(scales[min(place, len(scales) - 1)])


def source_step(quantity: Quantity, full_scale: float) -> float:
    """Return the programming resolution of a range: 5 nA on the 100 uA range, 50 uV on the 2 V range."""
    return full_scale / (4e4 if quantity == "VOLT" else 2e4)


KEITHLEY_2450: Final = Specification(
    RANGES, {q: {r: source_step(q, r) for r in table} for q, table in RANGES.items()}, OVERRANGE, 1.0521
)


class ReadingModel:
    """The errors of one instrument.

    Parameters
    ----------
    seed, alias
        Draw its errors.
    ideal
        Whether it has none at all: resolution, noise, gain and offset.
    specification
        Its model's data sheet.
    """

    def __init__(
        self, seed: int, alias: str, ideal: bool, specification: Specification = KEITHLEY_2450
    ) -> None:
        self._data_sheet = specification
        self._seed = seed
        self._alias = alias
        self._ideal = ideal
        self._errors: dict[tuple[str, str, float], tuple[float, float]] = {}
        self._noise = {q: self._draws("normal", "noise", q) for q in RANGES}
        self._mains = {q: self._draws("uniform", "mains", q) for q in RANGES}
        self.readings = 0

    def _draws(self, draw: Literal["normal", "uniform"], kind: str, quantity: Quantity) -> Draws:
        return Draws(draw, self._seed, noise.stream(f"{self._alias}/{kind}/{quantity}"), 0)

    def _error(self, kind: str, quantity: Quantity, full_scale: float) -> tuple[float, float]:
        key = (kind, quantity, full_scale)
        known = self._errors.get(key)
        if known is None:
            table = self._data_sheet.ranges[quantity][full_scale]
            source = kind == "source"
            gain, offset = (table.source_gain, table.source_offset) if source else (table.gain, table.offset)
            stream = noise.stream(f"{self._alias}/{kind}-error/{quantity}")
            cell = list(self._data_sheet.ranges[quantity]).index(full_scale)
            draws = 2.0 * noise.uniform(self._seed, stream, cell, np.arange(2)) - 1.0
            known = self._errors[key] = (float(draws[0]) * gain, float(draws[1]) * offset)
        return known

    def sourced(self, quantity: Quantity, full_scale: float, levels: Floats) -> Floats:
        """Return what really comes out at programmed ``levels`` on a source range."""
        if self._ideal:
            return levels
        step = self._data_sheet.steps[quantity][full_scale]
        gain, offset = self._error("source", quantity, full_scale)
        return np.rint(levels / step) * step * (1.0 + gain) + offset

    def read(self, quantity: Quantity, full_scale: float | None, nplc: float, truth: Floats) -> Floats:
        """Return readings of ``truth [B]``; ``full_scale`` None chooses a range for each.

        Beyond the end of a fixed range a reading is the overflow marker.
        """
        first, self.readings = self.readings, self.readings + len(truth)
        if self._ideal:
            return truth.copy()
        scales: Floats | float = full_scale if full_scale is not None else self._chosen(quantity, truth)
        readings = self._shown(quantity, scales, self._disturbed(quantity, scales, nplc, truth, first))
        sheet = self._data_sheet
        beyond = ~(np.abs(truth) <= scales * sheet.reading_overrange)
        return np.where(beyond, sheet.overflow, readings) if beyond.any() else readings

    def _chosen(self, quantity: Quantity, truth: Floats) -> Floats:
        """Return the range that automatic ranging takes for each."""
        table = self._data_sheet.full_scales[quantity]
        places = np.searchsorted(table * self._data_sheet.overrange, np.abs(truth))
        return table[np.minimum(places, len(table) - 1)]

    def _disturbed(
        self, quantity: Quantity, scales: Floats | float, nplc: float, truth: Floats, first: int
    ) -> Floats:
        draws = self._noise[quantity].take(first, len(truth))
        readings: Floats = truth + draws * (scales * (_NOISE_OF_RANGE / nplc**0.5))
        if nplc < 1.0 and quantity == "VOLT":
            phases = self._mains[quantity].take(first, len(truth))
            readings += _MAINS_VOLTS * (1.0 - nplc) * np.sin(2 * np.pi * phases)
        return readings

    def _shown(self, quantity: Quantity, scales: Floats | float, readings: Floats) -> Floats:
        """Add each range's own errors and round to its digits."""
        if isinstance(scales, float):
            gain, offset = self._error("reading", quantity, scales)
            step = scales / (2e6 if quantity == "VOLT" else 1e6)
            return np.rint((readings * (1.0 + gain) + offset) / step) * step
        shown = np.empty_like(readings)
        for full_scale in set(scales.tolist()):
            here = scales == full_scale
            shown[here] = self._shown(quantity, full_scale, readings[here])
        return shown
