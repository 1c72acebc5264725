"""Links and clock of a bench: to real addresses, to a simulated world, or to a record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, final

from labtrain import entry_points
from labtrain.clock import Clock, RealClock, VirtualClock
from labtrain.errors import InstrumentError
from labtrain.links.link import Link
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import BenchPlan, InstrumentPlan

_TIMEOUT = 2.0


class Connector(ABC):
    """Makes the links of one bench, all on one clock.

    Attributes
    ----------
    drives
        Whether instruments are, or will be, driven: then they are locked and guarded.
    """

    clock: Clock
    drives = False

    @abstractmethod
    def link(self, plan: InstrumentPlan, spec: DriverSpec) -> Link:
        """Open the link to one instrument.

        Raises
        ------
        InstrumentError
            Naming the instrument and its address, when it cannot be reached.
        """

    def hand_over(self) -> bool:
        """Let instruments answer from now on that a record has answered for; False where nothing changes."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Let go of what stands behind the links; closing twice is harmless."""


@final
class LiveConnector(Connector):
    """Real addresses by VISA or serial port; instruments without one from a simulated world.

    Time is virtual when every instrument is simulated.

    Parameters
    ----------
    plan
        The validated bench file.
    mount
        How simulated instruments are reached: ``"in-process"``, ``"tcp"`` or ``"serial"``.
    """

    drives = True

    def __init__(self, plan: BenchPlan, mount: str) -> None:
        self._simulated = [one.alias for one in plan.instruments.values() if one.resource is None]
        all_simulated = len(self._simulated) == len(plan.instruments)
        self.clock = VirtualClock() if all_simulated else RealClock()
        self.world: Any = None
        if self._simulated:
            open_world = entry_points.load(entry_points.WORLDS, "nodal")
            self.world = open_world(plan, self.clock, mount)
        self._in_process = mount == "in-process"

    def link(self, plan: InstrumentPlan, spec: DriverSpec) -> Link:
        """Open the link to one instrument."""
        if plan.resource is not None:
            return open_link(plan, spec, plan.resource)
        if self._in_process:
            from labtrain.links.in_process import InProcessLink

            return InProcessLink(f"in-process::{plan.alias}", self.world.handlers[plan.alias])
        return open_link(plan, spec, self.world.resources[plan.alias])

    def close(self) -> None:
        """Close the simulated world."""
        world, self.world = self.world, None
        if world is not None:
            world.close()


@final
class ReplayConnector(Connector):
    """Links and clock of a recording: answers come from the record, nothing is driven.

    Parameters
    ----------
    replay
        A :class:`labtrain.session.Replay`.
    """

    def __init__(self, replay: Any) -> None:
        self._replay = replay
        self.clock = replay.clock

    def link(self, plan: InstrumentPlan, spec: DriverSpec) -> Link:
        """Return the record's link of one instrument."""
        link: Link = self._replay.link(plan.alias)
        return link

    def close(self) -> None:
        """Nothing stands behind a record."""


def open_link(plan: InstrumentPlan, spec: DriverSpec, resource: str) -> Link:
    """Open a real link to ``resource`` as the driver's transport says.

    Raises
    ------
    InstrumentError
        Naming the instrument and its address.
    """
    timeout = float(plan.options.get("timeout", _TIMEOUT))
    try:
        if spec.transport == "serial":
            from labtrain.links.serial import SerialLink

            return SerialLink(resource, spec.termination, timeout)
        from labtrain.links.visa import VisaLink

        return VisaLink(resource, spec.termination, timeout)
    except InstrumentError as error:
        if error.instrument is None:
            error.instrument = error.key = plan.alias
            error.message = error.message.replace("instrument at", f"{plan.alias} at", 1)
        raise
