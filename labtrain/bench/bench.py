"""The bench: instruments, wiring and devices of one file, open for the length of a block."""

from __future__ import annotations

import atexit
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from labtrain.bench.circuit import Circuit
from labtrain.bench.connecting import Connector
from labtrain.bench.connection import Connection
from labtrain.bench.contacts import Contacts
from labtrain.bench.describing import describe_plan
from labtrain.bench.device_face import DeviceFace
from labtrain.bench.ending import Ending
from labtrain.bench.endurance import EnduranceBook, book_path
from labtrain.bench.instruments import Instruments
from labtrain.bench.planning import BenchSetup, read_setup
from labtrain.bench.raw_messages import send_raw
from labtrain.bench.reading import BenchSource
from labtrain.bench.relays import RelayBoard
from labtrain.bench.rests import Rests
from labtrain.bench.role_arrays import RoleArray
from labtrain.bench.surroundings import Surroundings
from labtrain.bench.ways import Ways
from labtrain.bus import RecordedClock
from labtrain.errors import InstrumentError, UsageError
from labtrain.roles.digitizer import Digitizer
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.sensor import Sensor
from labtrain.roles.source_meter import SourceMeter
from labtrain.roles.switch_matrix import SwitchMatrix
from labtrain.session.sink import NullSink, Sink
from labtrain.wiring import BenchPlan


@final
class Bench(DeviceFace):
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
        self._surroundings = Surroundings(
            setup.plan.environment, self._instruments.sensor, sink, self._connection.bus.clock
        )
        self._ending = Ending(connection)
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
        except BaseException:
            connection.safe_state()
            connection.close()
            raise
        try:
            bench._note_opening()
        except BaseException as error:
            bench._end(error)
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

    def sensor(self, name: str) -> Sensor:
        """Return a sensor (a gaussmeter, a thermometer) by its name."""
        return self._instruments.sensor(name)

    def digitizer(self, name: str) -> Digitizer:
        """Return the digitiser of a source meter (``meter.name`` inside a route): many readings at a bias."""
        return self._instruments.digitizer(name)

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
        return send_raw(self._setup, self._connection, name, message)

    def describe(self) -> dict[str, Any]:
        """Return the bench as plain data: instruments with identities, wiring, devices, limits."""
        described = describe_plan(self.plan)
        for alias, identity in self._connection.identities.items():
            described["instruments"][alias]["idn"] = identity
        return described

    def note_settings(self, moment: str) -> None:
        """Have the record keep how every instrument is set now: documents ``settings/<instrument>/<moment>``.

        Parameters
        ----------
        moment
            Such as ``"start"`` and ``"end"``.
        """
        for alias, found in self._connection.settings().items():
            self.sink.document(f"settings/{alias}/{moment}", found)

    # below

    def _note_opening(self) -> None:
        """Record what the bench is and what surrounds it, now that its instruments have answered."""
        self.sink.document("live/bench", describe_plan(self.plan))  # for readers without labtrain
        for alias, identity in self._connection.documents().items():
            self.sink.document(f"instruments/{alias}", identity)
        self._surroundings.look()

    def _begin_anew(self) -> None:
        """Forget all that is believed of instruments and contacts; only where no route is closed."""
        self._connection.renew()
        self._instruments.forget()
        self._contacts.forget()
        self._book.go_on_in(book_path(self.plan) if self._connection.is_live else None)

    def _end(self, error: BaseException | None) -> None:
        if not self._open:
            self._ending.let_go()  # another thread, which cannot, may have ended it
            return
        self._open = False
        atexit.unregister(self.close)
        self._ending.end(error)
