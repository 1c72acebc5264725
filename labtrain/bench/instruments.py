"""The roles of an open bench, each made when it is first asked for."""

from __future__ import annotations

from typing import Any, final

from labtrain.bench.circuit import Channel, Circuit
from labtrain.bench.connection import Connection
from labtrain.bench.contacts import Contacts
from labtrain.bench.endurance import EnduranceBook
from labtrain.bench.envelopes import ChannelEnvelope
from labtrain.bench.gate import SafetyGate
from labtrain.bench.grounding import grounding_relays
from labtrain.bench.keep_alive import KeepingAlive
from labtrain.bench.planning import BenchSetup
from labtrain.bench.relays import RelayBoard
from labtrain.bench.sense import SenseRoutes
from labtrain.bench.sources import GeneratorSource, MeterSource, Source
from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.roles.digitizer import Digitizer
from labtrain.roles.pulse_generator import PulseGenerator
from labtrain.roles.sensor import Sensor
from labtrain.roles.source_meter import SourceMeter
from labtrain.roles.switch_matrix import SwitchMatrix
from labtrain.wiring import Crosspoint

_RELAY_SECONDS = 5e-3
"""Settling of a reed or signal relay with bounce (data sheets: 0.5 to 5 ms)."""


@final
class Instruments:
    """Makes roles, each with the envelope or the gate of its place in the wiring."""

    def __init__(
        self,
        setup: BenchSetup,
        connection: Connection,
        circuit: Circuit,
        board: RelayBoard,
        contacts: Contacts,
        book: EnduranceBook,
    ) -> None:
        self._contacts, self._book = contacts, book
        self._grounding = frozenset[Crosspoint]()
        if setup.plan.hazards["safe_state"] == "grounded":
            self._grounding = frozenset(grounding_relays(circuit, setup.plan, setup.specs))
        self._grounded = self._grounding  # as the last safe state has left them
        self._setup, self._connection, self._circuit, self._board = setup, connection, circuit, board
        self._opened: dict[str, Any] = {}
        self._matrices: dict[str, SwitchMatrix] = {}
        self._sensors: dict[str, Sensor] = {}
        self.sources: dict[Channel, Source] = {}
        self.senses = SenseRoutes(board)
        self._gate = SafetyGate(circuit, board, self.sources)

    def source_meter(self, name: str) -> SourceMeter:
        """Return the role of a source meter's channel."""
        source = self.source(self._channel(name, "source-meter"))
        assert isinstance(source, MeterSource)
        return source.role

    def digitizer(self, name: str) -> Digitizer:
        """Return the role that reads a source meter's channel into its buffer."""
        channel = self._channel(name, "source-meter")
        meter = self.source_meter(name)
        port, spec = self._connection.ports[channel.alias], self._setup.specs[channel.alias]
        with port.role_call():
            driver = spec.channel(self._driver(channel.alias), channel.name)
        buffer, clock = driver if spec.fast_buffer else None, self._patient_clock()
        return Digitizer(meter, buffer, driver.line_seconds, port, clock, channel.alias, channel.name)

    def _patient_clock(self) -> KeepingAlive:
        """Return the clock of a role that may wait for long with its output on."""
        return KeepingAlive(
            self._connection.bus.clock, self._connection.ports, self._setup.specs, self._board
        )

    def sensor(self, name: str) -> Sensor:
        """Return the role of a sensor."""
        if name not in self._sensors:
            self._require(name, "sensor")
            port, clock = self._connection.ports[name], self._connection.bus.clock
            offered = self._setup.specs[name].properties
            self._sensors[name] = Sensor(self._driver(name), port, clock, name, offered)
        return self._sensors[name]

    def pulse_generator(self, name: str) -> PulseGenerator:
        """Return the role of a generator's channel."""
        source = self.source(self._channel(name, "pulse-generator"))
        assert isinstance(source, GeneratorSource)
        return source.role

    def switch_matrix(self, name: str) -> SwitchMatrix:
        """Return the role of a matrix; what is closed already counts from then on."""
        if name not in self._matrices:
            self._require(name, "switch-matrix")
            driver, port, clock = self._driver(name), self._connection.ports[name], self._connection.bus.clock
            settle = float(self._setup.plan.instruments[name].options.get("settle_time", _RELAY_SECONDS))
            forbidden = [relay for relay in self._setup.plan.hazards["forbidden"] if relay.matrix == name]
            matrix = SwitchMatrix(driver, port, self._gate, clock, name, settle, forbidden)
            self._board.confirmed(name, matrix.closed)
            self._matrices[name] = matrix
        self._lift(self._matrices[name])
        return self._matrices[name]

    def _lift(self, matrix: SwitchMatrix) -> None:
        """Open what a grounded safe state has closed, before the matrix is used."""
        mine = frozenset(relay for relay in self._grounded if relay.matrix == matrix.alias)
        if not mine:
            return
        for relay in mine & matrix.closed:
            matrix.open(relay)
        self._board.confirmed(matrix.alias, matrix.closed)
        self._grounded = self._grounded - mine

    def forget(self) -> None:
        """Let go of all roles, as if the bench had just been opened; only where no route is closed."""
        self._opened.clear()
        self._matrices.clear()
        self._sensors.clear()
        self.sources.clear()
        self._board.closed = self._grounded = self._grounding

    def shut_down(self) -> None:
        """Let every role switch off what is its own, so that it knows how its instrument is set."""
        for source in self.sources.values():
            source.role.shutdown()
        for alias, matrix in self._matrices.items():
            if not self._grounding:
                matrix.shutdown()
            self._board.confirmed(alias, matrix.closed)
        self._grounded = self._grounding

    def source(self, channel: Channel) -> Source:
        """Return a source channel as routes see it."""
        if channel not in self.sources:
            self.sources[channel] = self._make(channel)
        return self.sources[channel]

    def _make(self, channel: Channel) -> Source:
        alias, spec = channel.alias, self._setup.specs[channel.alias]
        for matrix, other in self._setup.specs.items():
            if other.role == "switch-matrix":
                self.switch_matrix(matrix)  # limits follow what is closed, so that must be known first
        stiff = spec.role == "source-meter"
        envelope = ChannelEnvelope(
            self._circuit, self._board, channel, self._contacts, self._book, self.senses, stiff=stiff
        )
        port = self._connection.ports[alias]
        clock = self._patient_clock()
        with port.role_call():
            driver = spec.channel(self._driver(alias), channel.name)
        if stiff:
            hazards = self._setup.plan.hazards
            auto = hazards["auto_range"]
            meter = SourceMeter(driver, port, envelope, clock, alias, channel.name, allow_auto_range=auto)
            return MeterSource(meter, hazards["contact_current"])
        load = float(self._setup.plan.instruments[alias].options.get("output_load", 50.0))
        return GeneratorSource(PulseGenerator(driver, port, envelope, clock, alias, channel.name, load))

    def _driver(self, alias: str) -> Any:
        if alias not in self._opened:
            plan, port = self._setup.plan.instruments[alias], self._connection.ports[alias]
            with port.role_call():
                self._opened[alias] = self._setup.specs[alias].open(port.adapter, alias, plan.options)
        return self._opened[alias]

    def _channel(self, name: str, role: str) -> Channel:
        alias, _, given = name.partition(".")
        self._require(alias, role)
        channels = self._setup.specs[alias].channels
        if given in channels:
            return Channel(alias, given)
        wired = {wire.start for wire in self._setup.plan.wires} | {
            wire.end for wire in self._setup.plan.wires
        }
        wired |= {
            t.node for a in self._setup.plan.arrays.values() for d in a.devices for t in d.terminals.values()
        }
        used = [one for one in dict.fromkeys(self._circuit.channels.values()) if one.alias == alias]
        used = [one for one in used if wired.intersection(self._circuit.nodes(one))]
        if not given and len(used) == 1:
            return used[0]
        allowed = [f"{alias}.{channel}" for channel in channels]
        raise UsageError(f"{name!r} names no channel of {alias}", remedy=nearest(name, allowed))

    def _require(self, alias: str, role: str) -> None:
        specs = self._setup.specs
        if alias not in specs:
            raise UsageError(f"the bench has no instrument {alias!r}", remedy=nearest(alias, specs))
        if specs[alias].role != role:
            alike = [other for other, spec in specs.items() if spec.role == role]
            remedy = f"{role}s of this bench: {', '.join(alike) or 'none'}"
            raise UsageError(f"{alias} is a {specs[alias].role}, not a {role}", remedy=remedy)
