"""How far a source meter's source and readings are from the truth; the data sheet of the Keithley 2450.

Reading: ``y = (1 + e_g) x + offset + noise sqrt(1/NPLC) + mains (NPLC < 1)``, then quantised. Source: gain,
offset, quantisation. Gain and offset errors are drawn once per (seed, alias, function,
range), uniformly within the one-year accuracy.

Other models' numbers are in :mod:`simulated_instruments.smu_specifications`.
Source of the numbers here: Model 2450 Instrument Specifications, SPEC-2450 Rev. A (July 2013): page 2,
accuracy one year, 23 C +- 5 C at 1 PLC, and programming resolution; page 3, overrange 105 %. [assumed]:
where beyond it a reading overflows, its noise over a range, the mains pickup below 1 PLC.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from simulated_instruments.draws import Draws, Kind

Floats = NDArray[np.float64]
Quantity = Literal["VOLT", "CURR"]

OVERFLOW: Final = 9.9e37
OVERRANGE: Final = 1.05
"""Ranges reach 5 % beyond their name."""

_NOISE_OF_RANGE: Final = 1e-6
_MAINS_VOLTS: Final = 30e-6
_REMEMBERED: Final = 256


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
        self.full_scales = {quantity: list(table) for quantity, table in ranges.items()}
        self._ends = {q: [overrange * (1 + 1e-12) * one for one in self.full_scales[q]] for q in ranges}
        # what is beyond the last range is on it too
        self.chosen_ends = {q: [overrange * one for one in self.full_scales[q][:-1]] for q in ranges}

    def range_for(self, quantity: Quantity, value: float) -> float:
        """Return the smallest range that takes ``value``; the largest where none does."""
        scales = self.full_scales[quantity]
        return scales[min(bisect_left(self._ends[quantity], abs(value)), len(scales) - 1)]


def source_step(quantity: Quantity, full_scale: float) -> float:
    """Return the programming resolution of a range: 5 nA on the 100 uA range, 50 uV on the 2 V range."""
    return full_scale / (4e4 if quantity == "VOLT" else 2e4)


KEITHLEY_2450: Final = Specification(
    RANGES, {q: {r: source_step(q, r) for r in table} for q, table in RANGES.items()}, OVERRANGE, 1.0521
)


class _Source(NamedTuple):
    """What one source range does to a level: whole steps, then ``factor x + offset``."""

    step: float
    factor: float
    offset: float


class _Range(NamedTuple):
    """What one measure range does to a reading at one aperture: ``factor x + offset``, in steps, to ``end``.

    ``noise`` is the scatter of a reading and ``pickup`` what is left of the mains, before that.
    """

    noise: float
    pickup: float
    factor: float
    offset: float
    step: float
    end: float


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
        self._mains = {q: self._draws(_mains_volts, "mains", q) for q in RANGES}
        self._sources: dict[tuple[Quantity, float], _Source] = {}
        self._ranges: dict[tuple[Quantity, float, float], _Range] = {}
        self.readings = 0

    def _draws(self, draw: Kind, kind: str, quantity: Quantity) -> Draws:
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
        step, factor, offset = self._source(quantity, full_scale)
        return np.rint(levels / step) * step * factor + offset

    def sourced_once(self, quantity: Quantity, full_scale: float, level: float) -> float:
        """Do what :meth:`sourced` does for one level."""
        if self._ideal:
            return level
        step, factor, offset = self._sources.get((quantity, full_scale)) or self._source(quantity, full_scale)
        return round(level / step) * step * factor + offset

    def _source(self, quantity: Quantity, full_scale: float) -> _Source:
        gain, offset = self._error("source", quantity, full_scale)
        made = _Source(self._data_sheet.steps[quantity][full_scale], 1.0 + gain, offset)
        self._sources[quantity, full_scale] = made
        return made

    def read(self, quantity: Quantity, full_scale: float | None, nplc: float, truth: Floats) -> Floats:
        """Return readings of ``truth [B]``; ``full_scale`` None chooses a range for each.

        Beyond the end of a fixed range a reading is the overflow marker.
        """
        first, self.readings = self.readings, self.readings + len(truth)
        if self._ideal:
            return truth.copy()
        draws = self._noise[quantity].take(first, len(truth))
        picks = nplc < 1.0 and quantity == "VOLT"
        phases = self._mains[quantity].take(first, len(truth)) if picks else np.zeros(len(truth))
        if full_scale is not None:
            return self._on_range(self._range(quantity, full_scale, nplc), truth, draws, phases)
        sheet = self._data_sheet
        places = np.searchsorted(sheet.chosen_ends[quantity], np.abs(truth))
        readings = np.empty_like(truth)
        for place in set(places.tolist()):
            here, chosen = places == place, self._range(quantity, sheet.full_scales[quantity][place], nplc)
            readings[here] = self._on_range(chosen, truth[here], draws[here], phases[here])
        return readings

    def _on_range(self, chosen: _Range, truth: Floats, draws: Floats, phases: Floats) -> Floats:
        disturbed = truth + draws * chosen.noise + phases * chosen.pickup
        steps = np.rint((disturbed * chosen.factor + chosen.offset) / chosen.step)
        readings = steps * chosen.step + 0.0  # no instrument shows a negative zero
        return np.where(np.abs(truth) <= chosen.end, readings, self._data_sheet.overflow)

    def read_once(self, quantity: Quantity, full_scale: float | None, nplc: float, truth: float) -> float:
        """Do what :meth:`read` does for one reading, to the bit (a test holds them together)."""
        k = self.readings
        self.readings = k + 1
        if self._ideal:
            return truth
        if full_scale is None:
            sheet = self._data_sheet
            place = bisect_left(sheet.chosen_ends[quantity], abs(truth))
            full_scale = sheet.full_scales[quantity][place]
        noise, pickup, factor, offset, step, end = self._ranges.get(
            (quantity, full_scale, nplc)
        ) or self._range(quantity, full_scale, nplc)
        if not abs(truth) <= end:
            return self._data_sheet.overflow
        disturbed = truth + self._noise[quantity].one(k) * noise
        if pickup:
            disturbed += self._mains[quantity].one(k) * pickup
        return round((disturbed * factor + offset) / step) * step

    def _range(self, quantity: Quantity, full_scale: float, nplc: float) -> _Range:
        gain, offset = self._error("reading", quantity, full_scale)
        noise = full_scale * _NOISE_OF_RANGE / nplc**0.5
        pickup = _MAINS_VOLTS * (1.0 - nplc) if nplc < 1.0 and quantity == "VOLT" else 0.0
        step = full_scale / (2e6 if quantity == "VOLT" else 1e6)
        end = full_scale * self._data_sheet.reading_overrange
        made = _Range(noise, pickup, 1.0 + gain, offset, step, end)
        if len(self._ranges) >= _REMEMBERED:
            self._ranges.clear()
        self._ranges[quantity, full_scale, nplc] = made
        return made


def _mains_volts(seed: int, stream: int, cell: int, k: NDArray[np.int64]) -> Floats:
    """Return the mains at the moment of each reading, for an amplitude of one."""
    from labtrain.kernels.sequences import uniforms  # not before something is read

    return np.asarray(np.sin(2 * math.pi * uniforms(seed, stream, cell, int(k[0]), len(k))))
