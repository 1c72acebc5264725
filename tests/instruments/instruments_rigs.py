"""Small benches for role tests: virtual instruments over a world of resistors, every byte counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from instruments_calls import Call, Observed
from instruments_meters import METERS, Meter
from instruments_stages import Stage

from labtrain.bus import Bus, Port
from labtrain.entry_points import DRIVERS, VIRTUAL_INSTRUMENTS, load
from labtrain.limits import Limits
from labtrain.roles import (
    DriverSpec,
    FixedEnvelope,
    PulseGenerator,
    RouteGate,
    SourceMeter,
    SwitchMatrix,
)
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

    ``heard`` holds every message that an instrument really received; ``roles`` names the attributes whose
    uses can be observed.
    """

    roles: tuple[str, ...] = ()

    def __init__(
        self,
        stage: Stage,
        arrays: list[ArrayPlan],
        instruments: dict[str, str],
        wires: tuple[Wire, ...] = (),
        **plan: Any,
    ) -> None:
        self._stage = stage
        self.clock = stage.world_clock
        plans = {alias: InstrumentPlan(alias, model) for alias, model in instruments.items()}
        self.plan = BenchPlan(1, "in-process", plans, wires, {a.name: a for a in arrays}, **plan)
        self.world = World(self.plan, self.clock)
        self.bus = Bus(stage.clock, stage.sink)
        self.heard: list[bytes] = []
        self._greetings: list[tuple[Port, bytes]] = []
        self._exit = ExitStack()
        self._exit.callback(self.bus.close)

    def port(self, alias: str, handle: Callable[[bytes], bytes | None], spec: DriverSpec) -> tuple[Any, Port]:
        """Mount an instrument, attach it and open its driver."""

        def listened(message: bytes) -> bytes | None:
            self.heard.append(message)
            return handle(message)

        port = self.bus.attach(alias, self._stage.link(alias, listened, self._exit), spec)
        self._greetings.append((port, spec.identify))
        return spec.open(port.adapter, alias, {}), port

    def greet(self) -> None:
        """Ask each instrument who it is, as a bench does when it opens."""
        for port, question in self._greetings:
            port.raw([question])
        self.heard.clear()

    def observe(self, calls: list[Call]) -> None:
        """Note every use of the roles from now on."""
        for name in self.roles:
            setattr(self, name, Observed(getattr(self, name), name, calls))

    def observed(self, name: str) -> Any:
        """What a noted call was made on."""
        return getattr(self, name)

    def stress(self, terminal: str) -> Any:
        return self.world.stress[terminal]

    def sent(self) -> list[bytes]:
        """What was heard that is no question."""
        return [message for message in self.heard if b"?" not in message and b"print" not in message]

    def close(self) -> None:
        self._exit.close()


class Within:
    """A driver asked from inside a role call of its port, past the role's memory."""

    def __init__(self, port: Port, driver: Any) -> None:
        self._port, self._driver = port, driver

    def __getattr__(self, name: str) -> Any:
        with self._port.role_call():
            return getattr(self._driver, name)


class MeterRig(Rig):
    """A source meter on a resistor; ``instrument`` is asked past the role's memory."""

    roles = ("meter", "instrument")

    def __init__(
        self,
        ohms: float = 10e3,
        limits: Limits = TIGHT,
        stage: Stage | None = None,
        facts: Meter = METERS[0],
        **faults: Any,
    ) -> None:
        self.facts = facts
        spec = load(DRIVERS, facts.model)
        wires = (Wire(facts.lo, "ground"),)
        arrays = [resistor("load", facts.hi, ohms)]
        super().__init__(stage or Stage(), arrays, {"smu": facts.model}, wires, **faults)
        self.virtual = load(VIRTUAL_INSTRUMENTS, facts.model)("smu", self.world, self.clock, {}, 1)
        instrument, self.link_port = self.port("smu", self.virtual.handle, spec)
        self.driver = spec.channel(instrument, facts.channel)
        self.instrument: Any = Within(self.link_port, self.driver)
        envelope = FixedEnvelope(limits, "load.top")
        self.meter = SourceMeter(self.driver, self.link_port, envelope, self.bus.clock, "smu", facts.channel)

    @property
    def output(self) -> bool:
        """Whether the instrument's output is really on."""
        return self.facts.output(self.virtual)


class PulserRig(Rig):
    """A pulse generator, channel 1 straight on a resistor, channel 2 on another."""

    roles = ("pulser", "second")

    def __init__(
        self,
        model: str = "81160A",
        ohms: float = 4e3,
        limits: Limits = UNLIMITED,
        load_ohms: float = 50.0,
        stage: Stage | None = None,
    ) -> None:
        self.model = model
        spec = load(DRIVERS, model)
        arrays = [resistor("load", "pulser.1", ohms), resistor("other", "pulser.2", ohms)]
        super().__init__(stage or Stage(), arrays, {"pulser": model})
        self.virtual = load(VIRTUAL_INSTRUMENTS, model)("pulser", self.world, self.clock, {}, 1)
        self.driver, self.link_port = self.port("pulser", self.virtual.handle, spec)
        envelope = FixedEnvelope(limits, "load.top")
        self.pulser, self.second = (
            PulseGenerator(
                spec.channel(self.driver, c), self.link_port, envelope, self.bus.clock, "pulser", c, load_ohms
            )
            for c in ("1", "2")
        )


class MatrixRig(Rig):
    """A matrix on its own; ``moves`` holds the closed relays after each message that changed them."""

    roles = ("matrix",)

    def __init__(
        self, gate: RouteGate, model: str = "serial-matrix", stage: Stage | None = None, **options: Any
    ) -> None:
        spec = load(DRIVERS, model)
        super().__init__(stage or Stage(), [], {"matrix": model})
        self.virtual = load(VIRTUAL_INSTRUMENTS, model)("matrix", self.world, self.clock, options, 1)
        self.moves: list[frozenset[tuple[int, int]]] = [frozenset()]
        self.driver, self.link_port = self.port("matrix", self._watched, spec)
        self.matrix = SwitchMatrix(self.driver, self.link_port, gate, self.bus.clock, "matrix", 2e-3)

    def _watched(self, message: bytes) -> bytes | None:
        reply = self.virtual.handle(message)
        if self.virtual.coils != self.moves[-1]:
            self.moves.append(frozenset(self.virtual.coils))
        return reply

    def place(self, row: int, column: int) -> tuple[int, int]:
        """A place by its offsets from the matrix's first row and column."""
        return self.matrix.rows[row], self.matrix.columns[column]
