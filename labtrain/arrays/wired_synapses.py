"""Memristor synapses on a bench: programmed by pulses, read and multiplied with cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.probes import Floats, Probes
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray
from labtrain.errors import CheckFailed, UsageError
from labtrain.roles.flags import Flag


@final
class WiredSynapseArray(SynapseArray):
    """``rows x columns`` cells, each behind its own route.

    A change of conductance is a whole number of equal pulses, ``round(|delta| / step)``, open loop. A
    product is measured cell by cell, every other cell disconnected, and the column currents are
    summed digitally: no line drop and no sneak path enters, and the sum has the noise of each reading.

    Parameters
    ----------
    devices
        Names in the bench file, row by row.
    shape
        (rows, columns).
    probes
        How they are reached; its read limits bound :meth:`multiply`'s voltages.
    pulse_volts, pulse_seconds
        The programming pulse: ``+pulse_volts`` raises a conductance, ``-pulse_volts`` lowers it.
    step_siemens
        What one pulse is believed to change.
    max_pulses
        The most pulses of one write; a larger change is clipped and flagged.

    Raises
    ------
    UsageError
        For a shape that is not the number of devices, or a pulse or step that is not positive.

    Notes
    -----
    A cell that has not passed its contact check is not touched: it reads 0 S, flagged DEAD.
    """

    def __init__(
        self,
        name: str,
        devices: Sequence[str],
        shape: tuple[int, int],
        probes: Probes,
        *,
        pulse_volts: float,
        pulse_seconds: float,
        step_siemens: float,
        max_pulses: int = 100,
    ) -> None:
        if len(devices) != shape[0] * shape[1] or not devices:
            raise UsageError(
                f"{name}: {len(devices)} cells cannot be {shape[0]} x {shape[1]} synapses",
                remedy="give rows x columns cells",
            )
        if not (pulse_volts > 0 and pulse_seconds > 0 and step_siemens > 0 and max_pulses >= 1):
            raise UsageError(
                f"{name}: pulses of {pulse_volts} V and {pulse_seconds} s, {step_siemens} S each, at most"
                f" {max_pulses}, cannot be",
                remedy="give positive numbers",
            )
        self.name, self.shape, self.max_volts = name, shape, probes.gentle.max_volts
        self._devices = tuple(tuple(devices[r * shape[1] : (r + 1) * shape[1]]) for r in range(shape[0]))
        self._probes = probes
        self._pulse = (pulse_volts, pulse_seconds)
        self._step, self._most = step_siemens, max_pulses
        self._pulses = np.zeros(shape, dtype=np.int64)

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Give each masked cell its pulses; a change below half a step gives none."""
        delta = as_numpy(checked_stimulus(delta_siemens, self.shape[1], self.name, "conductance changes"))
        chosen = as_numpy(mask).astype(bool)
        if delta.shape != self.shape or chosen.shape != self.shape:
            raise UsageError(
                f"{self.name}: changes {delta.shape}, mask {chosen.shape} were given, {self.shape} is needed",
                remedy="one change and one mask entry a cell",
            )
        wanted = np.where(chosen, np.rint(delta / self._step), 0.0)
        given = np.clip(wanted, -self._most, self._most).astype(np.int64)
        flags = (given != wanted).astype(np.uint8) * np.uint8(Flag.CLIPPED)
        for row, column in np.argwhere(given):
            flags[row, column] |= self._write(int(row), int(column), int(given[row, column]))
        return like(flags, delta_siemens)

    def conductance(self, mask: Any = None) -> Conductances:
        """Read cells at the usual read voltage (NumPy)."""
        usual = np.array([self._probes.gentle.volts])
        siemens, flags = np.full(self.shape, np.nan), np.zeros(self.shape, np.uint8)
        chosen = np.ones(self.shape, bool) if mask is None else as_numpy(mask).astype(bool)
        for row, column in np.argwhere(chosen):
            volts, amperes, one = self._read(int(row), int(column), usual)
            siemens[row, column] = amperes[0] / volts[0] if volts[0] else 0.0
            flags[row, column] = one[0]
        return Conductances(siemens, flags)

    def multiply(self, volts: Any) -> Currents:
        """Apply ``volts[B, rows]`` cell by cell and sum each column's currents."""
        checked = checked_stimulus(volts, self.shape[0], self.name, "read voltages")
        applied, clipped = on_grid(as_numpy(checked), 0.0, self.max_volts)
        shape = (len(applied), self.shape[1])
        amperes = np.zeros(shape)
        flags = np.bitwise_or.reduce(clipped, axis=1, keepdims=True).repeat(self.shape[1], axis=1)
        for row, column in np.ndindex(self.shape):
            _, current, one = self._read(row, column, applied[:, row])
            amperes[:, column] += current
            flags[:, column] |= one
        return Currents(like(amperes, volts), like(flags, volts))

    def state_dict(self) -> dict[str, Any]:
        """Programming pulses that each cell has received."""
        return {"pulses": self._pulses.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the counts back; the cells themselves keep their own state.

        Raises
        ------
        UsageError
            For the state of an array of another shape.
        """
        pulses = np.asarray(state["pulses"], dtype=np.int64)
        if pulses.shape != self.shape:
            raise UsageError(
                f"{self.name}: the state has shape {pulses.shape}, the array {self.shape}",
                remedy="load it into an array of the same shape",
            )
        self._pulses[:] = pulses

    def _write(self, row: int, column: int, pulses: int) -> int:
        volts, seconds = self._pulse
        try:
            with self._probes.at(self._devices[row][column]) as probe:
                probe.pulse(volts if pulses > 0 else -volts, seconds, abs(pulses))
        except CheckFailed:  # no contact: worth a flag, not the end of a training
            return int(Flag.DEAD)
        self._pulses[row, column] += abs(pulses)
        return 0

    def _read(self, row: int, column: int, levels: Floats) -> tuple[Floats, Floats, Any]:
        try:
            with self._probes.at(self._devices[row][column]) as probe:
                return probe.read(levels)
        except CheckFailed:
            nothing = np.zeros(len(levels))
            return nothing, nothing, np.full(len(levels), int(Flag.DEAD), np.uint8)
