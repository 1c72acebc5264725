"""Small benches for role tests: virtual instruments over a world of resistors, every byte counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from instruments_meters import METERS, Meter
from instruments_servers import PtyServer, TcpServer

from labtrain.bus import Bus, Port
from labtrain.clock import VirtualClock
from labtrain.entry_points import DRIVERS, VIRTUAL_INSTRUMENTS, load
from labtrain.limits import Limits
from labtrain.links import InProcessLink, Link, SerialLink, VisaLink
from labtrain.roles import (
    DriverSpec,
    FixedEnvelope,
    PulseGenerator,
    RouteGate,
    SourceMeter,
    SwitchMatrix,
)
from labtrain.session.sink import NullSink
from labtrain.wiring import ArrayPlan, BenchPlan, DevicePlan, InstrumentPlan, TerminalPlan, Wire
from simulated_instruments.world import World

TIGHT = Limits(voltage=0.5, current=60e-6, power=30e-6)


UNLIMITED = Limits()


def resistor(name: str, node: str, ohms: float = 10e3) -> ArrayPlan:
    terminals = {"top": TerminalPlan("top", node)}
    device = DevicePlan(name, "resistor", terminals, name, 0)
    return ArrayPlan(name, "resistor", 1, (device,), {"resistance": ohms}, single=True)


class Rig:
    """A world, a bus and what is attached to it.

    ``heard`` holds every message that an instrument really received.
    """

    def __init__(
        self, arrays: list[ArrayPlan], instruments: dict[str, str], wires: tuple[Wire, ...] = (), **plan: Any
    ) -> None:
        self.clock = VirtualClock()
        plans = {alias: InstrumentPlan(alias, model) for alias, model in instruments.items()}
        self.plan = BenchPlan(1, "in-process", plans, wires, {a.name: a for a in arrays}, **plan)
        self.world = World(self.plan, self.clock)
        self.bus = Bus(self.clock, NullSink())
        self.heard: list[bytes] = []
        self._exit = ExitStack()
        self._exit.callback(self.bus.close)

    def port(
        self, alias: str, handle: Callable[[bytes], bytes | None], spec: DriverSpec, mount: str = "in-process"
    ) -> tuple[Any, Port]:
        """Mount an instrument, attach it and open its driver."""

        def listened(message: bytes) -> bytes | None:
            self.heard.append(message)
            return handle(message)

        port = self.bus.attach(alias, self._link(mount, alias, listened), spec)
        return spec.open(port.adapter, alias, {}), port

    def _link(self, mount: str, alias: str, handle: Callable[[bytes], bytes | None]) -> Link:
        if mount == "in-process":
            return InProcessLink(alias, handle)
        server = TcpServer(handle) if mount == "tcp" else PtyServer(handle)
        self._exit.callback(server.close)
        kind = VisaLink if mount == "tcp" else SerialLink
        return kind(server.resource, b"\n", 2.0)

    def stress(self, terminal: str) -> Any:
        return self.world.stress[terminal]

    def sent(self) -> list[bytes]:
        """What was heard that is no question."""
        return [message for message in self.heard if b"?" not in message and b"print" not in message]

    def close(self) -> None:
        self._exit.close()


class MeterRig(Rig):
    """A source meter on a resistor."""

    def __init__(
        self,
        ohms: float = 10e3,
        limits: Limits = TIGHT,
        mount: str = "in-process",
        facts: Meter = METERS[0],
        **faults: Any,
    ) -> None:
        self.facts = facts
        spec = import_module(facts.driver).SPEC
        wires = (Wire(facts.lo, "ground"),)
        super().__init__([resistor("load", facts.hi, ohms)], {"smu": facts.model}, wires, **faults)
        module, _, name = facts.virtual.partition(":")
        self.virtual = getattr(import_module(module), name)("smu", self.world, self.clock, {}, 1)
        instrument, self.link_port = self.port("smu", self.virtual.handle, spec, mount)
        self.driver = spec.channel(instrument, facts.channel)
        envelope = FixedEnvelope(limits, "load.top")
        self.meter = SourceMeter(self.driver, self.link_port, envelope, self.bus.clock, "smu", facts.channel)

    def driver_says(self, name: str) -> Any:
        """Ask the instrument itself, past the role's memory."""
        with self.link_port.role_call():
            return getattr(self.driver, name)

    @property
    def output(self) -> bool:
        """Whether the instrument's output is really on."""
        return self.facts.output(self.virtual)


class PulserRig(Rig):
    """A pulse generator, channel 1 straight on a resistor, channel 2 on another."""

    def __init__(
        self,
        model: str = "81160A",
        ohms: float = 4e3,
        limits: Limits = UNLIMITED,
        load_ohms: float = 50.0,
        mount: str = "in-process",
    ) -> None:
        spec = load(DRIVERS, model)
        arrays = [resistor("load", "pulser.1", ohms), resistor("other", "pulser.2", ohms)]
        super().__init__(arrays, {"pulser": model})
        self.virtual = load(VIRTUAL_INSTRUMENTS, model)("pulser", self.world, self.clock, {}, 1)
        self.driver, self.link_port = self.port("pulser", self.virtual.handle, spec, mount)
        envelope = FixedEnvelope(limits, "load.top")
        self.pulser, self.second = (
            PulseGenerator(
                spec.channel(self.driver, c), self.link_port, envelope, self.bus.clock, "pulser", c, load_ohms
            )
            for c in ("1", "2")
        )


class MatrixRig(Rig):
    """A matrix on its own; ``moves`` holds the closed relays after each message that changed them."""

    def __init__(
        self, gate: RouteGate, model: str = "serial-matrix", mount: str = "in-process", **options: Any
    ) -> None:
        spec = load(DRIVERS, model)
        super().__init__([], {"matrix": model})
        self.virtual = load(VIRTUAL_INSTRUMENTS, model)("matrix", self.world, self.clock, options, 1)
        self.moves: list[frozenset[tuple[int, int]]] = [frozenset()]
        self.driver, self.link_port = self.port("matrix", self._watched, spec, mount)
        self.matrix = SwitchMatrix(self.driver, self.link_port, gate, self.bus.clock, "matrix", 2e-3)

    def _watched(self, message: bytes) -> bytes | None:
        reply = self.virtual.handle(message)
        if self.virtual.coils != self.moves[-1]:
            self.moves.append(frozenset(self.virtual.coils))
        return reply

    def place(self, row: int, column: int) -> tuple[int, int]:
        """A place by its offsets from the matrix's first row and column."""
        return self.matrix.rows[row], self.matrix.columns[column]
