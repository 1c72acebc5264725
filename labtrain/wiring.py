"""The bench as plain data: instruments, wires, devices, arrays, limits.

Knows names and numbers; opens nothing. The bench file is validated into these
classes, and a simulated world is built from the same ones, so that both see
one wiring.

Electrical nodes are strings: ``"smu.hi"``, ``"smu.lo"`` (a two-channel source
meter has ``"smu.a.hi"``), ``"pulser.1"``, ``"matrix.row1"``, ``"matrix.col4"``,
``"ground"`` and device terminals such as ``"neurons[3].top"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labtrain.limits import Limits

GROUND = "ground"

CONTACT_RESISTANCE = "contact_resistance"
"""The setting of every simulated array that belongs to its contacts and not to its devices, in ohm."""


@dataclass(frozen=True, slots=True)
class InstrumentPlan:
    """One instrument of the bench; ``resource`` is None where it is simulated."""

    alias: str
    model: str
    resource: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wire:
    """A permanent connection between two nodes.

    Attributes
    ----------
    resistance
        Series resistance in ohm.
    attenuation
        Voltage at ``end`` over voltage at ``start`` of a matched attenuator (1 = none).
    bandwidth
        In Hz; pulses that need more are refused.
    """

    start: str
    end: str
    resistance: float = 0.0
    attenuation: float = 1.0
    bandwidth: float = float("inf")


@dataclass(frozen=True, slots=True)
class Crosspoint:
    """One relay of a switch matrix."""

    matrix: str
    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.matrix}.{self.row},{self.column}"


@dataclass(frozen=True, slots=True)
class SenseLead:
    """A second connection to a device, by which a source meter senses and sends no current.

    Attributes
    ----------
    device_node
        Where it touches the device: a terminal (``"probe.top"``), or ``"ground"`` for the device's return.
    node
        The node of the bench that it is tied to.
    crosspoint
        The relay that connects it, if a matrix is between.
    """

    device_node: str
    node: str
    crosspoint: Crosspoint | None = None


@dataclass(frozen=True, slots=True)
class TerminalPlan:
    """Where one terminal of a device is connected.

    Attributes
    ----------
    name
        The terminal's name, for instance ``"top"``.
    node
        The node that it is tied to: ``"matrix.col4"``, ``"pulser.1"``, ``"ground"``.
    crosspoint
        The relay that a route to this terminal closes, if a matrix is between.
    limits
        What this terminal may see.
    expected_resistance
        (low, high) in ohm to ground, at some 20 mV: the terminal's own, or else its device's; None where
        neither is known.
    sense
        The leads by which this terminal and the device's return are sensed in four-wire measurements.
    """

    name: str
    node: str
    crosspoint: Crosspoint | None = None
    limits: Limits = field(default_factory=Limits)
    expected_resistance: tuple[float, float] | None = None
    sense: tuple[SenseLead, ...] = ()

    @property
    def nodes(self) -> frozenset[str]:
        """Every node of the bench that is tied to this terminal."""
        return frozenset((self.node, *(lead.node for lead in self.sense if lead.device_node != GROUND)))


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """One device: ``"neurons[3]"`` of an array, or a single one such as ``"sot"``.

    ``terminals`` holds every terminal by name; those that the bench file leaves
    out are tied to ground.
    """

    name: str
    kind: str
    terminals: Mapping[str, TerminalPlan]
    array: str
    index: int
    expected_resistance: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ArrayPlan:
    """A set of like devices; a single device is an array of one with ``single=True``.

    ``settings`` are the model's own keys of the bench file in SI numbers
    (``mismatch``, ``read_noise``, ...). Where a twin or a table states the devices, ``source`` names
    that file and ``cells`` holds their parameters, one SI value a cell; nothing is drawn then.
    """

    name: str
    kind: str
    count: int
    devices: tuple[DevicePlan, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    single: bool = False
    source: str = ""
    cells: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Faults:
    """Simulation only: what is wrong with the simulated bench."""

    dead: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    drifting: Mapping[str, float] = field(default_factory=dict)
    instruments: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """A whole validated bench file."""

    seed: int
    mount: str
    instruments: Mapping[str, InstrumentPlan]
    wires: tuple[Wire, ...]
    arrays: Mapping[str, ArrayPlan]
    sample: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    hazards: Mapping[str, Any] = field(default_factory=dict)

    def device(self, name: str) -> DevicePlan | None:
        """Look a device up by its name, None where there is none."""
        for array in self.arrays.values():
            for device in array.devices:
                if device.name == name:
                    return device
        return None
