"""Devices of a bench file that a twin describes: which of the twin's, and what the file may add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.bench.quantities import quantity
from labtrain.bench.schema import DeviceTable
from labtrain.bench.stated_devices import StatedDevices
from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.twins.population import TwinDevices, device_names, devices_of, population_of_devices
from labtrain.twins.twin_file import Twin


def fitted_population(
    tables: Mapping[str, Any], name: str, table: DeviceTable, count: int, seed: int
) -> StatedDevices:
    """Return the population of ``count`` devices of array ``name`` that a twin file's tables describe.

    Raises
    ------
    UsageError
        For another number of devices than the twin has, or a key that the twin has measured already.
    """
    twin = Twin.of_tables(tables)
    found = devices_of(twin, _chosen(twin, name, table, count))
    settings = {key: _setting(found, key, value) for key, value in table.own().items()}
    population = population_of_devices(found, seed, name, settings)
    return StatedDevices(found.model, population, table.kind, found.reach)


def _chosen(twin: Twin, array: str, table: DeviceTable, count: int) -> list[str]:
    """The twin's devices by the names given, else those of the array's name, else all."""
    known = device_names(twin)
    own = [name for name in known if name == array or name.startswith(f"{array}[")]
    chosen = table.twins or own or list(known)
    if len(chosen) != count:
        raise UsageError(
            f"{count} devices are wanted, {len(chosen)} are there: {', '.join(chosen) or 'none'}",
            remedy=f"choose {count} by twins = [...] in this table, or correct count",
        )
    return chosen


def _setting(found: TwinDevices, key: str, value: Any) -> float:
    allowed = sorted(set(found.model.units) - found.fitted)
    if key not in found.model.units:
        raise UsageError(f"unknown key {key!r} beside a twin", remedy=nearest(key, allowed), key=key)
    try:
        return quantity(value, found.model.units[key] or "dimensionless")
    except Exception as error:  # pydantic's error, carrying the message and the remedy
        context = getattr(error, "context", None) or {}
        raise UsageError(str(error), remedy=context.get("remedy"), key=key) from None
