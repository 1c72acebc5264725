"""One attempt to switch a device: reset, verify, pulse, read; and how its two states are learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labtrain.arrays.probes import Probe
from labtrain.arrays.two_states import TwoStates, two_states
from labtrain.errors import CheckFailed
from protocols.pulsed import PulsedProcedure, Read

UP, DOWN = "P->AP", "AP->P"


@dataclass(frozen=True, slots=True)
class ResetPulse:
    """What brings a device into a known state.

    Attributes
    ----------
    volts, seconds
        Magnitude and width.
    attempts
        Pulses before it is given up.
    polarity
        Sign of the voltage that drives P to AP.
    """

    volts: float
    seconds: float
    attempts: int
    polarity: int

    def towards(self, direction: str, volts: float | None = None) -> float:
        """Return the signed voltage that drives a direction; the reset's own magnitude by default."""
        return (self.volts if volts is None else volts) * self.polarity * (1 if direction == UP else -1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt; resistances in ohm.

    Attributes
    ----------
    before, after
        After the reset and after the pulse; NaN where there was no pulse.
    resets
        Reset pulses given.
    valid
        Whether the reset was verified.
    """

    before: float
    after: float
    resets: int
    valid: bool
    switched: bool
    flags: int


def reset(
    procedure: PulsedProcedure, probe: Probe, states: TwoStates, pulse: ResetPulse, direction: str
) -> tuple[Read, int, bool]:
    """Drive ``direction`` until a read confirms it; return the last read, the pulses, and whether it did."""
    high = direction == UP
    resets = 0
    while True:
        procedure.pulse(probe, pulse.towards(direction), seconds=pulse.seconds)
        found = procedure.read(probe)
        resets += 1
        ready = (found.ohm > states.threshold) == high
        if ready or resets >= pulse.attempts:
            return found, resets, ready


def attempt(
    procedure: PulsedProcedure,
    probe: Probe,
    states: TwoStates,
    pulse: ResetPulse,
    direction: str,
    volts: float,
    seconds: float,
) -> Outcome:
    """Reset to the state that ``direction`` leaves, verify, pulse, read."""
    found, resets, ready = reset(procedure, probe, states, pulse, DOWN if direction == UP else UP)
    if not ready:
        return Outcome(found.ohm, math.nan, resets, False, False, found.flags)
    procedure.pulse(probe, pulse.towards(direction, volts), seconds=seconds)
    after = procedure.read(probe)
    switched = (after.ohm > states.threshold) == (direction == UP)
    return Outcome(found.ohm, after.ohm, resets, True, switched, found.flags | after.flags)


def require_clear(states: TwoStates, device: str, volts: float) -> None:
    """Raise where pulses of both polarities did not leave two clear states.

    Raises
    ------
    CheckFailed
        Naming the device and what was found.
    """
    if not states.clear:
        raise CheckFailed(
            f"{device} does not show two clear states after pulses of +-{volts:g} V"
            f" (means {states.low:.4g} and {states.high:.4g} ohm)",
            remedy="raise reset_amplitude or width, read longer (nplc), or check the device's contacts",
        )


def learn_states(procedure: PulsedProcedure, probe: Probe, pulse: ResetPulse, reads: int) -> TwoStates:
    """Read after reset pulses of alternating polarity and tell two states apart.

    Raises
    ------
    CheckFailed
        Where there are not two.
    """
    ohms = []
    for turn in range(2 * reads):
        procedure.pulse(probe, pulse.towards((UP, DOWN)[turn % 2]), seconds=pulse.seconds)
        ohms.append(procedure.read(probe).ohm)
    states = two_states(ohms)
    require_clear(states, procedure.device.name, pulse.volts)
    return states
