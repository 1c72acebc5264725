"""Random bit sources simulated directly, as the exact Markov chain of telegraph noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.errors import UsageError
from labtrain.kernels import events
from labtrain.physics import telegraph
from labtrain.populations import Population


@final
class SimulatedBitstreamSource(BitstreamSource):
    """``n`` superparamagnetic MTJs; a sample is event ``k`` of the stream ``"<array>/sample"``.

    Each call continues from the state and the device time of the one before (one interval
    later), so a stream may be taken in pieces. Works on the CPU; tensors of other devices
    are fetched and the answer is sent back.

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
        self._states = np.zeros(count, dtype=np.uint8)
        self._samples = np.zeros(count, dtype=np.int64)
        self._seconds = np.zeros(count)
        self._indices: NDArray[np.intp] = np.arange(count)

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some devices; it shares their states and counters."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[checked_indices(indices, len(self), self.name)]
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
        applied, flags = on_grid(as_numpy(checked), self.resolution_volts, self.max_volts)
        if applied.shape[0] != 1:
            raise UsageError(
                f"{self.name}: biases of shape {applied.shape} were given", remedy="one a device"
            )
        packed = self._sample(applied[0], n_bits, interval)
        return Bits(like(packed, volts), n_bits, like(flags[0], volts))

    def state_dict(self) -> dict[str, Any]:
        """States, counters and device times of every device, of views too."""
        return {
            "states": self._states.tolist(),
            "samples": self._samples.tolist(),
            "seconds": self._seconds.tolist(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back.

        Raises
        ------
        UsageError
            For the state of an array of another size.
        """
        if len(state["states"]) != len(self._states):
            raise UsageError(
                f"{self.name}: a state of {len(state['states'])} devices does not fit {len(self._states)}",
                remedy="load it into an array of the same population",
            )
        self._states[:] = state["states"]
        self._samples[:] = state["samples"]
        self._seconds[:] = state["seconds"]

    def _sample(self, volts: NDArray[np.float64], n_bits: int, interval: float) -> NDArray[np.uint8]:
        cells = self._indices
        parameters = {key: values[cells] for key, values in self.population.parameters.items()}
        low, high = telegraph.thresholds(parameters, volts, interval, self._seconds[cells])
        state, first = self._states[cells], self._samples[cells]
        seed, stream = self.population.seed, self.population.stream("sample")
        packed = events.telegraph(low, high, state, seed, stream, cells.astype(np.int64), first, n_bits)
        self._states[cells], self._samples[cells] = state, first + n_bits
        self._seconds[cells] += n_bits * interval
        return packed
