"""Memristor synapses simulated directly: open-loop writes, noisy reads, row-by-row products."""

from __future__ import annotations

from typing import Any, final

import array_api_compat
import numpy as np
from array_api_compat import device

from labtrain import noise
from labtrain.arrays.cell_state import CellState, PlacedCells, WithMemory
from labtrain.arrays.neurons import Flag
from labtrain.arrays.plain import as_numpy, like, on_cpu
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray
from labtrain.clock import Clock
from labtrain.errors import UsageError
from labtrain.kernels import flicker as kernel
from labtrain.physics import flicker, memristor
from labtrain.physics.namespaces import namespace
from labtrain.populations import Population

_SLICE = 16


@final
class SimulatedSynapseArray(WithMemory, SynapseArray):
    """``rows x columns`` cells of a population, row by row.

    A write is event ``k`` of the stream ``"<array>/write"``, a read (also each cell's share of a product)
    of ``"<array>/read"`` and, for its 1/f part, of ``"<array>/flicker"``. Products are as a source meter
    makes them: row by row, the other rows grounded, so no sneak path and no shared line drop; for all
    rows at once see :mod:`labtrain.physics.crossbar`. Answers in the caller's namespace and on the
    caller's device, where the cells' states are kept from then on; on the CPU by a compiled kernel.

    A cell that has had ``endurance`` writes keeps its conductance, flagged STUCK. With a ``clock`` cells
    relax from their last write on, as those of a simulated bench do; the amount is event ``k`` of
    ``"<array>/relax"``, ``k`` being the cell's writes so far.

    Parameters
    ----------
    population
        Of ``memristor`` or a like model, ``rows * columns`` cells.
    shape
        (rows, columns).
    max_volts
        Larger read voltages are clipped and flagged.
    clock
        Time, for relaxation; without one no time passes.

    Raises
    ------
    UsageError
        For a shape that is not the population's size.
    """

    def __init__(
        self,
        population: Population,
        shape: tuple[int, int],
        *,
        name: str = "",
        max_volts: float = 0.3,
        clock: Clock | None = None,
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
        self.population, self._clock = population, clock
        self._has_cycles = bool(np.any(population.parameters["write_cycle"]))
        self._cells = PlacedCells(population.parameters, np.arange(len(population)).reshape(shape))
        columns = {
            "siemens": population.parameters["g_start"].reshape(shape).copy(),
            "writes": np.zeros(shape, dtype=np.int64),
            "reads": np.zeros(shape, dtype=np.int64),
        }
        if clock is not None:
            columns["written_at"] = np.full(shape, clock.now_ns() / 1e9)
        self._memory = CellState(self.name, columns)

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Write the masked cells once each, open loop, with write noise, inside their bounds."""
        asked = checked_stimulus(delta_siemens, self.shape[1], self.name, "conductance changes")
        if tuple(asked.shape) != self.shape or tuple(mask.shape) != self.shape:
            raise UsageError(
                f"{self.name}: changes {tuple(asked.shape)}, mask {tuple(mask.shape)} were given,"
                f" {self.shape} is needed",
                remedy="one change and one mask entry a cell",
            )
        delta, chosen = (as_numpy(asked), as_numpy(mask)) if on_cpu(asked) else (asked, mask)
        return like(
            self._write(delta, namespace(chosen).astype(chosen, namespace(chosen).bool)), delta_siemens
        )

    def conductance(self, mask: Any = None) -> Conductances:
        """Read cells once each, where their states are kept: where they were last used."""
        kept = self._memory.anywhere()["siemens"]
        xp = namespace(kept)
        if mask is None:
            siemens = self._read_cells(kept, 1)[0]
        else:
            chosen = xp.astype(like(as_numpy(mask), kept), xp.bool)
            siemens = xp.full(self.shape, xp.nan, dtype=xp.float64, device=device(kept))
            siemens[chosen] = self._read_chosen(kept, chosen)
        return Conductances(siemens, xp.zeros(self.shape, dtype=xp.uint8, device=device(siemens)))

    def multiply(self, volts: Any) -> Currents:
        """Return ``volts @ G``, each cell read anew for every row of the batch."""
        checked = checked_stimulus(volts, self.shape[0], self.name, "read voltages")
        asked = as_numpy(checked) if on_cpu(checked) else checked
        xp = namespace(asked)
        applied, clipped = on_grid(asked, 0.0, self.max_volts)
        amperes = [xp.zeros((0, self.shape[1]), dtype=xp.float64, device=device(asked))]
        # In slices: a whole batch of 128 x 128 readings would not fit in the cache.
        for first in range(0, applied.shape[0], _SLICE):
            rows = applied[first : first + _SLICE]
            readings = self._read_cells(rows, rows.shape[0])
            amperes.append(xp.matmul(rows[:, None, :], readings)[:, 0, :])
        flags = xp.astype(xp.any(clipped > 0, axis=1), xp.uint8)[:, None] * int(Flag.CLIPPED)
        flags = flags + xp.zeros((1, self.shape[1]), dtype=xp.uint8, device=device(asked))
        return Currents(like(xp.concat(amperes), volts), like(flags, volts))

    @property
    def events(self) -> int:
        """Events of all cells so far, of views too: writes and reads."""
        return self._memory.total("writes") + self._memory.total("reads")

    def _write(self, delta: Any, chosen: Any) -> Any:
        xp = namespace(delta)
        index = xp.nonzero(xp.reshape(chosen, (-1,)))[0]
        columns, cells = self._cells.at(delta)
        parameters = {name: _some(columns[name], index) for name in memristor.WRITE_PARAMETERS}
        memory = self._memory.at(delta)
        before, writes, own = (
            self._standing(delta, index),
            _some(memory["writes"], index),
            _some(cells, index),
        )
        xi = self._drawn("write", own, writes)
        xi_cycle = self._drawn("cycle", own, writes) if self._has_cycles else 0.0
        after = memristor.written(parameters, before, _some(delta, index), xi, xi_cycle)
        worn = (parameters["endurance"] > 0) & (writes >= parameters["endurance"])
        after = xp.where(worn, before, after)
        at_bound = (after <= parameters["g_min"]) | (after >= parameters["g_max"])
        flags = xp.zeros(self.shape, dtype=xp.uint8, device=device(delta))
        own_flags = xp.astype(at_bound, xp.uint8) * int(Flag.CLIPPED)
        xp.reshape(flags, (-1,))[index] = own_flags + xp.astype(worn, xp.uint8) * int(Flag.STUCK)
        self._keep(memory, index, after, writes)
        return flags

    def _keep(self, memory: dict[str, Any], index: Any, siemens: Any, writes: Any) -> None:
        """Note one more write of some cells, now."""
        xp = namespace(siemens)
        xp.reshape(memory["siemens"], (-1,))[index] = siemens
        xp.reshape(memory["writes"], (-1,))[index] = writes + 1
        if self._clock is not None:
            xp.reshape(memory["written_at"], (-1,))[index] = self._clock.now_ns() / 1e9

    def _drawn(self, kind: str, cells: Any, k: Any) -> Any:
        return noise.normal(self.population.seed, self.population.stream(kind), cells, k)

    def _standing(self, model: Any, index: Any = None) -> Any:
        """Conductance of all cells, or flat of some: as programmed, and relaxed since where time passes."""
        memory = self._memory.at(model)
        siemens = _some(memory["siemens"], index)
        if self._clock is None:
            return siemens
        columns, cells = self._cells.at(model)
        parameters = {name: _some(columns[name], index) for name in memristor.RELAXATION_PARAMETERS}
        elapsed = self._clock.now_ns() / 1e9 - _some(memory["written_at"], index)
        xi = self._drawn("relax", _some(cells, index), _some(memory["writes"], index))
        relaxed = memristor.relaxed(parameters, siemens, elapsed, xi)
        return namespace(model).where(_some(columns["stuck"], index) > 0, siemens, relaxed)

    def _read_chosen(self, model: Any, chosen: Any) -> Any:
        """Read some cells once each; ``[m]`` readings in S, in the order of the whole."""
        xp, (columns, cells) = namespace(model), self._cells.at(model)
        index = xp.nonzero(xp.reshape(chosen, (-1,)))[0]
        memory, seed = self._memory.at(model), self.population.seed
        streams = self.population.stream("read"), self.population.stream("flicker")
        siemens, own = self._standing(model, index), _some(cells, index)
        k = _some(memory["reads"], index)
        parameters = {name: _some(columns[name], index) for name in memristor.READ_PARAMETERS}
        if array_api_compat.is_numpy_array(model):
            white, pink = parameters.values()
            readings = siemens * np.exp(kernel.read_deviations(white, pink, seed, streams, own, k, 1)[0])
        else:
            xi = noise.normal(seed, streams[0], own, k)
            readings = memristor.read(parameters, siemens, xi, flicker.flicker(seed, streams[1], own, k))
        xp.reshape(memory["reads"], (-1,))[index] = k + 1
        return readings

    def _read_cells(self, model: Any, times: int) -> Any:
        """``[times, rows, columns]`` readings in S where ``model`` lives."""
        parameters, cells = self._cells.at(model)
        memory, seed, standing = self._memory.at(model), self.population.seed, self._standing(model)
        streams = self.population.stream("read"), self.population.stream("flicker")
        if array_api_compat.is_numpy_array(model):
            white, pink = parameters["read_noise"].ravel(), parameters["read_flicker"].ravel()
            first = memory["reads"].ravel()
            spread = kernel.read_deviations(white, pink, seed, streams, cells.ravel(), first, times)
            readings = standing * np.exp(spread.reshape(times, *self.shape))
        else:
            steps = namespace(model).arange(times, device=device(model))[:, None, None]
            k = memory["reads"] + steps
            xi = noise.normal(seed, streams[0], cells, k)
            readings = memristor.read(parameters, standing, xi, flicker.flicker(seed, streams[1], cells, k))
        memory["reads"] += times
        return readings


def _some(column: Any, index: Any) -> Any:
    """Flat values of the cells ``index``; the whole column where that is None."""
    xp = namespace(column)
    return column if index is None else xp.take(xp.reshape(column, (-1,)), index)
