"""Neuron pairs simulated directly: no instruments, no messages, the same devices and draws.

A reading is ``V(I) + window noise * normal(seed, "<array>/read", cell, k)``, as in the
simulated world behind a wired array: at equal terminal stimuli the devices answer alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.fused import Circuit, FusableArray
from labtrain.arrays.neurons import DifferentiableNeuronArray, Reading
from labtrain.arrays.selection import SomeDevices, checked_indices
from labtrain.arrays.simulated_layer import SimulatedLayer
from labtrain.arrays.simulated_readout import Readout
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.errors import UsageError
from labtrain.kernels import neuron as kernel
from labtrain.physics import neuron
from labtrain.physics.namespaces import namespace
from labtrain.populations import Population

FORWARD, PARTNER = 0, 1


@final
class SimulatedNeuronArray(SomeDevices, FusableArray, DifferentiableNeuronArray):
    """``n`` neuron pairs of a population of ``2 n`` cells (forward ``2 i``, partner ``2 i + 1``).

    Answers in the caller's namespace and on the caller's device. On the CPU a
    compiled kernel does the work; elsewhere the plain functions do, to the same draws.

    Parameters
    ----------
    population
        Of ``mtj-neuron-pair`` or a like model.
    readout
        The voltmeter; :class:`Readout` with its defaults if left out.
    name
        Of the array; the population's array name if left out.
    max_amperes
        Larger currents are clipped and flagged.
    resolution_amperes
        The source's step; 0: none.
    dead
        Pairs whose two devices are open circuits (they read the compliance voltage).
    rows
        Of batches that several processes share; left out: every batch is whole.

    Raises
    ------
    UsageError
        For a population of an odd number of cells or a limit that is not positive.
    """

    def __init__(
        self,
        population: Population,
        readout: Readout | None = None,
        *,
        name: str = "",
        max_amperes: float = 60e-6,
        resolution_amperes: float = 0.0,
        dead: Sequence[int] = (),
        rows: BatchRows | None = None,
    ) -> None:
        if len(population) % 2:
            raise UsageError(
                f"a population of {len(population)} cells does not divide into pairs",
                remedy="draw a model of pairs such as mtj-neuron-pair",
            )
        if not (max_amperes > 0 and resolution_amperes >= 0):
            raise UsageError(
                f"max_amperes = {max_amperes}, resolution_amperes = {resolution_amperes} cannot be",
                remedy="give a positive limit and a step of 0 or more",
            )
        self.name = name or population.array or "neurons"
        self.max_amperes = max_amperes
        self.resolution_amperes = resolution_amperes
        self.readout = readout or Readout()
        self.population = population
        self.rows: BatchRows = rows or BatchRows()
        count = len(population) // 2
        self._dead = np.zeros(count, dtype=bool)
        self._dead[checked_indices(dead, count, self.name)] = True
        self._reads = np.zeros(len(population), dtype=np.int64)
        self._indices = np.arange(count)
        self._on_device: dict[Any, tuple[dict[str, Any], Any]] = {}

    def respond(self, amperes: Any) -> Reading:
        """Read the forward devices."""
        return self._read(FORWARD, amperes)

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read forward devices and partners."""
        checked_stimulus(partner_amperes, len(self), self.name, "partner currents")
        return self._read(FORWARD, amperes), self._read(PARTNER, partner_amperes)

    def fuse(self, circuit: Circuit) -> SimulatedLayer | None:
        """Prepare a compiled layer; None where the voltmeter has noise of its own."""
        if self.readout.read_noise:
            return None
        second = FORWARD if circuit.difference.same_device else PARTNER
        cells = 2 * self._indices + FORWARD, 2 * self._indices + second
        like = np.empty(0)
        sides = self._parameters(FORWARD, like)[0], self._parameters(second, like)[0]
        return SimulatedLayer(
            circuit,
            sides,
            cells,
            self._reads,
            self._dead[self._indices],
            self.readout,
            (self.population.seed, self.population.stream("read")),
            (self.resolution_amperes, self.max_amperes),
            self.rows,
        )

    def derivative(self, amperes: Any) -> Any:
        """Return the exact dV/dI of the forward devices at the currents that the source really makes.

        Dead devices have none (0). Neither noise nor the converter enters.
        """
        applied, _ = self._stimulus(amperes)
        parameters, dead = self._parameters(FORWARD, applied)
        xp = namespace(applied)
        return xp.where(dead, 0.0 * applied, neuron.slope(parameters, applied))

    @property
    def events(self) -> int:
        """Events of all cells so far, of views too: readings."""
        return int(self._reads.sum())

    def state_dict(self) -> dict[str, Any]:
        """Read counters of every cell of the population, of views too."""
        return {"reads": self._reads.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the counters back.

        Raises
        ------
        UsageError
            For the state of an array of another size.
        """
        reads = np.asarray(state["reads"], dtype=np.int64)
        if reads.shape != self._reads.shape:
            raise UsageError(
                f"{self.name}: the state has {reads.size} read counters, the array has {self._reads.size}",
                remedy="load it into an array of the same population",
            )
        self._reads[:] = reads

    def _narrow(self, chosen: NDArray[np.intp]) -> None:
        super()._narrow(chosen)
        self._on_device = {}

    def _read(self, side: int, amperes: Any) -> Reading:
        applied, clipped = self._stimulus(amperes)
        cells = 2 * self._indices + side
        before, behind = self.rows.around(applied.shape[0])
        first = self._reads[cells] + before
        volts, flags = self._answer(side, cells, first, applied)
        self._reads[cells] = first + applied.shape[0] + behind
        return Reading(volts, flags | clipped)

    def _stimulus(self, amperes: Any) -> tuple[Any, Any]:
        checked = checked_stimulus(amperes, len(self), self.name, "currents")
        return on_grid(checked, self.resolution_amperes, self.max_amperes)

    def _answer(self, side: int, cells: NDArray[np.intp], first: NDArray[np.int64], applied: Any) -> Any:
        seed, stream = self.population.seed, self.population.stream("read")
        device, normal = array_api_compat.device(applied), noise.stream(f"{self.name}/voltmeter")
        xp = namespace(applied)
        parameters, dead = self._parameters(side, applied)
        k = xp.asarray(first, device=device) + xp.arange(applied.shape[0], device=device)[:, None]
        cell = xp.asarray(cells, device=device)
        if kernel.reaches(applied):
            device_volts = kernel.noisy_voltage(
                parameters, applied, self.readout.seconds, seed, stream, cells, first
            )
        else:
            sigma = neuron.window_noise(parameters, applied, self.readout.seconds)
            device_volts = neuron.mean_voltage(parameters, applied)
            device_volts = device_volts + sigma * noise.normal(seed, stream, cell, k)
        instrument = noise.normal(seed, normal, cell, k) if self.readout.read_noise else 0.0
        return self.readout.read(device_volts, instrument, applied, dead)

    def _parameters(self, side: int, like: Any) -> tuple[dict[str, Any], Any]:
        """Return one side's parameters where ``like`` lives; kept for the next call."""
        xp, device = namespace(like), array_api_compat.device(like)
        key = (side, xp.__name__, str(device))
        if key not in self._on_device:
            cells = 2 * self._indices + side
            columns = {
                parameter: xp.asarray(values[cells], device=device)
                for parameter, values in self.population.parameters.items()
            }
            self._on_device[key] = (columns, xp.asarray(self._dead[self._indices], device=device))
        return self._on_device[key]
