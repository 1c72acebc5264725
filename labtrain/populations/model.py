"""What a device model says about itself, and the population drawn from it.

The same population is the scalar device on the simulated bench and the
vectorised array for training. A value belongs to (model, seed, array, cell), so
the first eight devices of a chip of ten are those of a chip of eight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.errors import UsageError
from labtrain.naming import nearest

Values = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Setting:
    """A key that a bench file may give for a device model.

    Attributes
    ----------
    unit
        As :func:`labtrain.units.parse_quantity` names it (``"ohm"``, ``"dimensionless"``).
    default, low, high
        In that unit; the range is closed.
    doc
        One line.
    """

    unit: str
    default: float
    low: float
    high: float
    doc: str

    def accept(self, name: str, value: float) -> float:
        """Return the value if it is in range.

        Raises
        ------
        UsageError
            Naming the setting, its unit and its range.
        """
        if self.low <= value <= self.high:
            return float(value)
        unit = "" if self.unit == "dimensionless" else f" {self.unit}"
        raise UsageError(
            f"{name} = {value:g}{unit} is outside {self.low:g} to {self.high:g}{unit}",
            remedy=f"{self.doc}; default {self.default:g}{unit}",
            key=name,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Parameters of ``n`` cells.

    Attributes
    ----------
    model
        The device model's name.
    seed
        Of the chip; also the seed of its devices' noise.
    parameters
        Name -> float64 ``[n]``, SI.
    units
        Name -> unit.
    array
        The array's name in the bench file; part of every random address.
    """

    model: str
    seed: int
    parameters: Mapping[str, NDArray[np.float64]]
    units: Mapping[str, str]
    array: str = ""

    def __len__(self) -> int:
        """The number of cells."""
        return len(next(iter(self.parameters.values())))

    def stream(self, kind: str) -> int:
        """Number the events ``kind`` ("read", "pulse") of this array's cells, for :mod:`labtrain.noise`."""
        return noise.stream(f"{self.array}/{kind}")

    def cell(self, index: int) -> dict[str, float]:
        """Return one cell's parameters as floats."""
        return {name: float(values[index]) for name, values in self.parameters.items()}

    def take(self, cells: slice) -> Mapping[str, NDArray[np.float64]]:
        """Return the parameters of some cells as views: ``take(slice(0, None, 2))``."""
        return {name: values[cells] for name, values in self.parameters.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Standard normals for device-to-device spread, addressed by parameter name and cell."""

    seed: int
    array: str
    cells: int

    def normal(self, parameter: str) -> NDArray[np.float64]:
        """Return float64 ``[cells]``, the same for a cell however many cells there are."""
        stream = noise.stream(f"{self.array}/population/{parameter}")
        values: NDArray[np.float64] = noise.normal(self.seed, stream, np.arange(self.cells), 0)
        return values

    def relative(self, parameter: str, value: float, spread: float) -> NDArray[np.float64]:
        """Spread a positive value log-normally: never negative, and ``spread`` relative for small spreads."""
        return value * np.exp(spread * self.normal(parameter))


@dataclass(frozen=True, slots=True, eq=False)
class DeviceModel:
    """A kind of device: terminals, settings and how a population is drawn.

    Attributes
    ----------
    terminals
        Names of the terminals that a bench file may connect; each returns to ground.
    settings
        Keys of the bench file for this kind.
    units
        Of the drawn parameters.
    build
        ``build(settings, spread) -> {name: float64[cells]}`` from complete, checked settings.
    cells_per_device
        2 for a pair: forward device ``2 i``, partner ``2 i + 1``.
    expected_resistance
        In ohm at some 20 mV, for a contact check where the bench file says nothing.
    role
        What an array of them is to training: ``"neuron-pair"``, ``"switch"``, ``"bitstream"``, ``"synapse"``,
        or empty.
    """

    name: str
    terminals: tuple[str, ...]
    settings: Mapping[str, Setting]
    units: Mapping[str, str]
    build: Callable[[Mapping[str, float], Spread], Values]
    cells_per_device: int = 1
    expected_resistance: tuple[float, float] = (0.0, math.inf)
    doc: str = field(default="")
    role: str = ""

    def complete(self, settings: Mapping[str, float]) -> dict[str, float]:
        """Check the given settings and add the defaults.

        Raises
        ------
        UsageError
            For an unknown name (with the nearest ones) or a value out of range.
        """
        for name in settings:
            if name not in self.settings:
                raise UsageError(
                    f"{self.name} has no setting {name!r}",
                    remedy=nearest(name, self.settings),
                    key=name,
                )
        given = {name: setting.default for name, setting in self.settings.items()} | dict(settings)
        return {name: self.settings[name].accept(name, value) for name, value in given.items()}

    def parameter(self, name: str, value: float) -> float:
        """Return a parameter's value if the model has it and, where it is a setting too, in range.

        Raises
        ------
        UsageError
            Naming the parameter, with the nearest ones or its range.
        """
        if name not in self.units:
            raise UsageError(
                f"{self.name} has no parameter {name!r}", remedy=nearest(name, self.units), key=name
            )
        if name in self.settings:
            return self.settings[name].accept(name, value)
        if math.isfinite(value):
            return float(value)
        raise UsageError(f"{name} = {value} is not finite", remedy="give a number", key=name)

    def draw(
        self, seed: int, count: int, settings: Mapping[str, float] | None = None, array: str = ""
    ) -> Population:
        """Draw the chip: ``count`` devices, ``count * cells_per_device`` cells.

        Raises
        ------
        UsageError
            For a bad setting or a negative count.
        """
        if count < 0:
            raise UsageError(
                f"a population of {count} devices cannot be drawn", remedy="give a count of 0 or more"
            )
        spread = Spread(seed, array, count * self.cells_per_device)
        values = self.build(self.complete(settings or {}), spread)
        for column in values.values():
            column.setflags(write=False)
        return Population(self.name, seed, values, self.units, array)


def stated(model: DeviceModel, seed: int, rows: Sequence[Mapping[str, float]], array: str = "") -> Population:
    """Make a population of known cells; parameters left out take the model's defaults, without spread.

    Parameters
    ----------
    seed
        Of the devices' noise; nothing is drawn.
    rows
        One mapping a cell: parameter -> SI value.

    Raises
    ------
    UsageError
        For an unknown parameter, a value out of the model's range, or cells that do not make devices.
    """
    if not rows or len(rows) % model.cells_per_device:
        raise UsageError(
            f"{len(rows)} cells do not make devices of model {model.name}",
            remedy=f"give {model.cells_per_device} a device",
        )
    values = {name: column.copy() for name, column in model.draw(seed, 1).take(slice(0, 1)).items()}
    columns = {name: np.repeat(value, len(rows)) for name, value in values.items()}
    for cell, row in enumerate(rows):
        for name, value in row.items():
            columns[name][cell] = model.parameter(name, value)
    for column in columns.values():
        column.setflags(write=False)
    return Population(model.name, seed, columns, model.units, array)
