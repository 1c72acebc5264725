"""Random bit sources simulated directly, as the exact Markov chain of telegraph noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import array_api_compat
import numpy as np

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.cell_state import CellState, PlacedCells, WithMemory
from labtrain.arrays.plain import as_numpy, like, on_cpu
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.errors import UsageError
from labtrain.kernels import events as compiled
from labtrain.physics import events, telegraph
from labtrain.populations import Population


@final
class SimulatedBitstreamSource(WithMemory, BitstreamSource):
    """``n`` superparamagnetic MTJs; a sample is event ``k`` of the stream ``"<array>/sample"``.

    Each call continues from the state and the device time of the one before (one interval
    later), so a stream may be taken in pieces. Answers in the caller's namespace and on the caller's
    device; on the CPU by a compiled kernel.

    Parameters
    ----------
    population
        Of ``s-mtj`` or a like model.
    max_volts
        Larger biases are clipped and flagged; at most 0.5 V on a 1 nm barrier.

    Raises
    ------
    UsageError
        For a limit that is not positive.
    """

    def __init__(
        self, population: Population, *, name: str = "", max_volts: float = 0.4, resolution_volts: float = 0.0
    ) -> None:
        if not (max_volts > 0 and resolution_volts >= 0):
            raise UsageError(
                f"max_volts = {max_volts}, resolution_volts = {resolution_volts} cannot be",
                remedy="give a positive limit and a step of 0 or more",
            )
        self.name = name or population.array or "bits"
        self.max_volts, self.resolution_volts = max_volts, resolution_volts
        self.population = population
        count = len(population)
        self._cells = PlacedCells(population.parameters, np.arange(count))
        self._memory = CellState(
            self.name,
            {
                "states": np.zeros(count, dtype=np.uint8),
                "samples": np.zeros(count, dtype=np.int64),
                "seconds": np.zeros(count),
            },
        )

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._cells.cells)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some devices; it shares their states and counters."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._cells = self._cells.of(checked_indices(indices, len(self), self.name))
        return view

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Return ``n_bits`` samples of each device.

        Raises
        ------
        UsageError
            For a bad shape, a negative number of bits or an interval that is not positive.
        """
        if not (n_bits >= 0 and 0 < interval < float("inf")):
            raise UsageError(
                f"{self.name}: {n_bits} bits every {interval} s cannot be sampled",
                remedy="give 0 or more bits and a positive interval",
            )
        biases = volts[None, :] if getattr(volts, "ndim", 0) == 1 else volts
        checked = checked_stimulus(biases, len(self), self.name, "biases")
        if checked.shape[0] != 1:
            raise UsageError(
                f"{self.name}: biases of shape {tuple(checked.shape)} were given", remedy="one a device"
            )
        asked = as_numpy(checked) if on_cpu(checked) else checked
        applied, flags = on_grid(asked, self.resolution_volts, self.max_volts)
        packed = self._sample(applied[0], n_bits, interval)
        return Bits(like(packed, volts), n_bits, like(flags[0], volts))

    @property
    def events(self) -> int:
        """Events of all cells so far, of views too: samples."""
        return self._memory.total("samples")

    def _sample(self, volts: Any, n_bits: int, interval: float) -> Any:
        """Return ``[n, ceil(n_bits / 8)]`` bytes where ``volts [n]`` lives."""
        parameters, cells = self._cells.at(volts)
        memory = self._memory.at(volts)
        low, high = telegraph.thresholds(parameters, volts, interval, memory["seconds"][cells])
        state, first = memory["states"][cells], memory["samples"][cells]
        address = self.population.seed, self.population.stream("sample")
        if array_api_compat.is_numpy_array(volts):
            packed = compiled.telegraph(low, high, state, *address, cells, first, n_bits)
        else:
            packed, state = events.telegraph(low, high, state, address, cells, first, n_bits)
        memory["states"][cells], memory["samples"][cells] = state, first + n_bits
        memory["seconds"][cells] += n_bits * interval
        return packed
