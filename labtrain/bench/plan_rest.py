"""Faults and hazard keys of a bench file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.bench.nodes import parse_crosspoint
from labtrain.bench.problems import Problems
from labtrain.bench.schema import BenchTable
from labtrain.bench.selecting import select_from
from labtrain.errors import LabtrainError
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import ArrayPlan, Crosspoint, Faults


def plan_faults(tables: BenchTable, arrays: Mapping[str, ArrayPlan], problems: Problems) -> Faults:
    """Read what is wrong with the simulated bench; slices such as ``neurons[2:4]`` are spelt out."""

    def devices(key: str, names: list[str]) -> tuple[str, ...]:
        found: list[str] = []
        for name in names:
            try:
                found += [device.name for device in select_from(arrays, name)]
            except LabtrainError as error:
                problems.add_error(("faults", key), error)
        return tuple(found)

    faults = tables.faults
    for alias in faults.instruments:
        if alias not in tables.instruments:
            message = f"there is no instrument {alias!r}"
            problems.add(("faults", "instruments", alias), message, f"known: {', '.join(tables.instruments)}")
    drifting = {one: rate for name, rate in faults.drifting.items() for one in devices("drifting", [name])}
    scripts = {
        alias: tuple(fault.model_dump(exclude_none=True) for fault in script)
        for alias, script in faults.instruments.items()
    }
    return Faults(devices("dead", faults.dead), devices("stuck", faults.stuck), drifting, scripts)


def plan_hazards(tables: BenchTable, specs: Mapping[str, DriverSpec], problems: Problems) -> dict[str, Any]:
    """Read the hazard keys; ``forbidden`` becomes a set of crosspoints."""
    forbidden: set[Crosspoint] = set()
    for text in tables.hazards.forbidden:
        try:
            crosspoint = parse_crosspoint(text, specs)
        except LabtrainError as error:
            problems.add_error(("hazards", "forbidden"), error)
            continue
        if crosspoint is None:
            problems.add(
                ("hazards", "forbidden"), f"{text!r} is not a crosspoint", 'write "matrix.ROW,COLUMN"'
            )
        else:
            forbidden.add(crosspoint)
    return {**tables.hazards.model_dump(), "forbidden": frozenset(forbidden)}
