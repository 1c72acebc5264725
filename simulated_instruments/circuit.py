"""The part of the bench that one source can reach, as nodes, resistances, branches and sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labtrain.wiring import GROUND, Crosspoint, Wire
from simulated_instruments.devices import Branch, Device
from simulated_instruments.sources import GeneratorPort, MeterPort

LEAST_OHMS = 1e-3
"""A perfect wire: small against any device, large enough for a well-conditioned solve."""

Edge = tuple[str, str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """What hangs together with one source.

    Attributes
    ----------
    nodes
        All but ground.
    edges
        Resistances: (node, node, ohm).
    branches
        Device elements.
    meters, generators
        Sources that are on.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    branches: tuple[Branch, ...]
    meters: tuple[MeterPort, ...]
    generators: tuple[GeneratorPort, ...]

    @property
    def varies(self) -> bool:
        """Whether the same stimulus gives another answer at another time."""
        return any(branch.law.varies for branch in self.branches)


def attenuator(start: str, end: str, ratio: float, ohms: float = 50.0) -> list[Edge]:
    """Return the three resistances of a matched T attenuator of voltage ratio ``ratio`` < 1.

    Pozar, Microwave Engineering, 4.3: R1 = R2 = Z0 (1-K)/(1+K), R3 = 2 Z0 K/(1-K^2).
    """
    middle = f"{start}~{end}"
    arm = ohms * (1 - ratio) / (1 + ratio)
    return [(start, middle, arm), (middle, end, arm), (middle, GROUND, 2 * ohms * ratio / (1 - ratio**2))]


class Network:
    """All permanent connections of a bench; relays are closed and opened on top of them.

    Parameters
    ----------
    wires
        Of the bench file.
    ties
        Terminal node to bench node with contact resistance: (node, node, ohm).
    devices
        Every device.
    relay_ohms
        On-resistance of each matrix's relays.
    """

    def __init__(
        self,
        wires: Iterable[Wire],
        ties: Iterable[Edge],
        devices: Iterable[Device],
        relay_ohms: Mapping[str, float],
    ) -> None:
        self._relay_ohms = relay_ohms
        self._edges_at: defaultdict[str, list[Edge]] = defaultdict(list)
        self._branches_at: defaultdict[str, list[Branch]] = defaultdict(list)
        for wire in wires:
            for edge in self._of_wire(wire):
                self._tie(edge)
        for edge in ties:
            self._tie(edge)
        for device in devices:
            for edge in device.resistors:
                self._tie(edge)
            for branch in device.branches:
                self._branches_at[branch.start].append(branch)
                self._branches_at[branch.end].append(branch)

    @staticmethod
    def _of_wire(wire: Wire) -> list[Edge]:
        if not 0.0 < wire.attenuation < 1.0:
            return [(wire.start, wire.end, wire.resistance)]
        far = f"{wire.start}|{wire.end}"
        return [*attenuator(wire.start, far, wire.attenuation), (far, wire.end, wire.resistance)]

    def _tie(self, edge: Edge) -> None:
        start, end, ohms = edge
        kept = (start, end, max(ohms, LEAST_OHMS))
        self._edges_at[start].append(kept)
        self._edges_at[end].append(kept)

    def wired(self, node: str) -> bool:
        """Tell whether anything is permanently tied to ``node``."""
        return node in self._edges_at

    def joined(self, start: str, contacts: Iterable[Crosspoint]) -> set[str]:
        """Return what wires and closed relays join to ``start``; ground ends a way."""
        relays, found, waiting = self._relay_edges(contacts), {start}, [start]
        while waiting:
            node = waiting.pop()
            if node == GROUND:
                continue
            for one, other, _ in self._edges_at.get(node, []) + relays.get(node, []):
                waiting += {one, other} - found
                found |= {one, other}
        return found

    def _relay_edges(self, contacts: Iterable[Crosspoint]) -> defaultdict[str, list[Edge]]:
        relays: defaultdict[str, list[Edge]] = defaultdict(list)
        for contact in sorted(contacts, key=lambda c: (c.matrix, c.row, c.column)):
            row, column = f"{contact.matrix}.row{contact.row}", f"{contact.matrix}.col{contact.column}"
            edge = (row, column, max(self._relay_ohms.get(contact.matrix, 0.0), LEAST_OHMS))
            relays[row].append(edge)
            relays[column].append(edge)
        return relays

    def circuit(
        self,
        origin: str,
        contacts: Iterable[Crosspoint],
        meters: Sequence[MeterPort],
        generators: Sequence[GeneratorPort],
    ) -> Circuit:
        """Return what ``origin`` reaches through wires, closed relays and devices that conduct."""
        relays = self._relay_edges(contacts)
        far_ends = {port.hi: port.lo for port in meters} | {port.lo: port.hi for port in meters}
        edges: dict[int, Edge] = {}
        branches: dict[int, Branch] = {}
        seen, queue = {GROUND, origin}, [origin]
        while queue:
            node = queue.pop(0)
            reached = [far_ends.get(node, node)]
            for edge in self._edges_at.get(node, []) + relays.get(node, []):
                edges[id(edge)] = edge
                reached += edge[:2]
            for branch in self._branches_at.get(node, []):
                if branch.conducts:
                    branches[id(branch)] = branch
                    reached += (branch.start, branch.end)
            for other in reached:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return _pruned(
            seen - {GROUND},
            list(edges.values()),
            list(branches.values()),
            tuple(port for port in meters if port.hi in seen),
            tuple(port for port in generators if port.node in seen),
        )


def _pruned(
    nodes: set[str],
    edges: list[Edge],
    branches: list[Branch],
    meters: tuple[MeterPort, ...],
    generators: tuple[GeneratorPort, ...],
) -> Circuit:
    """Drop dead ends, which carry no current, so that a route stays a plain chain."""
    kept = {GROUND, *(p.hi for p in meters), *(p.lo for p in meters), *(p.node for p in generators)}
    kept |= {node for port in meters for node in port.senses}
    while True:
        degree: defaultdict[str, int] = defaultdict(int)
        for start, end, _ in edges:
            degree[start] += 1
            degree[end] += 1
        for branch in branches:
            degree[branch.start] += 1
            degree[branch.end] += 1
        ends = {node for node in nodes if degree[node] < 2 and node not in kept}
        if not ends:
            break
        nodes = nodes - ends
        edges = [e for e in edges if e[0] not in ends and e[1] not in ends]
        branches = [b for b in branches if b.start not in ends and b.end not in ends]
    return Circuit(tuple(sorted(nodes)), tuple(edges), tuple(branches), meters, generators)
