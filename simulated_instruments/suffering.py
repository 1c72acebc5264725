"""What devices suffer from levels that stand, from pulses, and from relays that move under voltage."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from simulated_instruments.circuit import Circuit
from simulated_instruments.circuits import Circuits, Driven
from simulated_instruments.devices import Branch, Device
from simulated_instruments.laws import Floats
from simulated_instruments.operating_points import OperatingPoint, OperatingPoints

CABLE_FARADS: Final = 100e-12
_CABLE_OHMS: Final = 1e3


@dataclass(slots=True, eq=False)
class Standing:
    """A level that stands since ``since_ns`` and is charged to the devices when it ends."""

    driven: Driven
    setting: Hashable
    point: OperatingPoint
    since_ns: int

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
        self._standing: dict[int, Standing] = {}

    def changed(self, now_ns: int) -> None:
        """Note the levels that stand from now on, and charge those that stand no longer."""
        before, self._standing = self._standing, {}
        over = []
        for driven in self._circuits.driven():
            one = before.pop(id(driven), None)
            if one is None or not one.stays():
                over += [] if one is None else [one]
                one = Standing(driven, driven.setting(), self._begun(driven), now_ns)
            self._standing[id(driven)] = one
        for one in (*over, *before.values()):
            self._end(one, now_ns)

    def changed_in(self, driven: Driven, now_ns: int) -> None:
        """Do what :meth:`changed` does where only the sources of one circuit have changed, and no relay."""
        one = self._standing.get(id(driven))
        if one is None:
            self.changed(now_ns)
            return
        setting = driven.setting()
        if driven.varies or setting != one.setting:
            point = self._begun(driven)
            self._end(one, now_ns)
            one.setting, one.point = setting, point

    def _begun(self, driven: Driven) -> OperatingPoint:
        point = driven.standing()
        if driven.moving:
            self._tell(driven, point, 0.0)
        for place, branch in driven.branches:
            volts, amperes = point.branch_volts[place], point.branch_amperes[place]
            branch.stress.note_most(abs(volts), abs(amperes), abs(volts * amperes))
        return point

    def settled(self, now_ns: int) -> None:
        """Charge everything up to now."""
        for one in self._standing.values():
            self._end(one, now_ns)

    def begin_anew(self, now_ns: int) -> None:
        """Charge everything up to now and look at every circuit again: a device has changed."""
        self.settled(now_ns)
        self._standing = {}
        self.changed(now_ns)

    def forget(self) -> None:
        """Charge nothing for what stood: devices were set to another state."""
        self._standing = {}

    def _end(self, one: Standing, now_ns: int) -> None:
        seconds, one.since_ns = (now_ns - one.since_ns) * 1e-9, now_ns
        if seconds > 0:
            if one.driven.moving:
                self._tell(one.driven, one.point, seconds)
            for place, branch in one.driven.branches:
                if branch.stood(one.point.branch_volts[place], seconds):
                    self._circuits.wear()

    def _tell(self, driven: Driven, point: OperatingPoint, seconds: float) -> None:
        """Tell devices that levels change that a level stood for ``seconds`` until now, or begins."""
        for column, branch in driven.moving:
            self._owners[id(branch)].held(branch, point.branch_volts[column], seconds)

    def watched(
        self, driven: Driven, levels: Mapping[int, Floats], seconds: float, dwell: float
    ) -> OperatingPoints:
        """Solve for readings; devices that levels change are told first where they will stand."""
        points = driven.solve(levels)
        if not driven.moving:
            return points
        for column, branch in driven.moving:
            self._owners[id(branch)].watched(branch, points.branch_volts[:, column], seconds, dwell)
        try:
            return driven.solve(levels)
        finally:
            for _, branch in driven.moving:
                self._owners[id(branch)].unwatched()

    def watched_once(self, driven: Driven, seconds: float) -> OperatingPoint:
        """Solve for one reading where the sources stand, or remember what stands."""
        one = self._standing.get(id(driven))
        if one is not None and not driven.varies and one.setting == driven.setting():
            return one.point
        return self.watched(driven, {}, seconds, 0.0).last() if driven.moving else driven.standing()

    def interrupted(self, driven: Driven, seconds: float, now_ns: int) -> None:
        """Note that for the last ``seconds`` something else stood in a circuit, charged already."""
        one = self._standing.get(id(driven))
        if one is not None:
            one.since_ns = min(one.since_ns + round(seconds * 1e9), now_ns)

    def swept(self, circuit: Circuit, points: OperatingPoints, seconds: float) -> None:
        """Charge every device of a circuit with levels of ``seconds`` each."""
        for column, branch in enumerate(circuit.branches):
            if branch.suffer(points.branch_volts[:, column], points.branch_amperes[:, column], seconds):
                self._circuits.wear()

    def _charge(self, circuit: Circuit, point: OperatingPoint, seconds: float) -> None:
        """Charge every device of a circuit with one level."""
        for branch, v, i in zip(circuit.branches, point.branch_volts, point.branch_amperes, strict=True):
            if branch.suffer_level(v, i, seconds):
                self._circuits.wear()

    def pulses(self, circuit: Circuit, point: OperatingPoint, seconds: float, count: int) -> None:
        """Charge ``count`` equal pulses, and let the devices react to them."""
        for branch, v, i in zip(circuit.branches, point.branch_volts, point.branch_amperes, strict=True):
            branch.stress.note_pulse(v * i, seconds, count)
            self._owners[id(branch)].pulsed(branch, v, seconds, count)
        self._charge(circuit, point, seconds * count)

    def overshoot(self, circuit: Circuit, point: OperatingPoint, seconds: float) -> None:
        """Charge the overshoot of a range change."""
        for branch, volts in zip(circuit.branches, point.branch_volts, strict=True):
            branch.stress.note_transient(volts)
        self._charge(circuit, point, seconds)

    def live(self) -> list[tuple[Circuit, OperatingPoint]]:
        """Return what stands, for :meth:`switched_hot`."""
        return [(one.driven.circuit, one.point) for one in self._standing.values()]

    def switched_hot(self, before: Iterable[tuple[Circuit, OperatingPoint]]) -> None:
        """Charge connections made under voltage with the cable's charge, broken ones with a transient."""
        for circuit, point in before:
            for meter, volts in zip(circuit.meters, point.volts, strict=True):
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
