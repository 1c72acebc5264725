"""A role over one virtual instrument whose answers suffer, and what each role is asked to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from models_bench import resistor
from models_silence import Counted, open_link

from labtrain.bench.safe_off import send_safe_off
from labtrain.bus import Bus
from labtrain.clock import VirtualClock
from labtrain.entry_points import DRIVERS, VIRTUAL_INSTRUMENTS, load
from labtrain.limits import Limits
from labtrain.links import InProcessLink, Link
from labtrain.roles import FixedEnvelope, OpenGate, PulseGenerator, SourceMeter, SwitchMatrix
from labtrain.session.sink import NullSink
from labtrain.wiring import BenchPlan, InstrumentPlan, Wire
from simulated_instruments.script import FaultyHandle
from simulated_instruments.servers import Server, serve_serial, serve_socket
from simulated_instruments.world import World

LIMITS = Limits(voltage=0.5, current=60e-6, power=30e-6)
PULSES = Limits(voltage=0.5, current=20e-3)
LEVELS = np.linspace(-0.3, 0.3, 7)


class WatchedWorld(World):
    """A world that lets a test see whether a source is on."""

    def __init__(self, plan: BenchPlan, clock: VirtualClock) -> None:
        self.ports: list[Any] = []
        super().__init__(plan, clock)

    def add_meter(self, hi: str, lo: str) -> Any:
        self.ports.append(super().add_meter(hi, lo))
        return self.ports[-1]

    def add_generator(self, node: str) -> Any:
        self.ports.append(super().add_generator(node))
        return self.ports[-1]


class Faulty:
    """One instrument of a model on a 10 kohm resistor.

    Parameters
    ----------
    model
        Its model.
    faults
        What happens to which replies; replies are counted from 1.
    mount
        ``"in-process"``, ``"tcp"`` or ``"serial"``.

    Attributes
    ----------
    states
        What the world saw at each step of :attr:`do`: sources and their levels, or relays.
    """

    def __init__(self, model: str, *faults: Any, mount: str = "in-process") -> None:
        self.states: list[Any] = []
        self.spec = load(DRIVERS, model)
        self.clock = VirtualClock()
        channel = self.spec.channels[0]
        nodes = self.spec.nodes(channel)
        named = {node: f"one.{node}" if channel in ("", node) else f"one.{channel}.{node}" for node in nodes}
        arrays = [resistor("load", named[nodes[0]])] if nodes else []
        wires = tuple(Wire(name, "ground") for node, name in named.items() if node == "lo")
        plan = BenchPlan(
            1, "in-process", {"one": InstrumentPlan("one", model)}, wires, {a.name: a for a in arrays}
        )
        self.world = WatchedWorld(plan, self.clock)
        self.virtual = load(VIRTUAL_INSTRUMENTS, model)("one", self.world, self.clock, {}, 1)
        self.faulty = FaultyHandle("one", self.virtual.handle, faults, self.virtual.power_cycle)
        self._counted = Counted(self.faulty)
        self._server: Server | None = None
        if mount != "in-process":
            self._server = (serve_socket if mount == "tcp" else serve_serial)(self._counted, "127.0.0.1")
        self.connect()

    def connect(self) -> None:
        """Open a link, put a role on it."""
        self.bus = Bus(self.clock, NullSink())
        self.port = self.bus.attach("one", self.link(), self.spec)
        channel = self.spec.channels[0]
        with self.port.role_call():
            driver = self.spec.channel(self.spec.open(self.port.adapter, "one", {}), channel)
        self.role: Any = self._role(driver, channel)
        self.do: Callable[[], Any] = getattr(self, "_use_" + self.spec.role.replace("-", "_"))

    def link(self) -> Link:
        """Open one more link to the instrument."""
        if self._server is None:
            return InProcessLink("in-process::one", self.faulty)
        return open_link(self._server.resource, self._counted)

    def connect_anew(self) -> None:
        """After a lost connection: the safe state over a fresh one (``labtrain bench off``), then a role."""
        self.bus.close()
        fresh = self.link()
        send_safe_off(fresh, self.spec)
        fresh.close()
        self.connect()
        assert self.safe

    def note(self) -> None:
        """Keep what the world sees once everything that was sent is carried out."""
        self.bus.settle()
        if self.spec.role == "switch-matrix":
            self.states.append(frozenset(self.virtual.coils))
            return
        names = ("on", "mode", "level", "limit", "emf")
        with self.world.turn():
            self.states.append([[getattr(port, name, None) for name in names] for port in self.world.ports])

    def _role(self, driver: Any, channel: str) -> Any:
        if self.spec.role == "source-meter":
            envelope = FixedEnvelope(LIMITS, "load.top")
            return SourceMeter(driver, self.port, envelope, self.bus.clock, "one", channel)
        if self.spec.role == "pulse-generator":
            envelope = FixedEnvelope(PULSES, "load.top")
            return PulseGenerator(driver, self.port, envelope, self.bus.clock, "one", channel, 50.0)
        return SwitchMatrix(driver, self.port, OpenGate(), self.bus.clock, "one", 5e-3)

    @property
    def replies(self) -> int:
        """How many the instrument has given."""
        return int(self.faulty._replies)

    def _use_source_meter(self) -> list[float]:
        """Source, measure, sweep and switch off; what was measured, in V and A."""
        meter = self.role
        meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
        meter.output_enabled = True
        meter.source_voltage = 0.3
        once = meter.measure()
        self.note()
        sweep = meter.sweep(LEVELS)
        self.note()
        meter.shutdown()
        self.note()
        return [once.amperes * 1e4, *(sweep.amperes * 1e4)]

    def _use_pulse_generator(self) -> list[float]:
        """Fire three pulses, then one of the other polarity, and switch off; what the device saw."""
        before = self.world.stress["load.top"].pulses
        self.role.pulse(0.2, 1e-7, 3)
        self.note()
        self.role.pulse(-0.1, 2e-7)
        self.note()
        self.role.shutdown()
        self.note()
        return [float(self.world.stress["load.top"].pulses - before)]

    def _use_switch_matrix(self) -> list[float]:
        """Close, change and open routes; which relays are closed at each step, by the coils."""
        rows, columns = self.role.rows, self.role.columns
        seen: list[float] = []
        for places in (
            [(rows[0], columns[0])],
            [(rows[0], columns[0]), (rows[1], columns[5])],
            [(rows[4], columns[7])],
            [],
        ):
            self.role.connect_only(*places)
            assert set(self.virtual.coils) == set(places), "relays are not where the role left them"
            self.note()
            seen.append(len(places))
        self.role.open_all()
        return seen

    def right(self, result: list[float]) -> bool:
        """Whether a result of :attr:`do` is what a healthy instrument gives."""
        if self.spec.role == "source-meter":
            return bool(np.allclose(result, [0.3, *LEVELS], atol=3e-3))
        return result == ([4.0] if self.spec.role == "pulse-generator" else [1, 2, 1, 0])

    @property
    def safe(self) -> bool:
        """Whether no output is on and no relay closed, in truth, once what was sent is carried out."""
        self.port.raw([self.spec.identify])
        if self.spec.role == "switch-matrix":
            return not self.virtual.coils
        return not any(port.drives for port in self.world.ports)

    def close(self) -> None:
        self.bus.close()
        if self._server is not None:
            self._server.close()


@cache
def healthy(model: str, mount: str) -> tuple[int, tuple[Any, ...]]:
    """How many replies the instrument gives in one use without a fault, and what the world saw."""
    one = Faulty(model, mount=mount)
    assert one.right(one.do())
    replies = one.replies
    assert one.safe
    one.close()
    return replies, tuple(one.states)
