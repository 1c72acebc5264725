"""``[environment]`` of a bench file: field and temperature, stated by hand or read from a sensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.bench.problems import Problems
from labtrain.bench.schema import BenchTable, EnvironmentEntry
from labtrain.errors import LabtrainError
from labtrain.naming import nearest
from labtrain.roles.spec import DriverSpec
from labtrain.units import parse_quantity

_UNITS = {"field": "tesla", "temperature": "kelvin"}


def plan_environment(
    tables: BenchTable, specs: Mapping[str, DriverSpec], problems: Problems
) -> dict[str, Mapping[str, Any]]:
    """Read field (tesla) and temperature (kelvin) with where they come from."""
    environment: dict[str, Mapping[str, Any]] = {}
    for name, unit in _UNITS.items():
        entry = getattr(tables.environment, name)
        if entry is None:
            continue
        path = ("environment", name)
        if (entry.value is None) == (entry.instrument is None):
            remedy = 'write { value = "20 mT" }, or { instrument = "gaussmeter", property = "field" }'
            problems.add(path, "needs a value or an instrument, and not both", remedy)
            continue
        try:
            stated = entry.value is not None
            planned = _stated(entry, unit) if stated else _read(path, entry, unit, tables, specs, problems)
        except LabtrainError as error:
            problems.add_error((*path, "property" if entry.value is None else "value"), error)
            continue
        if planned is not None:
            environment[name] = planned
    return environment


def _stated(entry: EnvironmentEntry, unit: str) -> dict[str, Any]:
    return {"value": parse_quantity(entry.value or "", unit), "unit": unit, "source": entry.source}


def _read(
    path: tuple[str, ...],
    entry: EnvironmentEntry,
    unit: str,
    tables: BenchTable,
    specs: Mapping[str, DriverSpec],
    problems: Problems,
) -> dict[str, Any] | None:
    alias, name = entry.instrument or "", entry.property or ""
    sensors = [one for one, spec in specs.items() if spec.role == "sensor"]
    if alias not in sensors:
        if alias not in tables.instruments or alias in specs:  # else its unknown model is reported already
            known = f"sensors of this bench: {', '.join(sensors) or 'none'}"
            problems.add((*path, "instrument"), f"there is no sensor {alias!r}", known)
        return None
    offered = specs[alias].properties
    if name not in offered:
        message = f"a {specs[alias].model} has no property {name!r}"
        problems.add((*path, "property"), message, nearest(name, offered))
        return None
    zero, one = (parse_quantity(f"{number} {offered[name]}", unit) for number in (0, 1))
    return {
        "instrument": alias,
        "property": name,
        "unit": unit,
        "zero": zero,
        "factor": one - zero,
        "interval": entry.interval,
        "source": f"{alias}.{name}",
    }
