"""Which circuits the sources drive just now, each found and solved once as long as nothing changes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from labtrain.wiring import GROUND, Crosspoint
from simulated_instruments.circuit import Circuit, Network
from simulated_instruments.devices import Branch
from simulated_instruments.laws import Floats, LinearLaw
from simulated_instruments.nodal import Drive, NodalSystem
from simulated_instruments.operating_points import OperatingPoint, OperatingPoints
from simulated_instruments.series import OpenRoute, SeriesChain, shorten
from simulated_instruments.sources import GeneratorPort, MeterPort

_REMEMBERED: Final = 64

System = NodalSystem | SeriesChain | OpenRoute


@dataclass(slots=True, eq=False)
class Driven:
    """A circuit, how it is solved, and what it answered at the levels that stood lately.

    Attributes
    ----------
    branches, moving, noisy
        The branches with their places: all; whose devices levels themselves change; whose readings scatter.
    varies
        Whether the same stimulus gives another answer at another time.
    """

    circuit: Circuit
    system: System
    branches: tuple[tuple[int, Branch], ...] = field(init=False)
    moving: tuple[tuple[int, Branch], ...] = field(init=False)
    noisy: tuple[tuple[int, Branch], ...] = field(init=False)
    varies: bool = field(init=False)
    _only: MeterPort | None = field(init=False)
    _remembers: bool = field(init=False)
    _known: dict[Hashable, OperatingPoint] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # a device that breaks gets another law, and then its circuit is found anew
        self.branches = tuple(enumerate(self.circuit.branches))
        self.moving = tuple([(place, branch) for place, branch in self.branches if branch.law.moves])
        self.noisy = tuple([(place, branch) for place, branch in self.branches if branch.law.noisy])
        self.varies = self.circuit.varies
        # Ohm's law is worked out sooner than its answer is looked up
        laws = [branch.law for branch in self.circuit.branches]
        meters = self.circuit.meters
        self._only = meters[0] if len(meters) == 1 and not self.circuit.generators else None
        self._remembers = isinstance(self.system, NodalSystem) or not all(
            [isinstance(law, LinearLaw) for law in laws]
        )

    def setting(self) -> Hashable:
        """Return all that the sources do to it now."""
        only = self._only
        if only is not None:
            return only.mode, only.level, only.limit
        drives = tuple([(port.mode, port.level, port.limit) for port in self.circuit.meters])
        return drives, tuple([port.emf for port in self.circuit.generators])

    def states(self) -> Hashable:
        """Return the devices' states as far as they decide the answer; None where that is not known."""
        states = tuple([branch.law.state for branch in self.circuit.branches])
        return None if None in states else states

    def solve(self, levels: Mapping[int, Floats]) -> OperatingPoints:
        """Solve at ``levels [B]`` by a meter port's identity, other sources where they stand."""
        batch = max((len(several) for several in levels.values()), default=1)
        drives = []
        for port in self.circuit.meters:
            given = levels.get(id(port))
            drives.append(
                Drive(port.mode, np.full(batch, port.level) if given is None else given, port.limit)
            )
        if isinstance(self.system, NodalSystem):
            return self.system.solve(drives, [port.emf for port in self.circuit.generators])
        return self.system.solve(drives[0])

    def standing(self) -> OperatingPoint:
        """Solve where the sources stand, or remember the answer where devices are as they were then."""
        if not self._remembers:
            return self.system.standing()
        states = self.states()
        if states is None:
            return self.system.standing()
        key = (self.setting(), states)
        point = self._known.get(key)
        if point is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            point = self._known[key] = self.system.standing()
        return point


class Circuits:
    """Finds what hangs together with a source.

    Parameters
    ----------
    network
        The permanent connections.

    Attributes
    ----------
    meters, generators
        Every source that is connected.
    closed
        The closed relays of all matrices.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.meters: list[MeterPort] = []
        self.generators: list[GeneratorPort] = []
        self._contacts: dict[str, frozenset[Crosspoint]] = {}
        self.closed: frozenset[Crosspoint] = frozenset()
        self._wear = 0
        self._found: dict[Hashable, Driven] = {}
        self._now: dict[str, Driven] = {}

    def close(self, matrix: str, closed: Iterable[Crosspoint]) -> bool:
        """Take over a matrix's closed relays; return whether any has moved."""
        contacts = frozenset(closed)
        if contacts == self._contacts.get(matrix, frozenset()):
            return False
        self._contacts[matrix] = contacts
        self.closed = frozenset().union(*self._contacts.values())
        self.changed()
        return True

    def joined(self, one: str, other: str, *, by_ground: bool = False) -> bool:
        """Tell whether wires and closed relays join two nodes, by ground too or only apart from it."""
        both = self._network.joined(one, self.closed) & self._network.joined(other, self.closed)
        return bool(both if by_ground else both - {GROUND})

    def wear(self) -> None:
        """Note that a device has broken: circuits look different now."""
        self._wear += 1
        self.changed()

    def changed(self) -> None:
        """Note that some relay, of a matrix or of an output, may have moved."""
        self._now.clear()

    def at(self, origin: str) -> Driven:
        """Return the circuit that ``origin``, a node of a source, is part of."""
        driven = self._now.get(origin)
        if driven is None:
            driven = self._now[origin] = self._known(origin)
        return driven

    def _known(self, origin: str) -> Driven:
        on = (
            tuple([(port.on, port.remote) for port in self.meters]),
            tuple([port.on for port in self.generators]),
        )
        key = (origin, self.closed, on, self._wear)
        driven = self._found.get(key)
        if driven is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            driven = self._found[key] = self._find(origin)
        return driven

    def _find(self, origin: str) -> Driven:
        meters = [port for port in self.meters if port.on]
        generators = [port for port in self.generators if port.on]
        circuit = self._network.circuit(origin, self.closed, meters, generators)
        return Driven(circuit, shorten(circuit) or NodalSystem(circuit))

    def driven(self) -> list[Driven]:
        """Return every circuit with a source that is on."""
        found: list[Driven] = []
        served: set[int] = set()
        for port, node in self._on():
            if id(port) not in served:
                driven = self.at(node)
                found.append(driven)
                served.update(map(id, driven.circuit.meters))
                served.update(map(id, driven.circuit.generators))
        return found

    def _on(self) -> list[tuple[MeterPort | GeneratorPort, str]]:
        meters: list[tuple[MeterPort | GeneratorPort, str]] = [(p, p.hi) for p in self.meters if p.on]
        return meters + [(port, port.node) for port in self.generators if port.on]
