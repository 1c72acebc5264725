"""A population that a file states, with the reach of what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labtrain.populations.model import DeviceModel, Population


@dataclass(frozen=True, slots=True)
class StatedDevices:
    """A population that a file states.

    Attributes
    ----------
    model
        That its devices are simulated by.
    population
        One row a cell.
    source
        The file's name, as the bench file gives it.
    reach
        Terminal -> (quantity, largest magnitude) that the measurements behind a twin cover.
    """

    model: DeviceModel
    population: Population
    source: str
    reach: Mapping[str, tuple[str, float]] = field(default_factory=dict)
