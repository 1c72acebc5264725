"""The short cut for the commonest circuit: one meter, resistances in a row, one device, ground.

Gives what :mod:`simulated_instruments.nodal` gives (a test holds them together),
some hundred times faster for a sweep.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labtrain.wiring import GROUND
from simulated_instruments.circuit import Circuit
from simulated_instruments.laws import CurrentLaw, Floats, LinearLaw
from simulated_instruments.nodal import LEAK_SIEMENS, Drive
from simulated_instruments.operating_points import OperatingPoint, OperatingPoints

_STEPS: Final = 100
_PUSHED: Final = (((1.0,),), ((0.0,),))
"""A held current: an EMF moves the voltage by itself, and the current not at all."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeriesChain:
    """A meter through ``ohms`` into one device; ``law`` is the device's at every moment."""

    circuit: Circuit
    ohms: float

    def standing(self) -> OperatingPoint:
        """Solve where the source stands."""
        port = self.circuit.meters[0]
        law: Any = self.circuit.branches[0].law
        if not law.linear:
            return self.solve(Drive(port.mode, np.array([port.level]), port.limit)).last()
        # one point in plain numbers, to the bit what the arrays give (a test holds them together)
        level, limit, forced, ohms = port.level, port.limit, port.mode == "current", law.ohms
        total = ohms + self.ohms
        if forced:
            limited = not abs(level * total) <= limit
            amperes = math.copysign(limit / total, level) if limited else level
        else:
            limited = limit * total < abs(level)
            amperes = math.copysign(limit, level) if limited else level / total
        across = ohms * amperes
        transfer = (((0.0,),), ((-1.0 / total,),)) if limited is forced else _PUSHED
        volts = across + amperes * self.ohms
        return OperatingPoint((volts,), (amperes,), (limited,), (across,), (amperes,), lambda: transfer)

    def solve(self, drive: Drive) -> OperatingPoints:
        """Solve for B points; see :class:`simulated_instruments.nodal.NodalSystem`."""
        law = self.circuit.branches[0].law
        assert isinstance(law, CurrentLaw)
        forced = drive.mode == "current"
        if isinstance(law, LinearLaw):
            amperes, limited = self._linear(law.ohms, drive, forced)
            across = law.voltage(amperes)
        else:
            solve = self._under_current if forced else self._under_voltage
            amperes, across, limited = solve(law, drive.levels, drive.limit)
        volts = across + amperes * self.ohms
        held = limited if forced else ~limited  # the voltage is held, so an EMF moves the current

        def transfer() -> tuple[Floats, Floats]:
            if not held.any():
                return np.ones((len(amperes), 1, 1)), np.zeros((len(amperes), 1, 1))
            by_amperes = np.where(held, -1.0 / (law.slope(amperes) + self.ohms), 0.0)
            return np.where(held, 0.0, 1.0)[:, None, None], by_amperes[:, None, None]

        column = (slice(None), None)
        return OperatingPoints(
            volts[column], amperes[column], limited[column], across[column], amperes[column], transfer
        )

    def _linear(self, ohms: Any, drive: Drive, forced: bool) -> tuple[Floats, Bools]:
        levels, limit, total = drive.levels, drive.limit, ohms + self.ohms
        if forced:
            limited = ~(np.abs(levels * total) <= limit)
            most, free = limit / total, levels
        else:
            limited = limit * total < np.abs(levels)
            most, free = limit, levels / total
        return np.where(limited, np.copysign(most, levels), free), limited

    def _under_current(self, law: CurrentLaw, levels: Floats, limit: float) -> tuple[Floats, Floats, Bools]:
        across = law.voltage(levels)
        volts = across + levels * self.ohms
        limited = ~(np.abs(volts) <= limit)
        if not limited.any():
            return levels, across, limited
        amperes = levels.copy()
        target = np.sign(volts[limited]) * limit
        amperes[limited] = self._root(law, target, np.zeros(target.shape), levels[limited])
        return amperes, law.voltage(amperes), limited

    def _under_voltage(self, law: CurrentLaw, levels: Floats, limit: float) -> tuple[Floats, Floats, Bools]:
        top = np.minimum(np.abs(levels) / self.ohms, limit) * np.sign(levels)
        beyond = np.abs(law.voltage(top) + top * self.ohms) < np.abs(levels)
        amperes = self._root(law, levels, np.zeros(levels.shape), top)
        amperes = np.where(beyond, np.sign(levels) * limit, amperes)
        return amperes, law.voltage(amperes), beyond

    def _root(self, law: CurrentLaw, volts: Floats, low: Floats, high: Floats) -> Floats:
        """Find the current of a total voltage between two currents.

        Newton's method, and bisection where it leaves the bracket or does not halve its step
        (Press et al., Numerical Recipes, 9.4).
        """
        sign = np.where(high >= low, 1.0, -1.0)
        low, high, volts = low * sign, high * sign, volts * sign
        amperes = np.clip(volts / (law.slope(0.0 * volts) + self.ohms), low, high)
        before = high - low
        settled = np.zeros(amperes.shape, dtype=bool)
        for _ in range(_STEPS):
            signed = amperes * sign
            error = (law.voltage(signed) + signed * self.ohms) * sign - volts
            high = np.where(error > 0, amperes, high)
            low = np.where(error > 0, low, amperes)
            newton = amperes - error / (law.slope(signed) + self.ohms)
            safe = (newton > low) & (newton < high) & (2 * np.abs(newton - amperes) < before)
            settled |= error == 0.0
            following = np.where(settled, amperes, np.where(safe, newton, 0.5 * (low + high)))
            before = np.abs(following - amperes)
            amperes = following
            # a point that is found stays: what others need must not move it
            settled |= before <= 1e-15 * np.abs(amperes) + 1e-24
            if bool(settled.all()):
                break
        return amperes * sign


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A meter that reaches nothing: insulation only."""

    circuit: Circuit

    def standing(self) -> OperatingPoint:
        """Solve where the source stands."""
        port = self.circuit.meters[0]
        return self.solve(Drive(port.mode, np.array([port.level]), port.limit)).last()

    def solve(self, drive: Drive) -> OperatingPoints:
        """Reads the level at no current, or the limit in current mode."""
        levels = drive.levels
        leak = LEAK_SIEMENS
        volts = levels if drive.mode == "voltage" else np.clip(levels / leak, -drive.limit, drive.limit)
        amperes = volts * leak
        limited = np.zeros(levels.shape, dtype=bool)
        if drive.mode == "current":
            limited = np.abs(levels) > np.abs(amperes) * (1 + 1e-9)
        none, column = np.zeros((len(levels), 0)), (slice(None), None)
        nothing = np.zeros((len(levels), 1, 0))
        return OperatingPoints(
            volts[column], amperes[column], limited[column], none, none, lambda: (nothing, nothing)
        )


def shorten(circuit: Circuit) -> SeriesChain | OpenRoute | None:
    """Return the short cut that a circuit allows, None where only the full solve will do."""
    if len(circuit.meters) != 1 or circuit.generators or circuit.meters[0].remote:
        return None
    if not any(circuit.meters[0].hi in edge[:2] for edge in circuit.edges):
        return None if circuit.branches else OpenRoute(circuit)
    if len(circuit.branches) != 1:
        return None
    branch, meter = circuit.branches[0], circuit.meters[0]
    if branch.end != GROUND or not isinstance(branch.law, CurrentLaw):
        return None
    ohms = _series_ohms(circuit, meter.hi, branch.start)
    back = 0.0 if meter.lo == GROUND else _series_ohms(circuit, meter.lo, GROUND)
    loops = len(circuit.nodes) != len(circuit.edges) + 1
    return None if ohms is None or back is None or loops else SeriesChain(circuit, ohms + back)


def _series_ohms(circuit: Circuit, start: str, goal: str) -> float | None:
    """Add up the only way from ``start`` to ``goal``; None where it forks."""
    at: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for one, other, ohms in circuit.edges:
        at[one].append((other, ohms))
        at[other].append((one, ohms))
    node, before, total = start, "", 0.0
    while node != goal:
        ways = [way for way in at[node] if way[0] != before]
        if len(ways) != 1:
            return None
        before, (node, ohms) = node, ways[0]
        total += ohms
    return total
