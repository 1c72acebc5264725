"""What a bench can do with its devices: choose them, connect them, check them, pulse them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labtrain.bench.connection import Connection
from labtrain.bench.contact import Contact
from labtrain.bench.endurance import EnduranceBook, Life
from labtrain.bench.instruments import Instruments
from labtrain.bench.planning import BenchSetup
from labtrain.bench.pulse_path import PulsePath
from labtrain.bench.reach import Reach
from labtrain.bench.role_arrays import RoleArray, open_array
from labtrain.bench.selecting import select_devices
from labtrain.bench.surroundings import Surroundings
from labtrain.bench.ways import Ways
from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.roles.source_meter import SourceMeter
from labtrain.session.sink import Sink
from labtrain.wiring import BenchPlan, DevicePlan, TerminalPlan


class DeviceFace:
    """The half of :class:`labtrain.bench.Bench` that speaks of devices and terminals."""

    plan: BenchPlan
    sink: Sink
    _setup: BenchSetup
    _book: EnduranceBook
    _connection: Connection
    _instruments: Instruments
    _surroundings: Surroundings
    _ways: Ways
    _arrays: dict[str, RoleArray]
    _open: bool

    def device(self, name: str) -> DevicePlan:
        """Return one device: ``"sot"``, ``"neurons[3]"``."""
        found = self.select(name)
        if len(found) != 1:
            remedy = f"name one of them, such as {found[0].name!r}"
            raise UsageError(f"{name!r} names {len(found)} devices where one is needed", remedy=remedy)
        return found[0]

    def select(self, text: str) -> list[DevicePlan]:
        """Return devices by name, index, slice or a list of those: ``"neurons[0:4],sot"``."""
        return select_devices(self.plan, text)

    @contextmanager
    def route(self, device: str | DevicePlan, terminal: str, *, sense: bool = False) -> Iterator[SourceMeter]:
        """Connect the source meter that can reach a terminal, for the length of the block.

        Relays close cold, ground side first; on every way out the source goes off and they open. The
        first route to a terminal begins with its contact check.

        Parameters
        ----------
        sense
            Connect the sense leads too, check them, and allow ``configure(..., remote_sense=True)``.

        Raises
        ------
        CheckFailed
            When the terminal's contact check does not find what the bench file expects, or a sense lead is
            open.
        UsageError
            When no source meter can reach the terminal, or it has no sense lead.
        LimitExceeded
            When a relay may not move.
        """
        self._surroundings.look()
        with self._ways.route(*self._terminal(device, terminal), sense) as meter:
            yield meter

    def contact_check(
        self,
        device: str | DevicePlan,
        terminal: str,
        *,
        volts: float | None = None,
        amperes: float | None = None,
        repeats: int = 1,
        nplc: float = 1.0,
    ) -> Contact:
        """Measure a terminal at 20 mV or less and compare it with its expected resistance.

        What is found counts from then on, for better or worse; nothing is raised for a bad contact.

        Parameters
        ----------
        volts, amperes
            Level and current limit; by default 20 mV and 100 uA, or what the terminal's limits allow.
        repeats
            Readings at each polarity.
        nplc
            Aperture in power line cycles.

        Raises
        ------
        UsageError
            When no source meter reaches the terminal.
        """
        found, plan = self._terminal(device, terminal)
        return self._ways.contact_check(found, plan, volts, amperes, repeats, nplc)

    def out_of_contact(self, device: str | DevicePlan) -> list[str]:
        """Check what is due of a device's terminals; return those that did not pass, as ``"sot.top"``.

        Empty where the bench file says ``hazards.contact_check = false``.
        """
        return self._ways.out_of_contact(self.device(device) if isinstance(device, str) else device)

    def pulse_path(
        self, device: str | DevicePlan, terminal: str, *, resistance: float | None = None
    ) -> PulsePath:
        """Return the way from the generator that can reach a terminal: pulses in volts at the device.

        Parameters
        ----------
        resistance
            Measured, in ohm; None takes the centre of the expected range.
        """
        found, plan = self._terminal(device, terminal)
        return self._ways.pulse_path(found, plan, resistance)

    def life(self, device: str | DevicePlan, terminal: str) -> Life:
        """Return what the logbook says a terminal has been through: pulses, stress time, largest pulse."""
        found, plan = self._terminal(device, terminal)
        return self._book.life(f"{found.name}.{plan.name}")

    def charge_pulses(
        self, device: str | DevicePlan, terminal: str, pulses: int, volts: float, seconds: float
    ) -> None:
        """Charge the logbook with pulses that a source meter is about to give; a generator's are anyway.

        Raises
        ------
        LimitExceeded
            When the device would exceed its ``total_pulses``; nothing is charged.
        """
        found, plan = self._terminal(device, terminal)
        self._book.charge(f"{found.name}.{plan.name}", pulses, volts, seconds, plan.limits)

    def array(self, name: str) -> RoleArray:
        """Return an array in the role of its kind, wired to the instruments; its exchanges are recorded."""
        if name not in self.plan.arrays:
            raise UsageError(f"the bench has no array {name!r}", remedy=nearest(name, self.plan.arrays))
        if name not in self._arrays:
            reach = Reach(self.route, self.pulse_path, self._instruments.digitizer)
            self._arrays[name] = open_array(self._setup, name, reach, self.sink)
        return self._arrays[name]

    def _terminal(self, device: str | DevicePlan, terminal: str) -> tuple[DevicePlan, TerminalPlan]:
        if not self._open:
            raise UsageError("the bench is closed", remedy="use it inside `with Bench.open(...) as bench:`")
        found = self.device(device) if isinstance(device, str) else device
        if terminal not in found.terminals:
            raise UsageError(
                f"{found.name} has no terminal {terminal!r}", remedy=nearest(terminal, found.terminals)
            )
        return found, found.terminals[terminal]
