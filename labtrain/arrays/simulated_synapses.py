"""Memristor synapses simulated directly: open-loop writes, noisy reads, row-by-row products."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.arrays.neurons import Flag
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray
from labtrain.errors import UsageError
from labtrain.kernels import flicker
from labtrain.physics import memristor
from labtrain.populations import Population


@final
class SimulatedSynapseArray(SynapseArray):
    """``rows x columns`` cells of a population, row by row.

    A write is event ``k`` of the stream ``"<array>/write"``, a read (also each cell's share of a product)
    of ``"<array>/read"`` and, for its 1/f part, of ``"<array>/flicker"``. Products are as a source meter
    makes them: row by row, the other rows grounded, so no sneak path and no shared line drop; for all
    rows at once see :mod:`labtrain.physics.crossbar`.

    Parameters
    ----------
    population
        Of ``memristor`` or a like model, ``rows * columns`` cells.
    shape
        (rows, columns).
    max_volts
        Larger read voltages are clipped and flagged.

    Raises
    ------
    UsageError
        For a shape that is not the population's size.
    """

    def __init__(
        self, population: Population, shape: tuple[int, int], *, name: str = "", max_volts: float = 0.3
    ) -> None:
        if len(population) != shape[0] * shape[1]:
            raise UsageError(
                f"a population of {len(population)} cells cannot be {shape[0]} x {shape[1]} synapses",
                remedy=f"draw {shape[0] * shape[1]} cells",
            )
        if not max_volts > 0:
            raise UsageError(f"max_volts = {max_volts} cannot be", remedy="give a positive limit")
        self.name = name or population.array or "synapses"
        self.shape, self.max_volts = shape, max_volts
        self.population = population
        self._parameters = {key: values.reshape(shape) for key, values in population.parameters.items()}
        self._cells = np.arange(len(population)).reshape(shape)
        self._siemens = self._parameters["g_start"].copy()
        self._writes = np.zeros(shape, dtype=np.int64)
        self._reads = np.zeros(shape, dtype=np.int64)

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Write the masked cells once each, open loop, with write noise, inside their bounds."""
        delta = as_numpy(checked_stimulus(delta_siemens, self.shape[1], self.name, "conductance changes"))
        chosen = as_numpy(mask).astype(bool)
        if delta.shape != self.shape or chosen.shape != self.shape:
            raise UsageError(
                f"{self.name}: changes {delta.shape}, mask {chosen.shape} were given, {self.shape} is needed",
                remedy="one change and one mask entry a cell",
            )
        stream = self.population.stream("write")
        xi = noise.normal(self.population.seed, stream, self._cells[chosen], self._writes[chosen])
        parameters = {key: values[chosen] for key, values in self._parameters.items()}
        after = memristor.written(parameters, self._siemens[chosen], delta[chosen], xi)
        flags = np.zeros(self.shape, np.uint8)
        at_bound = (after <= parameters["g_min"]) | (after >= parameters["g_max"])
        flags[chosen] = at_bound * np.uint8(Flag.CLIPPED)
        self._siemens[chosen] = after
        self._writes[chosen] += 1
        return like(flags, delta_siemens)

    def conductance(self) -> Conductances:
        """Read every cell once (NumPy)."""
        return Conductances(self._read_cells(1)[0], np.zeros(self.shape, np.uint8))

    def multiply(self, volts: Any) -> Currents:
        """Return ``volts @ G``, each cell read anew for every row of the batch."""
        checked = checked_stimulus(volts, self.shape[0], self.name, "read voltages")
        applied, clipped = on_grid(as_numpy(checked), 0.0, self.max_volts)
        batch = applied.shape[0]
        amperes = np.empty((batch, self.shape[1]))
        # In slices: a whole batch of 128 x 128 readings would not fit in the cache.
        for first in range(0, batch, 16):
            rows = applied[first : first + 16]
            amperes[first : first + 16] = np.einsum("br,brc->bc", rows, self._read_cells(len(rows)))
        flags = np.bitwise_or.reduce(clipped, axis=1, keepdims=True).repeat(self.shape[1], axis=1)
        return Currents(like(amperes, volts), like(flags, volts))

    def state_dict(self) -> dict[str, Any]:
        """Conductances and counters."""
        return {
            "siemens": self._siemens.tolist(),
            "writes": self._writes.tolist(),
            "reads": self._reads.tolist(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back.

        Raises
        ------
        UsageError
            For the state of an array of another shape.
        """
        siemens = np.asarray(state["siemens"], dtype=np.float64)
        if siemens.shape != self.shape:
            raise UsageError(
                f"{self.name}: the state has shape {siemens.shape}, the array {self.shape}",
                remedy="load it into an array of the same shape",
            )
        self._siemens[:] = siemens
        self._writes[:] = np.asarray(state["writes"], dtype=np.int64)
        self._reads[:] = np.asarray(state["reads"], dtype=np.int64)

    def _read_cells(self, times: int) -> NDArray[np.float64]:
        """``[times, rows, columns]`` readings in S."""
        population, shape = self.population, (times, *self.shape)
        deviations = flicker.read_deviations(
            population.parameters["read_noise"],
            population.parameters["read_flicker"],
            population.seed,
            (population.stream("read"), population.stream("flicker")),
            self._cells.ravel(),
            self._reads.ravel(),
            times,
        )
        self._reads += times
        readings: NDArray[np.float64] = self._siemens * np.exp(deviations.reshape(shape))
        return readings
