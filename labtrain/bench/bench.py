"""The bench: instruments, wiring and devices of one file, open for the length of a block."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from labtrain.bench.circuit import Circuit
from labtrain.bench.connecting import Connector
from labtrain.bench.connection import Connection, failures
from labtrain.bench.console_windows import ConsoleClose
from labtrain.bench.contact import Contact
from labtrain.bench.contacts import Contacts
from labtrain.bench.describing import describe_plan
from labtrain.bench.endurance import EnduranceBook, Life, book_path
from labtrain.bench.instruments import Instruments
from labtrain.bench.planning import BenchSetup, read_setup
from labtrain.bench.pulse_path import PulsePath
from labtrain.bench.reach import Reach
from labtrain.bench.reading import BenchSource
from labtrain.bench.relays import RelayBoard
from labtrain.bench.rests import Rests
from labtrain.bench.role_arrays import RoleArray, open_array
from labtrain.bench.selecting import select_devices
from labtrain.bench.signals import TerminationAsException
from labtrain.bench.ways import Ways
from labtrain.bus import RecordedClock
from labtrain.errors import InstrumentError, InstrumentStateChanged, UsageError
from labtrain.naming import nearest
from labtrain.roles.digitizer import Digitizer
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.source_meter import SourceMeter
from labtrain.roles.switch_matrix import SwitchMatrix
from labtrain.session.sink import NullSink, Sink
from labtrain.wiring import BenchPlan, DevicePlan, TerminalPlan


@final
class Bench:
    """An open bench; made by :meth:`open`, left in its safe state on every way out.

    Attributes
    ----------
    plan
        The validated bench file.
    sink
        Where its messages go.
    seed
        The bench file's: draws the simulated chip.
    """

    def __init__(
        self, setup: BenchSetup, connection: Connection, sink: Sink, rests: Rests | None = None
    ) -> None:
        self.plan: BenchPlan = setup.plan
        self.sink = sink
        self.seed = setup.plan.seed
        self._setup = setup
        self._connection = connection
        self._circuit = Circuit(setup.plan, setup.specs)
        self._board = RelayBoard()
        self._book = EnduranceBook(book_path(setup.plan) if connection.is_live else None)
        demanded = bool(setup.plan.hazards["contact_check"])
        self._contacts = Contacts(self._circuit, setup.specs, sink, self._book, demanded=demanded)
        self._instruments = Instruments(
            setup, connection, self._circuit, self._board, self._contacts, self._book
        )
        rests = rests or Rests()
        rests.bind(self._begin_anew)
        self._ways = Ways(self._circuit, self._board, self._instruments, self._contacts, rests)
        self._arrays: dict[str, RoleArray] = {}
        self._signals = TerminationAsException()
        self._console = ConsoleClose()
        self._open = True
        self._started_ns = self.clock.now_ns()

    @classmethod
    def open(
        cls,
        file: Path | str | bytes | BenchSource,
        *,
        sink: Sink | None = None,
        connector: Connector | None = None,
        mount: str | None = None,
        rests: Rests | None = None,
    ) -> Self:
        """Open a bench file: validate, lock, connect, identify. No output changes.

        Parameters
        ----------
        file
            A path, a shipped bench's name, or the bytes of a recorded bench file.
        sink
            A session or a replay; None keeps no record.
        connector
            None connects for real; a :class:`~labtrain.bench.ReplayConnector` answers from a record.
        mount
            ``"in-process"``, ``"tcp"`` or ``"serial"`` instead of the file's own.
        rests
            Where the run is taken up on its instruments (``labtrain resume``).

        Raises
        ------
        BenchFileError
            With every problem of the file.
        InstrumentError
            When an instrument does not answer, is another model, or is held by another program.
        """
        if mount not in (None, "in-process", "tcp", "serial"):
            raise UsageError(f"there is no mount {mount!r}", remedy="allowed: in-process, tcp, serial")
        setup = read_setup(Path(file) if isinstance(file, str) else file)
        noted = sink or NullSink()
        connection = Connection(setup, noted, connector, mount)
        try:
            bench = cls(setup, connection, noted, rests)
            noted.document("live/bench", describe_plan(setup.plan))  # for readers without labtrain
            for alias, identity in bench._identities().items():
                noted.document(f"instruments/{alias}", identity)
        except BaseException:
            connection.safe_state()
            connection.close()
            raise
        atexit.register(bench.close)
        return bench

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    def close(self) -> None:
        """Bring the bench to its safe state and let go of it; closing twice is harmless.

        Raises
        ------
        InstrumentError
            When an instrument could not be switched off, after all others have been.
        """
        self._end(None)

    def safe_state(self) -> dict[str, str]:
        """Switch all outputs off, then open all relays; alias -> ``"off"`` or what failed."""
        states = self._connection.safe_state()
        with suppress(InstrumentError):  # said in `states` already
            self._instruments.shut_down()
        return states

    # time

    @property
    def clock(self) -> RecordedClock:
        """The bench's clock; its readings are in the record."""
        return self._connection.bus.clock

    @property
    def elapsed_seconds(self) -> float:
        """Bench time since the bench was opened, in s."""
        return (self.clock.now_ns() - self._started_ns) * 1e-9

    # instruments

    def source_meter(self, name: str) -> SourceMeter:
        """Return a source meter by its name: ``"smu"``, or ``"smu.a"`` for a channel."""
        return self._instruments.source_meter(name)

    def pulse_generator(self, name: str) -> PulseGenerator:
        """Return a generator's channel: ``"pulser.1"``, or ``"pulser"`` where only one is wired."""
        return self._instruments.pulse_generator(name)

    def switch_matrix(self, name: str) -> SwitchMatrix:
        """Return a switch matrix by its name."""
        return self._instruments.switch_matrix(name)

    def digitizer(self, name: str) -> Digitizer:
        """Return the digitiser of a source meter (``meter.name`` inside a route): many readings at a bias."""
        return self._instruments.digitizer(name)

    # devices

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
    def route(self, device: str | DevicePlan, terminal: str) -> Iterator[SourceMeter]:
        """Connect the source meter that can reach a terminal, for the length of the block.

        Relays close cold, ground side first; on every way out the source goes off and they open. The
        first route to a terminal begins with its contact check.

        Raises
        ------
        CheckFailed
            When the terminal's contact check does not find what the bench file expects.
        UsageError
            When no source meter can reach the terminal.
        LimitExceeded
            When a relay may not move.
        """
        with self._ways.route(*self._terminal(device, terminal)) as meter:
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
            self._arrays[name] = open_array(
                self._setup, name, Reach(self.route, self.pulse_path, self.clock), self.sink
            )
        return self._arrays[name]

    def raw(self, name: str, message: str) -> str | None:
        """Send a message round the role and so round its limits; it is recorded.

        Parameters
        ----------
        message
            Without its terminator; the reply is returned where it is a question.

        Raises
        ------
        UsageError
            Unless the bench file says ``hazards.raw = true``.
        """
        if not self.plan.hazards["raw"]:
            remedy = "write [hazards] raw = true into the bench file if you must; no limit is checked then"
            raise UsageError("this bench allows no raw messages; nothing was sent", remedy=remedy, key=name)
        if name not in self._connection.ports:
            raise UsageError(
                f"the bench has no instrument {name!r}", remedy=nearest(name, self.plan.instruments)
            )
        termination = self._setup.specs[name].termination
        self._connection.ports[name].incidents += 1  # its role must ask anew how it is set
        replies = self._connection.ports[name].raw([message.encode("ascii") + termination])
        return replies[0].removesuffix(termination).decode("ascii", "replace") if replies else None

    def describe(self) -> dict[str, Any]:
        """Return the bench as plain data: instruments with identities, wiring, devices, limits."""
        described = describe_plan(self.plan)
        for alias, identity in self._connection.identities.items():
            described["instruments"][alias]["idn"] = identity
        return described

    # below

    def _terminal(self, device: str | DevicePlan, terminal: str) -> tuple[DevicePlan, TerminalPlan]:
        if not self._open:
            raise UsageError("the bench is closed", remedy="use it inside `with Bench.open(...) as bench:`")
        found = self.device(device) if isinstance(device, str) else device
        if terminal not in found.terminals:
            raise UsageError(
                f"{found.name} has no terminal {terminal!r}", remedy=nearest(terminal, found.terminals)
            )
        return found, found.terminals[terminal]

    def _begin_anew(self) -> None:
        """Forget all that is believed of instruments and contacts; only where no route is closed."""
        self._connection.renew()
        self._instruments.forget()
        self._contacts.forget()
        self._book.go_on_in(book_path(self.plan) if self._connection.is_live else None)

    def _identities(self) -> dict[str, dict[str, Any]]:
        return {
            alias: {
                "model": self.plan.instruments[alias].model,
                "resource": self.plan.instruments[alias].resource or "simulated",
                "idn": identity,
                "power_was_off": self._connection.power_was_off[alias],
            }
            for alias, identity in self._connection.identities.items()
        }

    def _end(self, error: BaseException | None) -> None:
        if not self._open:
            return
        self._open = False
        atexit.unregister(self.close)
        failed: dict[str, str] = {}
        losses: list[str] = []
        try:
            failed = failures(self._connection.safe_state())
            losses = [] if failed or error is not None else self._connection.power_losses()
        finally:
            self._connection.close()
            self._signals.uninstall()
            self._console.uninstall()
        if failed:
            told = "; ".join(f"{alias} {state}" for alias, state in failed.items())
            message = f"not brought to the safe state: {told}"
            if error is None:
                raise InstrumentError(message, instrument="bench", remedy="switch it off by hand, now")
            error.add_note(message)
        if losses:
            raise InstrumentStateChanged(
                "its power has been off while the bench was open",
                instrument=", ".join(losses),
                remedy="readings since are not what they seem; see the record for the first that is strange",
            )
