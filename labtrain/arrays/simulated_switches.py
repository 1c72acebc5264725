"""Switches simulated directly: the same pulses and draws as in the simulated world."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self, final

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.cell_state import CellState, PlacedCells, WithMemory
from labtrain.arrays.in_turn import Standing, Tried, run_in_turn
from labtrain.arrays.neurons import Flag
from labtrain.arrays.plain import as_numpy, like, on_cpu
from labtrain.arrays.selection import checked_indices
from labtrain.arrays.stimuli import checked_stimulus, largest_step, on_grid
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.errors import UsageError
from labtrain.kernels.switching import LAWS, SwitchingLaw, Trial
from labtrain.physics import events
from labtrain.physics.namespaces import namespace
from labtrain.populations import Population


@final
class SimulatedSwitchArray(WithMemory, SwitchArray):
    """``n`` bistable devices; a pulse is event ``k`` of the stream ``"<array>/pulse"``.

    Answers in the caller's namespace and on the caller's device, where the devices' states are
    kept from then on. On the CPU a compiled kernel does the work; elsewhere the plain functions do, to
    the same draws.

    Parameters
    ----------
    population
        Of ``sot-mtj``, ``stt-mtj`` or another model with a switching law.
    law
        P(V) of the devices; left out: by the population's model.
    reset_volts, reset_seconds
        The reset pulse's magnitude and width; its sign is opposite to the attempt's.
    dead
        Open devices: never verified, flagged COMPLIANCE.
    drift
        ``[n]`` relative change of each device's V50 with one attempt, slope times V50 staying as it is: V50
        grows or falls along a line, not below a tenth. Resets, which are overdriven, are spared. A plain
        assumption, to ask what drift costs; real devices wander as they like. Left out: none.
    rows
        Of batches that several processes share; left out: every batch is whole.

    Raises
    ------
    UsageError
        For a limit or reset pulse that is not positive, or a model without a law.
    """

    def __init__(
        self,
        population: Population,
        law: SwitchingLaw | None = None,
        *,
        name: str = "",
        max_volts: float = 1.2,
        resolution_volts: float = 0.0,
        reset_volts: float = 1.0,
        reset_seconds: float = 10e-9,
        dead: Sequence[int] = (),
        rows: BatchRows | None = None,
        drift: Sequence[float] | NDArray[np.float64] | None = None,
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
        self.rows: BatchRows = rows or BatchRows()
        self._law = law or _law_of(population)
        count = len(population)
        self._dead = np.zeros(count, dtype=bool)
        self._dead[checked_indices(dead, count, self.name)] = True
        resets = self._reset_probabilities(reset_volts, reset_seconds)
        self._cells = PlacedCells(population.parameters, np.arange(count))
        self._drifts = drift is not None
        fixed = {"dead": self._dead, "resets": resets, "drift": _checked_drift(drift, count)}
        self._fixed = PlacedCells(fixed, np.arange(count))
        # Of a device that drifts, what the kernel gets is no voltage of the source any more.
        self._grid = (0.0, np.inf) if self._drifts else (resolution_volts, max_volts)
        counted = {"states": np.uint8, "pulses": np.int64} | ({"attempts": np.int64} if self._drifts else {})
        self._memory = CellState(self.name, {key: np.zeros(count, kind) for key, kind in counted.items()})

    def __len__(self) -> int:
        """The number of devices."""
        return len(self._cells.cells)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some devices; it shares their states and counters."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        chosen = checked_indices(indices, len(self), self.name)
        view._cells, view._fixed = self._cells.of(chosen), self._fixed.of(chosen)
        return view

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Reset, verify, pulse and read, row after row; one pulse for the reset, one for the attempt."""
        asked = checked_stimulus(volts, len(self), self.name, "pulses")
        given, run = (as_numpy(asked), self._compiled) if on_cpu(asked) else (asked, self._elsewhere)
        memory, cells = self._memory.at(given), self._cells.at(given)[1]
        dead = self._fixed.at(given)[0]["dead"]
        clipped: Any = 0
        if self._drifts:
            given, clipped = self._drifted(given, memory["attempts"], cells)
        now = memory["states"][cells], memory["pulses"][cells]
        each = 2 - namespace(given).astype(dead, now[1].dtype)
        switched, flags, after = run_in_turn(self.rows, partial(run, seconds), given, now, each)
        memory["states"][cells], memory["pulses"][cells] = after
        return Outcome(like(switched, volts), like(flags | clipped, volts))

    def _drifted(self, asked: Any, attempts: Any, cells: Any) -> tuple[Any, Any]:
        """Return what does to the devices as they were what the pulses do now, and flags; count attempts."""
        xp, count = namespace(asked), asked.shape[0]
        before, behind = self.rows.around(count)
        row = xp.arange(count, dtype=xp.int64, device=array_api_compat.device(asked))[:, None]
        made, flags = on_grid(asked, self.resolution_volts, self.max_volts)
        grown = 1.0 + self._fixed.at(asked)[0]["drift"] * (attempts[cells] + before + row)
        attempts[cells] += before + count + behind
        return made / xp.clip(grown, 0.1, None), flags

    @property
    def events(self) -> int:
        """Events of all cells so far, of views too: pulses."""
        return self._memory.total("pulses")

    def _compiled(self, seconds: float, volts: NDArray[np.float64], now: Standing) -> Tried:
        parameters, cells = self._cells.at(volts)
        fixed = self._fixed.at(volts)[0]
        dead = fixed["dead"]
        trial = Trial(
            volts,
            seconds,
            self._grid[0],
            largest_step(*self._grid),
            (int(Flag.CLIPPED), int(Flag.STUCK)),
            np.ascontiguousarray(fixed["resets"].T),
            # An open device reads as neither state, so its reset is never verified.
            np.where(dead, np.uint8(2), now[0]),
            np.array(now[1]),
            self._address,
            cells,
        )
        switched, flags = self._law.attempts(parameters, trial)
        if dead.any():
            flags |= dead * np.uint8(Flag.COMPLIANCE)
        return switched, flags, (np.where(dead, np.uint8(0), trial.state), trial.events)

    def _elsewhere(self, seconds: float, volts: Any, now: Standing) -> Tried:
        xp = namespace(volts)
        parameters, cells = self._cells.at(volts)
        fixed = self._fixed.at(volts)[0]
        dead = fixed["dead"]
        applied, flags = on_grid(volts, *self._grid)
        switched, verified, states, pulses = events.attempt(
            self._law.probability(parameters, applied, seconds),
            xp.astype(applied < 0, xp.uint8),
            fixed["resets"].T,
            now[0],
            dead,
            self._address,
            cells,
            now[1],
        )
        flags = flags | xp.astype(dead, xp.uint8) * int(Flag.COMPLIANCE)
        flags = flags | xp.astype(~verified, xp.uint8) * int(Flag.STUCK)
        return switched, flags, (states, pulses)

    @property
    def _address(self) -> tuple[int, int]:
        return self.population.seed, self.population.stream("pulse")

    def _reset_probabilities(self, volts: float, seconds: float) -> NDArray[np.float64]:
        """``[n, 2]``: to reach P from AP (negative pulse) and AP from P (positive pulse); 0 where dead."""
        one, parameters = np.ones(len(self.population)), self.population.parameters
        pulses = [self._law.probability(parameters, sign * volts * one, seconds) for sign in (-1, 1)]
        return np.where(self._dead[:, None], 0.0, np.stack(pulses, axis=1))


def _checked_drift(given: Sequence[float] | NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    drift = np.zeros(count) if given is None else np.asarray(given, dtype=np.float64)
    if drift.shape == (count,) and np.isfinite(drift).all():
        return drift
    raise UsageError(
        f"a drift of shape {drift.shape}, or one that is not finite, does not fit {count} devices",
        remedy="give one number a device: the relative change of V50 with one attempt",
        key="drift",
    )


def _law_of(population: Population) -> SwitchingLaw:
    if population.model in LAWS:
        return LAWS[population.model]
    raise UsageError(
        f"no switching law is known of the model {population.model}",
        remedy=f"give law=..., or draw one of: {', '.join(LAWS)}",
    )
