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
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labtrain.clock import Clock
from labtrain.wiring import GROUND, BenchPlan, Crosspoint
from simulated_instruments.chip import devices, ties
from simulated_instruments.circuit import Circuit, Network
from simulated_instruments.devices import Branch
from simulated_instruments.laws import Floats
from simulated_instruments.nodal import Drive, NodalSystem, OperatingPoints
from simulated_instruments.series import shorten
from simulated_instruments.sources import GeneratorPort, MeterPort
from simulated_instruments.stress import TerminalStress

RELAY_OHMS: Final = 0.1
CABLE_FARADS: Final = 100e-12
OVERSHOOT_SECONDS: Final = 20e-6
_REMEMBERED: Final = 64


@dataclass(slots=True)
class _Held:
    """A level that stands since ``since_ns`` and will be charged to the devices when it ends."""

    key: object
    circuit: Circuit
    points: OperatingPoints
    since_ns: int


Bools = NDArray[np.bool_]


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
    """

    def __init__(self, plan: BenchPlan, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = Turn(self._lock, self._catch_up)
        self.devices = dict(devices(plan, self._seconds))
        relays = {
            i.alias: float(i.options.get("relay_resistance", RELAY_OHMS)) for i in plan.instruments.values()
        }
        self._network = Network(plan.wires, ties(plan), self.devices.values(), relays)
        self._branch_owner = {id(b): d for d in self.devices.values() for b in d.branches}
        self._meters: list[MeterPort] = []
        self._generators: list[GeneratorPort] = []
        self._contacts: dict[str, frozenset[Crosspoint]] = {}
        self._processes: list[Callable[[int], None]] = []
        self._held: list[_Held] = []
        self._circuits: dict[object, tuple[Circuit, Any]] = {}
        self._wear = 0

    # --- taking turns and time -------------------------------------------------------------

    def turn(self) -> Turn:
        """Hold the world for one message: ``with world.turn(): ...``."""
        return self._turn

    def wait(self, seconds: float) -> None:
        """Let time pass in the middle of a turn; others may take theirs."""
        if seconds <= 0:
            return
        self._lock.release()
        try:
            self._clock.sleep(seconds)
        finally:
            self._lock.acquire()
        self._catch_up()

    def now_ns(self) -> int:
        """The shared clock."""
        return self._clock.now_ns()

    def _seconds(self) -> float:
        return self._clock.now_ns() * 1e-9

    def add_process(self, catch_up: Callable[[int], None]) -> None:
        """Register something that goes on by itself; ``catch_up(now_ns)`` does what is due."""
        self._processes.append(catch_up)

    def _catch_up(self) -> None:
        now = self._clock.now_ns()
        for catch_up in self._processes:
            catch_up(now)

    # --- connecting instruments ------------------------------------------------------------

    def add_meter(self, hi: str, lo: str) -> MeterPort:
        """Connect a source meter; a ``lo`` that no wire takes up is linked to ground at the instrument."""
        port = MeterPort(hi, lo if self._network.wired(lo) else GROUND)
        self._meters.append(port)
        return port

    def add_generator(self, node: str) -> GeneratorPort:
        """Connect one output of a generator."""
        port = GeneratorPort(node)
        self._generators.append(port)
        return port

    def set_contacts(self, matrix: str, closed: Iterable[Crosspoint]) -> None:
        """Take over which relays of a matrix are really closed."""
        contacts = frozenset(closed)
        if contacts == self._contacts.get(matrix, frozenset()):
            return
        before = [(held.circuit, held.points) for held in self._held]
        self._contacts[matrix] = contacts
        self.changed()
        for circuit, points in before:
            self._note_hot_switching(circuit, points)

    def _note_hot_switching(self, before: Circuit, points: OperatingPoints) -> None:
        """Charge a connection under voltage with the cable's charge, and one broken with a transient."""
        known = {id(branch) for branch in before.branches}
        for index, meter in enumerate(before.meters):
            volts = float(points.volts[-1, index])
            if not meter.on or abs(volts) <= 1e-3:
                continue
            after = self._circuit(meter.hi)[0]
            for branch in after.branches:
                if id(branch) not in known:
                    self._discharge(branch, volts)
            kept = {id(branch) for branch in after.branches}
            for branch in before.branches:
                if id(branch) not in kept:
                    branch.stress.note_transient(volts)

    def _discharge(self, branch: Branch, volts: float) -> None:
        branch.stress.note_transient(volts, 0.5 * CABLE_FARADS * volts**2)
        ohms = 1e3
        self._suffer(branch, np.array([volts]), np.array([0.0]), CABLE_FARADS * ohms)

    def wired(self, node: str) -> bool:
        """Tell whether any wire goes to ``node``."""
        return self._network.wired(node)

    # --- what instruments do ---------------------------------------------------------------

    def changed(self) -> None:
        """Note that some source's output, level or limit, or some contact, is no longer what it was."""
        now = self._clock.now_ns()
        before = {held.key: held for held in self._held}
        after: list[_Held] = []
        for origin in self._origins():
            circuit, _ = self._circuit(origin)
            drives = tuple((p.mode, p.level, p.limit) for p in circuit.meters)
            key = (id(circuit), drives, tuple(p.emf for p in circuit.generators))
            held = before.pop(key, None) if not circuit.varies else None
            if held is None:
                held = _Held(key, circuit, self._solve(origin, {}), now)
                self._tell(held.circuit, held.points, 0.0)
                self._suffer_all(circuit, held.points, 0.0)
            after.append(held)
        self._charge(before.values(), now)
        self._held = after

    def _origins(self) -> list[str]:
        """Return where to look for circuits: a node of each source that is on, one a circuit."""
        meters = [port.hi for port in self._meters if port.on]
        generators = [port.node for port in self._generators if port.on]
        served: set[str] = set()
        origins = []
        for origin in meters + generators:
            if origin not in served:
                origins.append(origin)
                circuit, _ = self._circuit(origin)
                served.update(port.hi for port in circuit.meters)
                served.update(port.node for port in circuit.generators)
        return origins

    def measure(self, port: MeterPort, seconds: float) -> tuple[Floats, Floats, Bools]:
        """Read a source meter where it stands, over an aperture; as :meth:`sweep`, with one point."""
        if not port.on:
            return _nothing(1)
        circuit, _ = self._circuit(port.hi)
        points = next((h.points for h in self._held if h.circuit is circuit and not circuit.varies), None)
        points = points or self._watched(port, circuit, {}, seconds, 0.0)
        return self._read(port, circuit, points, seconds)

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
            ``[B]`` each, at the meter's terminals, with the devices' own noise.
        """
        if not port.on:
            return _nothing(len(levels))
        circuit, _ = self._circuit(port.hi)
        points = self._watched(port, circuit, {id(port): levels}, seconds, dwell)
        read = self._read(port, circuit, points, seconds)
        self._suffer_all(circuit, points, dwell)
        for held in self._held:
            if held.circuit is circuit:  # what stood before the sweep stands no longer
                held.since_ns = min(held.since_ns + round(dwell * len(levels) * 1e9), self._clock.now_ns())
        return read

    def _read(
        self, port: MeterPort, circuit: Circuit, points: OperatingPoints, seconds: float
    ) -> tuple[Floats, Floats, Bools]:
        index = circuit.meters.index(port)
        if not any(branch.law.noisy for branch in circuit.branches):
            return points.volts[:, index], points.amperes[:, index], points.limited[:, index]
        emf = np.zeros(points.branch_amperes.shape)
        for column, branch in enumerate(circuit.branches):
            if branch.law.noisy:
                emf[:, column] = branch.noise(points.branch_amperes[:, column], seconds)
        volts, amperes = points.disturbed(emf)
        return volts[:, index], amperes[:, index], points.limited[:, index]

    def would_limit(self, port: MeterPort, levels: Floats) -> Bools:
        """Tell at which of ``levels [B]`` a meter's limit would hold it, without driving them."""
        if not port.on:
            return np.zeros(len(levels), dtype=bool)
        circuit, _ = self._circuit(port.hi)
        return self._solve(port.hi, {id(port): levels}).limited[:, circuit.meters.index(port)]

    def limited(self, port: MeterPort) -> bool:
        """Tell whether a meter's limit holds it right now."""
        if not port.on:
            return False
        circuit, _ = self._circuit(port.hi)
        return bool(self._solve(port.hi, {}).limited[-1, circuit.meters.index(port)])

    def overshoot(self, port: MeterPort, volts: float) -> None:
        """Let a meter's output jump by ``volts`` beyond where it stands, as a range change does.

        The limit is too slow to hold it.
        """
        if not port.on:
            return
        circuit, _ = self._circuit(port.hi)
        index = circuit.meters.index(port)
        standing = float(self._solve(port.hi, {}).volts[-1, index])
        peak = standing + (volts if standing >= 0 else -volts)
        mode, level, limit = port.mode, port.level, port.limit
        port.mode, port.level, port.limit = "voltage", peak, float("inf")
        try:
            points = self._solve(port.hi, {})
        finally:
            port.mode, port.level, port.limit = mode, level, limit
        for column, branch in enumerate(circuit.branches):
            branch.stress.note_transient(float(points.branch_volts[-1, column]))
        self._suffer_all(circuit, points, OVERSHOOT_SECONDS)

    def pulse(self, port: GeneratorPort, emf: float, seconds: float, count: int) -> None:
        """Send ``count`` equal pulses of open-circuit voltage ``emf`` through a generator that is on."""
        if not port.on or count <= 0:
            return
        circuit, _ = self._circuit(port.node)
        idle, port.emf = port.emf, emf
        try:
            points = self._solve(port.node, {})
        finally:
            port.emf = idle
        for column, branch in enumerate(circuit.branches):
            volts = float(points.branch_volts[-1, column])
            branch.stress.note_pulse(volts * float(points.branch_amperes[-1, column]), seconds, count)
            self._branch_owner[id(branch)].pulsed(branch, volts, seconds, count)
        self._suffer_all(circuit, points, seconds * count)
        self._charge(self._held, self._clock.now_ns())
        self._held = []  # a pulse may have switched what others are reading
        self.changed()

    # --- solving ---------------------------------------------------------------------------

    def _circuit(self, origin: str) -> tuple[Circuit, Any]:
        meters = [port for port in self._meters if port.on]
        generators = [port for port in self._generators if port.on]
        contacts = frozenset().union(*self._contacts.values())
        key = (origin, contacts, tuple(map(id, meters)), tuple(map(id, generators)), self._wear)
        known = self._circuits.get(key)
        if known is None:
            circuit = self._network.circuit(origin, contacts, meters, generators)
            known = (circuit, shorten(circuit) or NodalSystem(circuit))
            if len(self._circuits) >= _REMEMBERED:
                self._circuits.clear()
            self._circuits[key] = known
        return known

    def _solve(self, origin: str, levels: Mapping[int, Floats]) -> OperatingPoints:
        circuit, system = self._circuit(origin)
        batch = max((len(several) for several in levels.values()), default=1)
        drives = [
            Drive(port.mode, levels.get(id(port), np.full(batch, port.level)), port.limit)
            for port in circuit.meters
        ]
        if isinstance(system, NodalSystem):
            return system.solve(drives, [port.emf for port in circuit.generators])
        points: OperatingPoints = system.solve(drives[0])
        return points

    def _watched(
        self, port: MeterPort, circuit: Circuit, levels: Mapping[int, Floats], seconds: float, dwell: float
    ) -> OperatingPoints:
        """Solve for readings; devices that levels change are told first where they will stand."""
        points = self._solve(port.hi, levels)
        moving = [(column, branch) for column, branch in enumerate(circuit.branches) if branch.law.moves]
        if not moving:
            return points
        for column, branch in moving:
            volts = points.branch_volts[:, column]
            self._branch_owner[id(branch)].watched(branch, volts, seconds, dwell)
        try:
            return self._solve(port.hi, levels)
        finally:
            for _, branch in moving:
                self._branch_owner[id(branch)].unwatched()

    def _tell(self, circuit: Circuit, points: OperatingPoints, seconds: float) -> None:
        """Tell devices that a level stood for ``seconds`` until now, or begins."""
        for column, branch in enumerate(circuit.branches):
            if branch.law.moves:
                volts = float(points.branch_volts[-1, column])
                self._branch_owner[id(branch)].held(branch, volts, seconds)

    # --- what devices suffer ---------------------------------------------------------------

    def _charge(self, several: Iterable[_Held], now: int) -> None:
        for held in several:
            seconds = (now - held.since_ns) * 1e-9
            held.since_ns = now
            if seconds > 0:
                self._tell(held.circuit, held.points, seconds)
                self._suffer_all(held.circuit, held.points, seconds)

    def _suffer_all(self, circuit: Circuit, points: OperatingPoints, seconds: float) -> None:
        for column, branch in enumerate(circuit.branches):
            self._suffer(branch, points.branch_volts[:, column], points.branch_amperes[:, column], seconds)

    def _suffer(self, branch: Branch, volts: Floats, amperes: Floats, seconds: float) -> None:
        if branch.suffer(volts, amperes, seconds):
            self._wear += 1

    @property
    def stress(self) -> dict[str, TerminalStress]:
        """What each terminal has suffered until now, by ``"device.terminal"``."""
        with self._turn:
            self._charge(self._held, self._clock.now_ns())
            return {b.name: b.stress for device in self.devices.values() for b in device.branches}

    # --- resuming --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Every device's counters, states and wear; sources and relays are set again by the bench."""
        with self._turn:
            self._charge(self._held, self._clock.now_ns())
            return {name: device.state_dict() for name, device in self.devices.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        with self._turn:
            for name, device in self.devices.items():
                device.load_state_dict(state[name])
            self._wear += 1
            self._held = []
            self.changed()


def _nothing(count: int) -> tuple[Floats, Floats, Bools]:
    """What a meter reads whose output is off."""
    return np.zeros(count), np.zeros(count), np.zeros(count, dtype=bool)
