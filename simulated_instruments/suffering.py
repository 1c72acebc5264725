"""What devices suffer from levels that stand, from pulses, and from relays that move under voltage."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from simulated_instruments.circuit import Circuit
from simulated_instruments.circuits import Circuits, Driven
from simulated_instruments.devices import Branch, Device
from simulated_instruments.laws import Floats
from simulated_instruments.nodal import OperatingPoints

CABLE_FARADS: Final = 100e-12
_CABLE_OHMS: Final = 1e3


@dataclass(slots=True, eq=False)
class Standing:
    """A level that stands since ``since_ns`` and is charged to the devices when it ends."""

    driven: Driven
    setting: Hashable
    points: OperatingPoints
    since_ns: int

    @property
    def stays(self) -> bool:
        """Whether it still is what the sources do."""
        return not self.driven.varies and self.setting == self.driven.setting()


class Suffering:
    """Charges levels to devices for as long as they stand, and breaks those that had too much.

    Parameters
    ----------
    circuits
        Of the world.
    devices
        Every device, by its name.
    """

    def __init__(self, circuits: Circuits, devices: Mapping[str, Device]) -> None:
        self._circuits = circuits
        self._owners = {id(branch): device for device in devices.values() for branch in device.branches}
        self._standing: list[Standing] = []

    def changed(self, now_ns: int) -> None:
        """Note the levels that stand from now on, and charge those that stand no longer."""
        before = {id(one.driven): one for one in self._standing}
        self._standing, over = [], []
        for driven in self._circuits.driven():
            one = before.pop(id(driven), None)
            if one is None or not one.stays:
                over += [] if one is None else [one]
                one = Standing(driven, driven.setting(), driven.standing(), now_ns)
                self._tell(driven, one.points, 0.0)
                self.at_once(driven.circuit, one.points, 0.0)
            self._standing.append(one)
        for one in (*over, *before.values()):
            self._end(one, now_ns)

    def settled(self, now_ns: int) -> None:
        """Charge everything up to now."""
        for one in self._standing:
            self._end(one, now_ns)

    def begin_anew(self, now_ns: int) -> None:
        """Charge everything up to now and look at every circuit again: a device has changed."""
        self.settled(now_ns)
        self._standing = []
        self.changed(now_ns)

    def forget(self) -> None:
        """Charge nothing for what stood: devices were set to another state."""
        self._standing = []

    def _end(self, one: Standing, now_ns: int) -> None:
        seconds, one.since_ns = (now_ns - one.since_ns) * 1e-9, now_ns
        if seconds > 0:
            self._tell(one.driven, one.points, seconds)
            self.at_once(one.driven.circuit, one.points, seconds)

    def _tell(self, driven: Driven, points: OperatingPoints, seconds: float) -> None:
        """Tell devices that levels change that a level stood for ``seconds`` until now, or begins."""
        for column, branch in driven.moving:
            self._owners[id(branch)].held(branch, float(points.branch_volts[-1, column]), seconds)

    def watched(
        self, driven: Driven, levels: Mapping[int, Floats], seconds: float, dwell: float
    ) -> OperatingPoints:
        """Solve for readings; devices that levels change are told first where they will stand."""
        if not driven.moving:
            return driven.solve(levels) if levels else driven.standing()
        points = driven.solve(levels)
        for column, branch in driven.moving:
            self._owners[id(branch)].watched(branch, points.branch_volts[:, column], seconds, dwell)
        try:
            return driven.solve(levels)
        finally:
            for _, branch in driven.moving:
                self._owners[id(branch)].unwatched()

    def standing_in(self, driven: Driven) -> OperatingPoints | None:
        """Return what stands in a circuit, None where nothing does or it changes by itself."""
        for one in self._standing:
            if one.driven is driven and one.stays:
                return one.points
        return None

    def interrupted(self, driven: Driven, seconds: float, now_ns: int) -> None:
        """Note that for the last ``seconds`` something else stood in a circuit, charged already."""
        for one in self._standing:
            if one.driven is driven:
                one.since_ns = min(one.since_ns + round(seconds * 1e9), now_ns)

    def at_once(self, circuit: Circuit, points: OperatingPoints, seconds: float) -> None:
        """Charge every device of a circuit with levels of ``seconds`` each."""
        if len(points.branch_volts) == 1:
            volts, amperes = points.branch_volts[0].tolist(), points.branch_amperes[0].tolist()
            for branch, v, i in zip(circuit.branches, volts, amperes, strict=True):
                if branch.suffer_level(v, i, seconds):
                    self._circuits.wear()
            return
        for column, branch in enumerate(circuit.branches):
            if branch.suffer(points.branch_volts[:, column], points.branch_amperes[:, column], seconds):
                self._circuits.wear()

    def pulses(self, circuit: Circuit, points: OperatingPoints, seconds: float, count: int) -> None:
        """Charge ``count`` equal pulses, and let the devices react to them."""
        volts, amperes = points.branch_volts[-1].tolist(), points.branch_amperes[-1].tolist()
        for branch, v, i in zip(circuit.branches, volts, amperes, strict=True):
            branch.stress.note_pulse(v * i, seconds, count)
            self._owners[id(branch)].pulsed(branch, v, seconds, count)
        self.at_once(circuit, points, seconds * count)

    def overshoot(self, circuit: Circuit, points: OperatingPoints, seconds: float) -> None:
        """Charge the overshoot of a range change."""
        for branch, volts in zip(circuit.branches, points.branch_volts[-1].tolist(), strict=True):
            branch.stress.note_transient(volts)
        self.at_once(circuit, points, seconds)

    def live(self) -> list[tuple[Circuit, OperatingPoints]]:
        """Return what stands, for :meth:`switched_hot`."""
        return [(one.driven.circuit, one.points) for one in self._standing]

    def switched_hot(self, before: Iterable[tuple[Circuit, OperatingPoints]]) -> None:
        """Charge connections made under voltage with the cable's charge, broken ones with a transient."""
        for circuit, points in before:
            for meter, volts in zip(circuit.meters, points.volts[-1].tolist(), strict=True):
                if meter.on and abs(volts) > 1e-3:
                    self._moved(circuit.branches, self._circuits.at(meter.hi).circuit.branches, volts)

    def _moved(self, before: tuple[Branch, ...], after: tuple[Branch, ...], volts: float) -> None:
        for branch in after:
            if branch not in before:
                self._discharge(branch, volts)
        for branch in before:
            if branch not in after:
                branch.stress.note_transient(volts)

    def _discharge(self, branch: Branch, volts: float) -> None:
        branch.stress.note_transient(volts, 0.5 * CABLE_FARADS * volts**2)
        if branch.suffer_level(volts, 0.0, CABLE_FARADS * _CABLE_OHMS):
            self._circuits.wear()
