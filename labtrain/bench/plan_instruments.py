"""Instruments of a bench file, checked against what their drivers declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain import entry_points
from labtrain.bench.problems import Problems
from labtrain.bench.quantities import quantity
from labtrain.bench.schema import BenchTable, InstrumentTable
from labtrain.errors import LabtrainError
from labtrain.naming import nearest
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import InstrumentPlan

Specs = dict[str, DriverSpec]


def plan_instruments(tables: BenchTable, problems: Problems) -> tuple[dict[str, InstrumentPlan], Specs]:
    """Plan every instrument whose model is known; note a problem for the others."""
    plans: dict[str, InstrumentPlan] = {}
    specs: Specs = {}
    if not tables.instruments:
        problems.add(
            (), "the file has no instruments", 'add a table such as [instruments.smu] with model = "2450"'
        )
    for alias, table in tables.instruments.items():
        path = ("instruments", alias)
        if not alias.isidentifier():
            problems.add(path, f"{alias!r} is not a name", "use letters, digits and underscores")
        if not table.model:
            problems.missing((*path, "model"))
            _unknown_keys(table, path, problems)
            continue
        try:
            spec = entry_points.load(entry_points.DRIVERS, table.model)
        except LabtrainError as error:
            problems.add_error((*path, "model"), error)
            continue
        specs[alias] = spec
        plans[alias] = InstrumentPlan(
            alias, table.model, table.resource, _options(table, spec, path, problems)
        )
    _no_address_twice(tables, problems)
    return plans, specs


def _unknown_keys(table: InstrumentTable, path: tuple[str, ...], problems: Problems) -> None:
    for key in table.own():
        problems.add((*path, key), f"unknown key {key!r}", nearest(key, type(table).model_fields))


def _options(
    table: InstrumentTable, spec: DriverSpec, path: tuple[str, ...], problems: Problems
) -> Mapping[str, Any]:
    options: dict[str, Any] = {"timeout": table.timeout}
    if table.bandwidth is not None:
        if spec.role != "switch-matrix":
            remedy = 'give a bandwidth to its wire: [wires."NODE"] bandwidth = "100 MHz"'
            problems.add((*path, "bandwidth"), f"a {spec.role} has no bandwidth of its own", remedy)
        options["bandwidth"] = table.bandwidth
    for key, value in table.own().items():
        if key not in spec.options:
            allowed = nearest(key, {*type(table).model_fields, *spec.options})
            problems.add((*path, key), f"unknown key {key!r} for a {spec.model}", allowed)
            continue
        try:
            options[key] = _option(value, spec.options[key])
        except Exception as error:  # pydantic's error, carrying the message and the remedy
            context = getattr(error, "context", None) or {}
            problems.add((*path, key), str(error), context.get("remedy"))
    return options


def _option(value: Any, unit: str) -> Any:
    return value if unit == "" else quantity(value, unit)


def _no_address_twice(tables: BenchTable, problems: Problems) -> None:
    seen: dict[str, str] = {}
    for alias, table in tables.instruments.items():
        if table.resource is None:
            continue
        other = seen.setdefault(table.resource.upper(), alias)
        if other != alias:
            problems.add(
                ("instruments", alias, "resource"),
                f"{alias} and {other} have one address, {table.resource!r}",
                "give every instrument its own address",
            )
