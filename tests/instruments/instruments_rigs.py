"""Small benches for role tests: virtual instruments over a world of resistors, every byte counted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from instruments_servers import PtyServer, TcpServer

from labtrain.bus import Bus, Port
from labtrain.clock import VirtualClock
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
        return [message for message in self.heard if b"?" not in message]

    def close(self) -> None:
        self._exit.close()


class MeterRig(Rig):
    """A 2450 on a resistor."""

    def __init__(
        self, ohms: float = 10e3, limits: Limits = TIGHT, mount: str = "in-process", **faults: Any
    ) -> None:
        from drivers.keithley2450 import SPEC
        from simulated_instruments.keithley2450 import VirtualKeithley2450

        wires = (Wire("smu.lo", "ground"),)
        super().__init__([resistor("load", "smu.hi", ohms)], {"smu": "2450"}, wires, **faults)
        self.virtual = VirtualKeithley2450("smu", self.world, self.clock, {}, 1)
        self.driver, self.link_port = self.port("smu", self.virtual.handle, SPEC, mount)
        self.meter = SourceMeter(
            self.driver, self.link_port, FixedEnvelope(limits, "load.top"), self.bus.clock, "smu"
        )


class PulserRig(Rig):
    """An 81160A, channel 1 straight on a resistor, channel 2 on another."""

    def __init__(
        self, ohms: float = 4e3, limits: Limits = UNLIMITED, load: float = 50.0, mount: str = "in-process"
    ) -> None:
        from drivers.keysight81160a import SPEC
        from simulated_instruments.keysight81160a import VirtualKeysight81160A

        arrays = [resistor("load", "pulser.1", ohms), resistor("other", "pulser.2", ohms)]
        super().__init__(arrays, {"pulser": "81160A"})
        self.virtual = VirtualKeysight81160A("pulser", self.world, self.clock, {}, 1)
        self.driver, self.link_port = self.port("pulser", self.virtual.handle, SPEC, mount)
        envelope = FixedEnvelope(limits, "load.top")
        self.pulser, self.second = (
            PulseGenerator(
                SPEC.channel(self.driver, c), self.link_port, envelope, self.bus.clock, "pulser", c, load
            )
            for c in ("1", "2")
        )


class MatrixRig(Rig):
    """The serial matrix on its own."""

    def __init__(self, gate: RouteGate, mount: str = "in-process", **options: Any) -> None:
        from drivers.serial_matrix import SPEC
        from simulated_instruments.serial_matrix import VirtualSerialMatrix

        super().__init__([], {"matrix": "serial-matrix"})
        self.virtual = VirtualSerialMatrix("matrix", self.world, self.clock, options, 1)
        self.driver, self.link_port = self.port("matrix", self.virtual.handle, SPEC, mount)
        self.matrix = SwitchMatrix(self.driver, self.link_port, gate, self.bus.clock, "matrix", 2e-3)
