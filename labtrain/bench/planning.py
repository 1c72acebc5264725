"""From the validated tables to the plan of the bench; every problem of the file is found here.

Nothing is opened. Drivers and device models are asked only what they declare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labtrain.bench.grounding import grounded_specs
from labtrain.bench.locating import locate_bench
from labtrain.bench.plan_devices import plan_arrays
from labtrain.bench.plan_environment import plan_environment
from labtrain.bench.plan_instruments import plan_instruments
from labtrain.bench.plan_rest import plan_faults, plan_hazards
from labtrain.bench.plan_wires import plan_wires
from labtrain.bench.problems import Problems
from labtrain.bench.reading import BenchSource, parse_source, read_source
from labtrain.bench.schema import BenchTable, ReadingTable, WritingTable
from labtrain.errors import BenchFileError, LabtrainError
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import BenchPlan


@dataclass(frozen=True, slots=True)
class BenchSetup:
    """A plan and what only the bench itself needs beside it.

    Attributes
    ----------
    plan
        What the rest of labtrain sees.
    specs
        The driver specification of every instrument, by alias.
    readings
        How the devices of every array are read.
    writings
        How they are pulsed.
    source
        The file's bytes.
    """

    plan: BenchPlan
    specs: Mapping[str, DriverSpec]
    readings: Mapping[str, ReadingTable] = field(default_factory=dict)
    writings: Mapping[str, WritingTable] = field(default_factory=dict)
    source: BenchSource | None = None


def read_setup(file: Path | bytes | BenchSource) -> BenchSetup:
    """Read, validate and plan a bench file.

    Raises
    ------
    BenchFileError
        With every problem in ``problems``, each with its file, line, key and remedy.
    """
    located = locate_bench(file) if isinstance(file, (str, Path)) else file
    try:
        source = read_source(located)
        tables, problems = parse_source(source)
    except LabtrainError as error:
        raise BenchFileError([error], error.file) from None
    return plan_bench(tables, problems, source)


def read_plan(file: Path | bytes | BenchSource) -> BenchPlan:
    """Read a bench file as plain data; see :func:`read_setup`."""
    return read_setup(file).plan


def plan_bench(tables: BenchTable, problems: Problems, source: BenchSource | None = None) -> BenchSetup:
    """Check everything that the schema alone cannot see, and plan.

    Raises
    ------
    BenchFileError
        With every problem found.
    """
    instruments, specs = plan_instruments(tables, problems)
    wires = plan_wires(tables, specs, problems)
    arrays = plan_arrays(tables, specs, problems, source.attached if source else None)
    plan = BenchPlan(
        seed=tables.seed,
        mount=tables.mount,
        instruments=instruments,
        wires=wires,
        arrays=arrays,
        sample={key: text for key, text in tables.sample.model_dump().items() if text},
        environment=plan_environment(tables, specs, problems),
        faults=plan_faults(tables, arrays, problems),
        hazards=plan_hazards(tables, specs, problems),
    )
    specs = grounded_specs(plan, specs, problems)
    problems.unless_none()
    every = {**tables.arrays, **tables.devices}
    readings = {name: table.reading for name, table in every.items()}
    writings = {name: table.writing for name, table in every.items()}
    return BenchSetup(plan, specs, readings, writings, source)
