"""Switches simulated directly: the same pulses and draws as in the simulated world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import Flag
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.errors import UsageError
from labtrain.kernels import events, sot
from labtrain.populations import Population


@final
class SimulatedSwitchArray(SwitchArray):
    """``n`` bistable devices; a pulse is event ``k`` of the stream ``"<array>/pulse"``.

    Works on the CPU (an attempt follows from the one before); tensors of other
    devices are fetched and the answer is sent back.

    Parameters
    ----------
    population
        Of ``sot-mtj`` or another model with a switching probability.
    probability
        ``probability(parameters, volts, seconds)`` on NumPy arrays, signed volts: positive P to AP. For
        ``stt-mtj`` give :func:`labtrain.kernels.stt_table.switching_probability`.
    reset_volts, reset_seconds
        The reset pulse's magnitude and width; its sign is opposite to the attempt's.
    dead
        Open devices: never verified, flagged COMPLIANCE.

    Raises
    ------
    UsageError
        For a limit or reset pulse that is not positive.
    """

    def __init__(
        self,
        population: Population,
        probability: Callable[[Any, Any, Any], Any] = sot.switching_probability,
        *,
        name: str = "",
        max_volts: float = 1.2,
        resolution_volts: float = 0.0,
        reset_volts: float = 1.0,
        reset_seconds: float = 10e-9,
        dead: Sequence[int] = (),
    ) -> None:
        if not (max_volts > 0 and resolution_volts >= 0 and 0 < reset_volts <= max_volts):
            raise UsageError(
                f"max_volts = {max_volts}, resolution_volts = {resolution_volts}, reset_volts = {reset_volts}"
                " cannot be",
                remedy="give a positive limit and a reset pulse inside it",
            )
        self.name = name or population.array or "switches"
        self.max_volts, self.resolution_volts = max_volts, resolution_volts
        self.population = population
        self._probability = probability
        count = len(population)
        self._reset = self._reset_probabilities(reset_volts, reset_seconds)
        self._dead = np.zeros(count, dtype=bool)
        self._dead[checked_indices(dead, count, self.name)] = True
        self._states = np.zeros(count, dtype=np.uint8)
        self._pulses = np.zeros(count, dtype=np.int64)
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

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Reset, verify, pulse and read, row after row; one pulse for the reset, one for the attempt."""
        checked = checked_stimulus(volts, len(self), self.name, "pulses")
        applied, flags = on_grid(as_numpy(checked), self.resolution_volts, self.max_volts)
        cells = self._indices
        parameters = {key: values[cells] for key, values in self.population.parameters.items()}
        p = np.ascontiguousarray(self._probability(parameters, applied, seconds))
        # Row by row in memory: an index on the second axis leaves columns, which the kernel walks slowly.
        reset = np.ascontiguousarray(np.where(self._dead[cells], 0.0, self._reset[:, cells]))
        state, pulses = self._states[cells], self._pulses[cells]
        # An open device reads as neither state, so its reset is never verified.
        state[self._dead[cells]] = 2
        start = (applied < 0).astype(np.uint8)
        seed, stream = self.population.seed, self.population.stream("pulse")
        switched, verified = events.attempt(
            p, start, reset, state, seed, stream, cells.astype(np.int64), pulses
        )
        self._states[cells], self._pulses[cells] = np.where(state == 2, 0, state), pulses
        flags |= self._dead[cells] * np.uint8(Flag.COMPLIANCE)
        flags |= ~verified * np.uint8(Flag.STUCK)
        return Outcome(like(switched, volts), like(flags, volts))

    def state_dict(self) -> dict[str, Any]:
        """States and pulse counters of every device, of views too."""
        return {"states": self._states.tolist(), "pulses": self._pulses.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back.

        Raises
        ------
        UsageError
            For the state of an array of another size.
        """
        if len(state["states"]) != len(self._states) or len(state["pulses"]) != len(self._pulses):
            raise UsageError(
                f"{self.name}: a state of {len(state['states'])} devices does not fit {len(self._states)}",
                remedy="load it into an array of the same population",
            )
        self._states[:] = state["states"]
        self._pulses[:] = state["pulses"]

    def _reset_probabilities(self, volts: float, seconds: float) -> NDArray[np.float64]:
        """``[2, n]``: to reach P from AP (negative pulse) and AP from P (positive pulse)."""
        one = np.ones(len(self.population))
        pulses = [
            self._probability(self.population.parameters, sign * volts * one, seconds) for sign in (-1, 1)
        ]
        return np.array(pulses)
