"""From a device's terminal to the instrument that reaches it: routes, contact checks, pulse paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar, final

from labtrain.bench.circuit import Channel, Circuit
from labtrain.bench.contact import Contact, contact_amperes, contact_volts, measure_contact
from labtrain.bench.contacts import Contacts
from labtrain.bench.instruments import Instruments
from labtrain.bench.pulse_path import PulsePath, nominal
from labtrain.bench.relays import RelayBoard
from labtrain.bench.rests import Rests
from labtrain.bench.routes import Routes
from labtrain.bench.sense import SENSE_VOLTS, check_sense, sense_route
from labtrain.bench.sources import GeneratorSource, MeterSource
from labtrain.errors import LimitExceeded, UsageError
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.source_meter import SourceMeter
from labtrain.wiring import DevicePlan, TerminalPlan

_S = TypeVar("_S", MeterSource, GeneratorSource)


@final
class Ways:
    """The ways to the terminals of one open bench; see the methods of the same names of ``Bench``."""

    def __init__(
        self,
        circuit: Circuit,
        board: RelayBoard,
        instruments: Instruments,
        contacts: Contacts,
        rests: Rests,
    ) -> None:
        self._circuit, self._board = circuit, board
        self._instruments, self._contacts = instruments, contacts
        self._rests = rests
        self._routes = Routes(circuit, board, instruments.switch_matrix, rests)

    @contextmanager
    def route(self, device: DevicePlan, terminal: TerminalPlan, sense: bool = False) -> Iterator[SourceMeter]:
        """Connect the source meter that can reach a terminal; contact-checked the first time."""
        if sense:
            with self._sense_route(device, terminal) as meter:
                yield meter
            return
        where = f"{device.name}.{terminal.name}"
        self._may_rest()
        channel, source = self._source(device, terminal, MeterSource)
        self._contacts.require(where)
        with self._routes.closed(device, terminal, channel, source):
            if self._contacts.due(device, terminal):
                self._measure_contact(device, terminal, source.role)
                self._contacts.require(where)
            yield source.role

    @contextmanager
    def _sense_route(self, device: DevicePlan, terminal: TerminalPlan) -> Iterator[SourceMeter]:
        """Connect by four wires: two-wire check at 10 mV, then the sense leads, each time anew."""
        route = sense_route(device, terminal)
        self._may_rest()
        channel, source = self._source(device, terminal, MeterSource)
        self._contacts.require(route.where)
        with self._routes.closed(device, terminal, channel, source, route.relays):
            volts = min(SENSE_VOLTS, contact_volts(terminal.limits))
            contact = self._measure_contact(device, terminal, source.role, volts)
            if not contact.ok:
                raise contact.failure()
            with self._instruments.senses.given(channel, route):
                ohm = check_sense(source.role, route, contact)
                self._contacts.note_sense(route.where, ohm)
                yield source.role

    def contact_check(
        self,
        device: DevicePlan,
        terminal: TerminalPlan,
        volts: float | None = None,
        amperes: float | None = None,
        repeats: int = 1,
        nplc: float = 1.0,
    ) -> Contact:
        """Measure a terminal at 20 mV or less and note whether it passed."""
        self._may_rest()
        channel, source = self._source(device, terminal, MeterSource)
        with self._routes.closed(device, terminal, channel, source):
            return self._measure_contact(device, terminal, source.role, volts, amperes, repeats, nplc)

    def out_of_contact(self, device: DevicePlan) -> list[str]:
        """Check what is due of a device's terminals; return those that did not pass."""
        for terminal in device.terminals.values():
            if self._contacts.due(device, terminal):
                self.contact_check(device, terminal)
        names = (f"{device.name}.{terminal}" for terminal in device.terminals)
        return [name for name in names if not self._contacts.passed(name)]

    def pulse_path(self, device: DevicePlan, terminal: TerminalPlan, resistance: float | None) -> PulsePath:
        """Return the way from the generator that can reach a terminal."""
        self._may_rest()
        channel, source = self._source(device, terminal, GeneratorSource)
        where = f"{device.name}.{terminal.name}"
        path = dict(self._circuit.sources_at(terminal))[channel]
        ohms = resistance or nominal(terminal.expected_resistance, where)

        @contextmanager
        def connected() -> Iterator[PulseGenerator]:
            self._may_rest()
            for name in self.out_of_contact(device):
                self._contacts.require(name)
            _, now = self._source(device, terminal, GeneratorSource)
            with self._routes.closed(device, terminal, channel, now):
                self._refuse_second_source(device, channel)
                yield now.role

        return PulsePath(source.role, path, ohms, terminal.limits, where, connected)

    def _may_rest(self) -> None:
        """Say that the bench is at rest, unless a route is closed."""
        if not self._routes.are_closed:
            self._rests.here()

    def _measure_contact(
        self,
        device: DevicePlan,
        terminal: TerminalPlan,
        meter: SourceMeter,
        volts: float | None = None,
        amperes: float | None = None,
        repeats: int = 1,
        nplc: float = 1.0,
    ) -> Contact:
        where, volts = f"{device.name}.{terminal.name}", volts or contact_volts(terminal.limits)
        with self._contacts.checking():
            contact = measure_contact(
                meter,
                where,
                terminal.expected_resistance,
                volts=volts,
                amperes=amperes or contact_amperes(terminal.limits, volts),
                repeats=repeats,
                nplc=nplc,
            )
        self._contacts.note(contact)
        return contact

    def _source(self, device: DevicePlan, terminal: TerminalPlan, kind: type[_S]) -> tuple[Channel, _S]:
        for channel, _ in self._circuit.sources_at(terminal):
            source = self._instruments.source(channel)
            if isinstance(source, kind):
                return channel, source
        what = "source meter" if kind is MeterSource else "pulse generator"
        raise UsageError(
            f"no {what} reaches {device.name}.{terminal.name} (it is connected to {terminal.node})",
            remedy="wire one to its row or node in the bench file, or choose another terminal",
        )

    def _refuse_second_source(self, device: DevicePlan, driving: Channel) -> None:
        for channel, source in self._instruments.sources.items():
            reached = {one.device.name for one in self._circuit.reached(channel, self._board.closed)}
            if channel != driving and device.name in reached and not source.rests_at_zero:
                raise LimitExceeded(
                    f"{channel} is connected to {device.name} while {driving} would pulse it: what it"
                    " holds at its level puts the pulse across the device; nothing was sent",
                    remedy=f"pulse outside the route of {channel}, and close it again to read",
                    key=device.name,
                )
