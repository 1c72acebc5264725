"""Switches on a bench: reset, verified, pulsed and read, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.probes import Probe, Probes
from labtrain.arrays.selection import ListedDevices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.arrays.two_states import TwoStates, two_states
from labtrain.errors import CheckFailed, UsageError
from labtrain.roles.flags import Flag


@final
class WiredSwitchArray(ListedDevices, SwitchArray):
    """Bistable devices reached through a bench, a column of attempts a device.

    The first attempt on a device learns its two resistances from reset pulses of both polarities. An
    attempt whose reset cannot be verified gives no pulse.

    Parameters
    ----------
    devices
        Names in the bench file.
    probes
        How they are reached.
    max_volts
        The largest magnitude of a pulse; more is clipped and flagged.
    reset_volts, reset_seconds, reset_attempts
        The reset pulse's magnitude and width, and how many are given before an attempt is given up.
    calibration
        Readings of each state from which the threshold is learnt.
    polarity
        Sign of the voltage that drives P to AP.

    Raises
    ------
    UsageError
        For no devices, or a reset pulse that is not inside the limit.

    Notes
    -----
    A device that has not passed its contact check is not touched: flagged DEAD and STUCK. One without
    two clear states is flagged STUCK.
    """

    resolution_volts = 0.0

    def __init__(
        self,
        name: str,
        devices: Sequence[str],
        probes: Probes,
        *,
        max_volts: float,
        reset_volts: float,
        reset_seconds: float,
        reset_attempts: int = 3,
        calibration: int = 5,
        polarity: int = 1,
    ) -> None:
        if not (devices and 0 < reset_volts <= max_volts and reset_attempts >= 1 and calibration >= 3):
            raise UsageError(
                f"{name}: a reset of {reset_volts} V with a limit of {max_volts} V on {len(devices)} devices,"
                f" {reset_attempts} attempts, {calibration} readings cannot be",
                remedy="give devices, a reset pulse inside the limit, 1 attempt and 3 readings or more",
            )
        self.name, self.max_volts = name, max_volts
        self._devices = tuple(devices)
        self._probes = probes
        self._reset = (reset_volts * polarity, reset_seconds, reset_attempts)
        self._polarity, self._calibration = polarity, calibration
        self._states: dict[str, TwoStates] = {}
        self._attempts: dict[str, int] = {}

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Attempt all rows on one device, then on the next; see :class:`SwitchArray`.

        Raises
        ------
        UsageError
            For a bad shape, a pulse that is not finite or a width that the bench cannot make.
        LimitExceeded
            Where the bench refuses a pulse.
        """
        checked = checked_stimulus(volts, len(self), self.name, "pulses")
        applied, flags = on_grid(as_numpy(checked), self.resolution_volts, self.max_volts)
        switched = np.zeros(applied.shape, dtype=np.bool_)
        for j, device in enumerate(self._devices):
            try:
                switched[:, j], more = self._column(device, applied[:, j], seconds)
                flags[:, j] |= more
            except CheckFailed:  # no contact: worth a flag, not the end of a training
                flags[:, j] |= np.uint8(Flag.DEAD | Flag.STUCK)
        return Outcome(like(switched, volts), like(flags, volts))

    def state_dict(self) -> dict[str, Any]:
        """Attempts of each device, and the two states that were learnt."""
        states = {device: list(astuple(found)) for device, found in self._states.items()}
        return {"attempts": dict(self._attempts), "states": states}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back; the devices themselves keep their own state."""
        self._attempts.clear()
        self._attempts.update(state["attempts"])
        self._states.clear()
        self._states.update({device: TwoStates(*found) for device, found in state["states"].items()})

    def _column(
        self, device: str, volts: NDArray[np.float64], seconds: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
        switched, flags = np.zeros(len(volts), np.bool_), np.zeros(len(volts), np.uint8)
        with self._probes.at(device) as probe:
            if device not in self._states:
                self._states[device] = self._learn(probe)
            if not self._states[device].clear:
                return switched, flags | np.uint8(Flag.STUCK)
            for row, level in enumerate(volts.tolist()):
                switched[row], flags[row] = self._attempt(probe, self._states[device], level, seconds)
        self._attempts[device] = self._attempts.get(device, 0) + len(volts)
        return switched, flags

    def _learn(self, probe: Probe) -> TwoStates:
        """Read after reset pulses of alternating polarity."""
        ohms = []
        amplitude, seconds, _ = self._reset
        for turn in range(2 * self._calibration):
            probe.pulse(amplitude if turn % 2 else -amplitude, seconds)
            ohms.append(self._ohms(probe)[0])
        return two_states(ohms)

    def _attempt(self, probe: Probe, states: TwoStates, volts: float, seconds: float) -> tuple[bool, int]:
        amplitude, reset_seconds, attempts = self._reset
        starts_high, flags = volts < 0, int(Flag.STUCK)
        for _ in range(attempts):
            probe.pulse(amplitude if starts_high else -amplitude, reset_seconds)
            ohms, flags = self._ohms(probe)
            if (ohms > states.threshold) == starts_high:
                break
        else:
            return False, flags | int(Flag.STUCK)
        if volts == 0:
            return False, flags
        probe.pulse(volts * self._polarity, seconds)
        ohms, more = self._ohms(probe)
        return bool((ohms > states.threshold) != starts_high), flags | more

    def _ohms(self, probe: Probe) -> tuple[float, int]:
        volts, amperes, flags = probe.read(np.array([self._probes.gentle.volts]))
        return float(volts[0] / amperes[0]) if amperes[0] else np.inf, int(flags[0])
