"""Parameters of many devices, drawn from (model, seed, array, cell)."""

from __future__ import annotations

from collections.abc import Mapping

from labtrain.entry_points import DEVICE_MODELS, load
from labtrain.errors import UsageError
from labtrain.populations.model import DeviceModel, Population, Setting, Spread, stated
from labtrain.wiring import CONTACT_RESISTANCE, ArrayPlan

__all__ = [
    "DeviceModel",
    "Population",
    "Setting",
    "Spread",
    "draw",
    "model_named",
    "population_of_plan",
    "stated",
]


def model_named(name: str) -> DeviceModel:
    """Return the device model registered as ``name`` (entry point group ``labtrain.device_models``).

    Raises
    ------
    UsageError
        For an unknown name, with the nearest ones, or an entry that is no device model.
    """
    model = load(DEVICE_MODELS, name)
    if isinstance(model, DeviceModel):
        return model
    raise UsageError(
        f"the entry point {name!r} gives a {type(model).__name__}, not a DeviceModel",
        remedy="let it name a labtrain.populations.DeviceModel",
    )


def draw(
    model: str | DeviceModel,
    seed: int,
    count: int,
    settings: Mapping[str, float] | None = None,
    array: str = "",
) -> Population:
    """Draw ``count`` devices of a model; see :meth:`DeviceModel.draw`.

    Parameters
    ----------
    model
        A registered name such as ``"mtj-neuron-pair"``, or the model itself.
    seed
        Draws the chip (the bench file's ``seed``).
    settings
        The model's own keys in SI; defaults for the rest.
    array
        The array's name: two arrays of one chip differ.
    """
    chosen = model_named(model) if isinstance(model, str) else model
    return chosen.draw(seed, count, settings, array)


def population_of_plan(array: ArrayPlan, seed: int) -> Population:
    """Make the population of a planned array: as its file states it, or drawn from its settings.

    The one way from a bench file to parameters, so that the scalar devices of a simulated bench and a
    vectorised array are the same chip.
    """
    if not array.cells:
        own = {name: value for name, value in array.settings.items() if name != CONTACT_RESISTANCE}
        return draw(array.kind, seed, array.count, own, array.name)
    rows = [dict(zip(array.cells, row, strict=True)) for row in zip(*array.cells.values(), strict=True)]
    return stated(model_named(array.kind), seed, rows, array.name)
