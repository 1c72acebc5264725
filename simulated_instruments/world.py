"""The hidden truth of a simulated bench: devices, wiring, time, and what the devices have suffered.

Instruments tell the world what they source (:meth:`World.changed`) and ask what
they read (:meth:`World.measure`, :meth:`World.sweep`, :meth:`World.pulse`). Nobody
above the instruments sees it, but tests read :attr:`World.stress`.

One thread acts at a time: an instrument holds :meth:`World.turn` while it carries out
a message and gives it up while it waits, as instruments on a bench run side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from labtrain.clock import Clock
from labtrain.wiring import GROUND, BenchPlan, Crosspoint
from simulated_instruments.chip import devices, ties
from simulated_instruments.circuit import Circuit, Network
from simulated_instruments.circuits import Circuits, Driven, System
from simulated_instruments.laws import Floats
from simulated_instruments.readings import Bools, read, read_once
from simulated_instruments.sources import GeneratorPort, MeterPort
from simulated_instruments.stress import TerminalStress
from simulated_instruments.suffering import Suffering

RELAY_OHMS: Final = 0.1
OVERSHOOT_SECONDS: Final = 20e-6


class Turn:
    """Holds a lock for one message; time has caught up when it is entered."""

    def __init__(self, lock: threading.Lock, catch_up: Callable[[], None]) -> None:
        self._lock = lock
        self._catch_up = catch_up

    def __enter__(self) -> None:
        self._lock.acquire()
        self._catch_up()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


class World:
    """Everything that is simulated behind the instruments of one bench.

    Parameters
    ----------
    plan
        The bench; the same data that the real bench is checked against.
    clock
        Shared with the bench and its instruments.

    Raises
    ------
    UsageError
        For a device kind that cannot be simulated, or a fault of a device that is not there.

    Attributes
    ----------
    lock
        Held by whoever acts: :meth:`turn` for most, by itself where every message pays for it.
    now_ns
        The shared clock's.
    processes
        What goes on by itself; :meth:`catch_up` does what of it is due, once the lock is held.
    """

    def __init__(self, plan: BenchPlan, clock: Clock) -> None:
        self._clock = clock
        self.now_ns = clock.now_ns
        self.lock = threading.Lock()
        self._turn = Turn(self.lock, self.catch_up)
        self.devices = dict(devices(plan, self._seconds))
        relays = {
            i.alias: float(i.options.get("relay_resistance", RELAY_OHMS)) for i in plan.instruments.values()
        }
        self._network = Network(plan.wires, ties(plan), self.devices.values(), relays)
        self._circuits = Circuits(self._network)
        self._suffering = Suffering(self._circuits, self.devices)
        self.processes: tuple[Callable[[int], None], ...] = ()
        self._told: list[Callable[[], None]] = []

    # --- taking turns and time -------------------------------------------------------------

    def turn(self) -> Turn:
        """Hold the world for one message: ``with world.turn(): ...``."""
        return self._turn

    def wait(self, seconds: float) -> None:
        """Let time pass in the middle of a turn; others may take theirs."""
        if seconds <= 0:
            return
        self.lock.release()
        try:
            self._clock.sleep(seconds)
        finally:
            self.lock.acquire()
        if self.processes:
            self.catch_up()

    def now_awaiting_ns(self, ns: int) -> int:
        """The shared clock, asked about something that runs by itself until ``ns``."""
        return self._clock.now_awaiting_ns(ns)

    def _seconds(self) -> float:
        return self._clock.now_ns() * 1e-9

    def add_process(self, catch_up: Callable[[int], None]) -> None:
        """Register something that goes on by itself; ``catch_up(now_ns)`` does what is due."""
        self.processes = (*self.processes, catch_up)

    def drop_process(self, catch_up: Callable[[int], None]) -> None:
        """Forget a process that is over; it may be the one that is catching up just now."""
        self.processes = tuple([process for process in self.processes if process != catch_up])

    def catch_up(self) -> None:
        """Let everything that goes on by itself come to the present."""
        now = self._clock.now_ns()
        for catch_up in self.processes:
            catch_up(now)

    # --- connecting instruments ------------------------------------------------------------

    def add_meter(self, hi: str, lo: str) -> MeterPort:
        """Connect a source meter; a ``lo`` that no wire takes up is linked to ground at the instrument."""
        leads = (f"{hi.removesuffix('hi')}sense_{end}" for end in ("hi", "lo"))
        port = MeterPort(hi, lo if self._network.wired(lo) else GROUND, *leads)
        self._circuits.meters.append(port)
        return port

    def senses(self, port: MeterPort) -> bool:
        """Tell whether both sense leads of a meter are joined to its output, behind whatever wires."""
        return self._circuits.joined(port.hi, port.sense_hi) and self._circuits.joined(
            port.lo, port.sense_lo, by_ground=True
        )

    def when_relays_move(self, tell: Callable[[], None]) -> None:
        """Register who wants to be told that some relay has moved."""
        self._told.append(tell)

    def add_generator(self, node: str) -> GeneratorPort:
        """Connect one output of a generator."""
        port = GeneratorPort(node)
        self._circuits.generators.append(port)
        return port

    def set_contacts(self, matrix: str, closed: Iterable[Crosspoint]) -> None:
        """Take over which relays of a matrix are really closed."""
        live = self._suffering.live()
        if self._circuits.close(matrix, closed):
            self.changed()
            self._suffering.switched_hot(live)
            for tell in self._told:
                tell()

    @property
    def outputs_on(self) -> bool:
        """Whether any source's output is on."""
        return any(port.drives for port in (*self._circuits.meters, *self._circuits.generators))

    @property
    def closed_relays(self) -> frozenset[Crosspoint]:
        """The relays of all matrices that really are closed."""
        return self._circuits.closed

    # --- what instruments do ---------------------------------------------------------------

    def changed(self) -> None:
        """Note that some source's output, level or limit is no longer what it was."""
        self._circuits.changed()
        self._suffering.changed(self._clock.now_ns())

    def level_changed(self, port: MeterPort) -> None:
        """Note that a meter's level, limit or mode is no longer what it was; its output is as it was."""
        if port.on:
            self._suffering.changed_in(self._circuits.at(port.hi), self.now_ns())

    def measure(self, port: MeterPort, seconds: float) -> tuple[float, float, bool]:
        """Read a source meter where it stands, over an aperture.

        Returns
        -------
        volts, amperes, limited
            At the meter's terminals, with the devices' own noise.
        """
        if not port.on or port.idle:
            return 0.0, 0.0, False
        driven = self._circuits.at(port.hi)
        return read_once(port, driven, self._suffering.watched_once(driven, seconds), seconds)

    def probe(self, voltmeter: MeterPort, seconds: float) -> float:
        """Read the volts of a meter that is connected for this reading only, and draws no current."""
        voltmeter.on = True
        self._circuits.changed()
        try:
            return self.measure(voltmeter, seconds)[0]
        finally:
            voltmeter.on = False
            self._circuits.changed()

    def sweep(
        self, port: MeterPort, levels: Floats, seconds: float, dwell: float
    ) -> tuple[Floats, Floats, Bools]:
        """Source ``levels [B]`` one after the other and read each over ``seconds``.

        Parameters
        ----------
        dwell
            How long each level stands, charged to the devices.

        Returns
        -------
        volts, amperes, limited
            ``[B]`` each, as :meth:`measure` returns one.
        """
        if not port.drives:
            none = np.zeros(len(levels))
            return none, none, none.astype(bool)
        driven = self._circuits.at(port.hi)
        points = self._suffering.watched(driven, {id(port): levels}, seconds, dwell)
        done = read(port, driven, points, seconds)
        self._suffering.swept(driven.circuit, points, dwell)
        # what stood before the sweep stands no longer
        self._suffering.interrupted(driven, dwell * len(levels), self._clock.now_ns())
        return done

    def would_limit(self, port: MeterPort, levels: Floats) -> Bools:
        """Tell at which of ``levels [B]`` a meter's limit would hold it, without driving them."""
        if not port.drives:
            return np.zeros(len(levels), dtype=bool)
        driven = self._circuits.at(port.hi)
        return driven.solve({id(port): levels}).limited[:, driven.circuit.meters.index(port)]

    def limited(self, port: MeterPort) -> bool:
        """Tell whether a meter's limit holds it right now."""
        if not port.drives:
            return False
        driven = self._circuits.at(port.hi)
        return driven.standing().limited[driven.circuit.meters.index(port)]

    def overshoot(self, port: MeterPort, volts: float) -> None:
        """Let a meter's output jump by ``volts`` beyond where it stands, as a range change does.

        The limit is too slow to hold it.
        """
        if not port.drives:
            return
        driven = self._circuits.at(port.hi)
        index = driven.circuit.meters.index(port)
        standing = driven.standing().volts[index]
        peak = standing + (volts if standing >= 0 else -volts)
        mode, level, limit = port.mode, port.level, port.limit
        port.mode, port.level, port.limit = "voltage", peak, float("inf")
        try:
            point = driven.system.standing()
        finally:
            port.mode, port.level, port.limit = mode, level, limit
        self._suffering.overshoot(driven.circuit, point, OVERSHOOT_SECONDS)

    def pulse(self, port: GeneratorPort, emf: float, seconds: float, count: int) -> None:
        """Send ``count`` equal pulses of open-circuit voltage ``emf`` through a generator that is on."""
        if not port.on or count <= 0:
            return
        driven = self._circuits.at(port.node)
        idle, port.emf = port.emf, emf
        try:
            point = driven.standing()
        finally:
            port.emf = idle
        self._suffering.pulses(driven.circuit, point, seconds, count)
        self._suffering.begin_anew(self._clock.now_ns())  # it may have switched what others are reading

    # --- looking in, for tests -------------------------------------------------------------

    def circuit_of(self, node: str) -> tuple[Circuit, System]:
        """Return the circuit that a source's node is part of, and how it is solved."""
        driven: Driven = self._circuits.at(node)
        return driven.circuit, driven.system

    @property
    def stress(self) -> dict[str, TerminalStress]:
        """What each terminal has suffered until now, by ``"device.terminal"``."""
        with self._turn:
            self._suffering.settled(self._clock.now_ns())
            return {b.name: b.stress for device in self.devices.values() for b in device.branches}

    # --- resuming --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Every device's counters, states and wear; sources and relays are set again by the bench."""
        with self._turn:
            self._suffering.settled(self._clock.now_ns())
            return {name: device.state_dict() for name, device in self.devices.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        with self._turn:
            for name, device in self.devices.items():
                device.load_state_dict(state[name])
            self._circuits.wear()
            self._suffering.forget()
            self.changed()
