"""Which terminals a source reaches through wires and closed relays, and over what path.

Pure topology of a plan: opens nothing, asks nothing. Ground ends every path, and so
does a device: what a limit of one terminal allows bounds what leaves by the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from labtrain.bench.nodes import column_node, row_node, source_nodes
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import GROUND, BenchPlan, Crosspoint, DevicePlan, TerminalPlan, Wire

Closed = frozenset[Crosspoint]


@dataclass(frozen=True, slots=True)
class Channel:
    """One source channel: ``Channel("pulser", "1")``."""

    alias: str
    name: str

    def __str__(self) -> str:
        return f"{self.alias}.{self.name}" if self.name else self.alias


@dataclass(frozen=True, slots=True)
class Path:
    """What lies between a source and a node.

    Attributes
    ----------
    gain
        Voltage at the node over voltage at the source, every attenuator matched.
    resistance
        In series, in ohm.
    bandwidth
        The narrowest part's, in Hz.
    """

    gain: float = 1.0
    resistance: float = 0.0
    bandwidth: float = float("inf")

    def then(self, wire: Wire, *, backwards: bool) -> Path:
        """Follow one more wire; an amplifier passes nothing backwards, an attenuator works both ways."""
        gain = min(wire.attenuation, 1.0) if backwards else wire.attenuation
        return Path(self.gain * gain, self.resistance + wire.resistance, min(self.bandwidth, wire.bandwidth))


@dataclass(frozen=True, slots=True)
class Reached:
    """A device terminal at the end of a path."""

    device: DevicePlan
    terminal: TerminalPlan
    path: Path

    @property
    def name(self) -> str:
        """As in the bench file: ``"neurons[3].top"``."""
        return f"{self.device.name}.{self.terminal.name}"


@final
class Circuit:
    """A plan's nodes and how relays join them."""

    def __init__(self, plan: BenchPlan, specs: Mapping[str, DriverSpec]) -> None:
        self._wires: dict[str, list[tuple[str, Wire, bool]]] = defaultdict(list)
        for wire in plan.wires:
            self._wires[wire.start].append((wire.end, wire, False))
            self._wires[wire.end].append((wire.start, wire, True))
        self._relays: dict[str, list[tuple[Crosspoint, str, Wire]]] = defaultdict(list)
        for alias, spec in specs.items():
            self._add_matrix(alias, spec, plan)
        self._terminals: dict[str, list[tuple[DevicePlan, TerminalPlan]]] = defaultdict(list)
        for array in plan.arrays.values():
            for device in array.devices:
                for terminal in device.terminals.values():
                    self._terminals[terminal.node].append((device, terminal))
                    self._tie_leads(terminal)
        self.channels = {
            node: Channel(alias, channel)
            for alias, spec in specs.items()
            for node, channel in source_nodes(alias, spec).items()
        }
        self._each_channel = tuple(dict.fromkeys(self.channels.values()))
        # topology alone: the same relays give the same answer as long as the bench is open
        self.reached = lru_cache(maxsize=4096)(self._reached)
        self.within_reach = lru_cache(maxsize=4096)(self._within_reach)
        self.touched_by = lru_cache(maxsize=4096)(self._touched_by)
        self.is_grounded_row = lru_cache(maxsize=4096)(self._is_grounded_row)
        self._sources_of = lru_cache(maxsize=4096)(self._sources_at)
        self.everything = frozenset(relay for relays in self._relays.values() for relay, _, _ in relays)

    def _add_matrix(self, alias: str, spec: DriverSpec, plan: BenchPlan) -> None:
        bandwidth = plan.instruments[alias].options.get("bandwidth", float("inf"))
        for row in spec.rows:
            for column in spec.columns:
                relay = Crosspoint(alias, row, column)
                wire = Wire(row_node(relay), column_node(relay), bandwidth=bandwidth)
                self._relays[wire.start].append((relay, wire.end, wire))
                self._relays[wire.end].append((relay, wire.start, wire))

    def _tie_leads(self, terminal: TerminalPlan) -> None:
        """Join the sense leads of a terminal to it: whatever reaches one reaches the device."""
        for lead in terminal.sense:
            here = GROUND if lead.device_node == GROUND else terminal.node
            tie = Wire(lead.node, here)
            self._wires[lead.node].append((here, tie, False))
            self._wires[here].append((lead.node, tie, True))

    def paths(self, starts: Iterable[str], closed: Closed) -> dict[str, Path]:
        """Return every node within reach of ``starts``, with the path of the largest gain."""
        found = {node: Path() for node in starts if node != GROUND}
        waiting = list(found)
        while waiting:
            here = waiting.pop()
            for there, wire, backwards in self._neighbours(here, closed):
                path = found[here].then(wire, backwards=backwards)
                if there != GROUND and (there not in found or path.gain > found[there].gain):
                    found[there] = path
                    waiting.append(there)
        return found

    def _neighbours(self, node: str, closed: Closed) -> list[tuple[str, Wire, bool]]:
        through = [
            (there, wire, False) for relay, there, wire in self._relays.get(node, ()) if relay in closed
        ]
        return [*self._wires.get(node, ()), *through]

    def _within_reach(self, channel: Channel, closed: Closed) -> frozenset[str]:
        """Return the nodes that carry the signal of ``channel`` while ``closed`` relays are closed."""
        return frozenset(self.paths(self.nodes(channel), closed))

    def _reached(self, channel: Channel, closed: Closed) -> tuple[Reached, ...]:
        """Return the device terminals that ``channel`` reaches while ``closed`` relays are closed."""
        paths = self.paths(self.nodes(channel), closed)
        return tuple(
            Reached(device, terminal, path)
            for node, path in paths.items()
            for device, terminal in self._terminals.get(node, ())
        )

    def nodes(self, channel: Channel) -> list[str]:
        """Return the nodes that carry the channel's signal (``lo`` is its return).

        A sense lead hangs on the output inside the instrument (some 100 kohm), so it counts.
        """
        returns = (".lo", ".sense_lo")
        return [node for node, one in self.channels.items() if one == channel and not node.endswith(returns)]

    def forcing_nodes(self, channel: Channel) -> list[str]:
        """Return the nodes by which the channel drives."""
        return [node for node in self.nodes(channel) if not node.endswith(".sense_hi")]

    def sources_at(self, terminal: TerminalPlan) -> tuple[tuple[Channel, Path], ...]:
        """Return the channels that reach a terminal once its own relay is closed, with their paths."""
        return self._sources_of(terminal.node, terminal.crosspoint)

    def _sources_at(self, node: str, relay: Crosspoint | None) -> tuple[tuple[Channel, Path], ...]:
        closed: Closed = frozenset() if relay is None else frozenset({relay})
        paths = ((one, self.paths(self.forcing_nodes(one), closed).get(node)) for one in self._each_channel)
        return tuple((channel, path) for channel, path in paths if path is not None)

    def _touched_by(self, moving: Closed, closed: Closed) -> tuple[tuple[Channel, str], ...]:
        """Return the channels that reach a relay of ``moving`` with ``closed`` closed, and that relay."""
        found: list[tuple[Channel, str]] = []
        for channel in self._each_channel:
            nodes = self.within_reach(channel, closed)
            for relay in moving:
                if row_node(relay) in nodes or column_node(relay) in nodes:
                    found.append((channel, str(relay)))
                    break
        return tuple(found)

    def _is_grounded_row(self, relay: Crosspoint) -> bool:
        """Whether the row of a relay leads to ground, so that the relay is a device's return."""
        return any(
            end == GROUND for node in self._wired(row_node(relay)) for end, _, _ in self._wires.get(node, ())
        )

    def _wired(self, start: str) -> set[str]:
        return set(self.paths([start], frozenset()))
