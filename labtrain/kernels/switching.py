"""Laws of switching: P(V) at one pulse width, and whole batches of attempts under it.

A law gives the probability in any array namespace, and on the CPU attempts in one compiled pass: voltages on
the source's grid, probabilities and outcomes row by row, so that nothing but the result is as
large as the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.kernels import attempts, events, sot, stimuli, stt_table
from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import keys_of
from labtrain.physics import sot as plain_sot
from labtrain.physics.namespaces import Parameters

Floats = NDArray[np.float64]
Outcomes = tuple[NDArray[np.bool_], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A batch of attempts.

    Attributes
    ----------
    volts
        ``[B, n]`` as asked for, signed: positive P to AP.
    seconds
        Pulse width.
    resolution, limit
        The source's step (0: none) and its largest magnitude.
    flags
        What marks a clipped voltage and a reset that could not be verified.
    reset
        ``[2, n]`` probability that a reset pulse reaches state 0, 1 from the other one.
    state, events
        ``[n]`` states (2: neither, never verified) and pulse counters; advanced.
    address
        (seed, stream) of the pulses.
    cells
        ``[n]``.
    """

    volts: Floats
    seconds: float
    resolution: float
    limit: float
    flags: tuple[int, int]
    reset: Floats
    state: NDArray[np.uint8]
    events: NDArray[np.int64]
    address: tuple[int, int]
    cells: NDArray[np.int64]

    def grid(self) -> Any:
        """Return resolution, limit and both flags as the compiled loops take them."""
        clipped, stuck = self.flags
        return self.resolution, self.limit, np.uint8(clipped), np.uint8(stuck)


class SwitchingLaw(ABC):
    """How a kind of device switches."""

    @abstractmethod
    def probability(self, parameters: Parameters, volts: Any, seconds: float) -> Any:
        """Return P_sw of pulses ``volts`` (``[n]`` or ``[B, n]``, signed), in their namespace.

        Raises
        ------
        UsageError
            For a width outside the law's range.
        """

    def attempts(self, parameters: Parameters, trial: Trial) -> Outcomes:
        """Run a batch on the CPU: switched and flags, ``[B, n]``; state and events are advanced."""
        resolution, limit, clipped, stuck = trial.grid()
        applied, flags = stimuli.on_grid(trial.volts, resolution, limit, clipped)
        p = np.ascontiguousarray(self.probability(parameters, applied, trial.seconds), dtype=np.float64)
        start = (applied < 0).astype(np.uint8)
        switched, verified = events.attempt(
            p, start, trial.reset, trial.state, *trial.address, trial.cells, trial.events
        )
        flags |= ~verified * stuck
        return switched, flags


@final
class SpinOrbitLaw(SwitchingLaw):
    """SOT switching, :mod:`labtrain.physics.sot`."""

    def probability(self, parameters: Parameters, volts: Any, seconds: float) -> Any:
        """Return P_sw; 0.2 ns to 1 ms."""
        if array_api_compat.is_numpy_array(volts):
            return sot.switching_probability(parameters, volts, seconds)
        return plain_sot.switching_probability(parameters, volts, seconds)

    def attempts(self, parameters: Parameters, trial: Trial) -> Outcomes:
        """Run a batch in one pass."""
        table = sot.table_of(parameters, trial.seconds, len(trial.cells))
        return _run(_spin_orbit, table, trial)


@final
class SpinTransferLaw(SwitchingLaw):
    """STT switching, :mod:`labtrain.kernels.stt_table`."""

    def probability(self, parameters: Parameters, volts: Any, seconds: float) -> Any:
        """Return P_sw; 0.1 to 1e7 tau_D."""
        return stt_table.switching_probability(parameters, volts, seconds)

    def attempts(self, parameters: Parameters, trial: Trial) -> Outcomes:
        """Run a batch in one pass."""
        table = stt_table.curves_of(parameters, trial.seconds, len(trial.cells))
        return _run(_spin_transfer, table, trial)


LAWS: dict[str, SwitchingLaw] = {"sot-mtj": SpinOrbitLaw(), "stt-mtj": SpinTransferLaw()}
"""By the device model's name."""


def _run(kernel: Any, table: Floats, trial: Trial) -> Outcomes:
    volts = np.ascontiguousarray(trial.volts)
    switched, flags = np.empty(volts.shape, np.bool_), np.empty(volts.shape, np.uint8)
    keys = keys_of(*trial.address)
    kernel(
        table, volts, trial.grid(), trial.reset, trial.state, keys, trial.cells, trial.events, switched, flags
    )
    return switched, flags


@compiled
def _spin_orbit(
    table: Any,
    volts: Any,
    grid: Any,
    reset: Any,
    state: Any,
    keys: Any,
    cells: Any,
    counters: Any,
    switched: Any,
    flags: Any,
) -> None:  # pragma: no cover - compiled
    words = attempts.words_of(keys, cells, counters)
    _rows(table, volts, grid, reset, state, keys, words, switched, flags, True)
    attempts.count_events(words, counters)


@compiled
def _spin_transfer(
    table: Any,
    volts: Any,
    grid: Any,
    reset: Any,
    state: Any,
    keys: Any,
    cells: Any,
    counters: Any,
    switched: Any,
    flags: Any,
) -> None:  # pragma: no cover - compiled
    words = attempts.words_of(keys, cells, counters)
    _rows(table, volts, grid, reset, state, keys, words, switched, flags, False)
    attempts.count_events(words, counters)


@compiled
def _rows(
    table: Any,
    volts: Any,
    grid: Any,
    reset: Any,
    state: Any,
    keys: Any,
    words: Any,
    switched: Any,
    flags: Any,
    spin_orbit: bool,
) -> None:  # pragma: no cover - compiled
    # Inlined with the law known, so that the choice costs nothing.
    count = volts.shape[1]
    made, room, p = np.empty(count), np.empty(count), np.empty(count)
    start, edges, clipped = np.empty(count, np.uint8), np.empty(count, np.int32), np.empty(count, np.uint8)
    reset_edges = np.empty(count, np.int32)
    for b in range(len(volts)):
        if b == 0 or _differ(volts[b], volts[b - 1]):  # one sample's attempts repeat its voltages
            stimuli.on_grid_row(volts[b], grid[0], grid[1], grid[2], made, clipped)
            if spin_orbit:
                sot.probability_row(table, made, p, room)
            else:
                stt_table.probability_row(table, made, p, room)
            attempts.edges_row(p, edges)
            _signs(made, start)
            attempts.reset_edges_row(reset, start, reset_edges)
        hits, marks = switched[b], flags[b]
        _attempt(p, edges, start, reset, reset_edges, state, words, keys, clipped, grid, hits, marks)


@compiled
def _signs(volts: Any, start: Any) -> None:  # pragma: no cover - compiled
    for j in range(len(volts)):
        start[j] = np.uint8(volts[j] < 0)


@compiled
def _differ(one: Any, other: Any) -> Any:  # pragma: no cover - compiled
    found = False
    for j in range(len(one)):
        found |= one[j] != other[j]
    return found


@compiled
def _attempt(
    p: Any,
    edges: Any,
    start: Any,
    reset: Any,
    reset_edges: Any,
    state: Any,
    words: Any,
    keys: Any,
    clipped: Any,
    grid: Any,
    switched: Any,
    flags: Any,
) -> None:  # pragma: no cover - compiled
    verified = np.empty(len(p), np.bool_)
    attempts.attempt_row(p, edges, start, reset, reset_edges, state, words, keys[2], switched, verified)
    for j in range(len(p)):
        flags[j] = clipped[j] | (np.uint8(0) if verified[j] else grid[3])
