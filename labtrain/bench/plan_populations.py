"""Devices whose ``kind`` is a file: a twin, or a table of parameters. What they are, and how far they reach.

The files are read with the bench file (:mod:`labtrain.bench.reading`) and kept with it in a
session's record, so that a replay needs no other file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from labtrain.bench.problems import Problems
from labtrain.bench.schema import DeviceTable
from labtrain.bench.stated_devices import StatedDevices
from labtrain.errors import LabtrainError, UsageError
from labtrain.limits import Limits
from labtrain.populations import model_named
from labtrain.populations.table import population_of_table
from labtrain.units import format_quantity

Path = tuple[str, ...]


class StatedPopulations:
    """Finds the population behind a ``kind`` that names a file.

    Parameters
    ----------
    files
        Contents by the names that the bench file uses.
    seed
        Of the chip.
    """

    def __init__(self, files: Mapping[str, bytes], seed: int, problems: Problems) -> None:
        self._files, self._seed, self._problems = files, seed, problems

    def find(self, path: Path, name: str, table: DeviceTable, count: int) -> StatedDevices | None:
        """Return the population of ``count`` devices of array ``name``; None where a problem was noted."""
        try:
            tables = self._tables(table.kind)
            if "model" in tables:
                return self._described(path, name, table, tables, count)
            # Fits bring SciPy's statistics with them: a second that a bench without twins need not wait.
            from labtrain.bench.plan_twins import fitted_population

            return fitted_population(tables, name, table, count, self._seed)
        except LabtrainError as error:
            key = (*path, error.key) if error.key in table.own() else (*path, "kind")
            message = error.message if key[-1] != "kind" else f"{table.kind}: {error.message}"
            self._problems.add(key, message, error.remedy)
            return None

    def check_reach(self, path: Path, stated: StatedDevices, terminal: str, limits: Limits) -> None:
        """Note at ``path`` a limit that allows more than the twin's measurements have seen."""
        name, most = stated.reach.get(terminal, ("voltage", float("inf")))
        if getattr(limits, name) <= most * (1.0 + 1e-3):
            return
        unit = {"voltage": "V", "current": "A"}[name]
        known = format_quantity(most, unit)
        self._problems.add(
            path,
            f"the {name} limit of {terminal!r} is {format_quantity(getattr(limits, name), unit)}, but"
            f" {stated.source} was measured up to {known} only",
            f'limit it to {name} = "{known}", or measure further and fit again',
        )

    def _tables(self, name: str) -> dict[str, Any]:
        if name not in self._files:
            raise UsageError(
                "no such file beside the bench file",
                remedy="make a twin with labtrain fit, or write a table (docs/devices.md); the path is"
                " relative to the bench file",
            )
        try:
            return tomllib.loads(self._files[name].decode())
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise UsageError(f"is not TOML: {problem}", remedy="see docs/devices.md") from None

    def _described(
        self, path: Path, name: str, table: DeviceTable, tables: dict[str, Any], count: int
    ) -> StatedDevices:
        for key in (*table.own(), *(["twins"] if table.twins else [])):
            remedy = f"write it into {table.kind}, which holds this array's parameters"
            self._problems.add((*path, key), f"{key!r} has no place beside a table of parameters", remedy)
        population = population_of_table(tables, self._seed, name, count)
        return StatedDevices(model_named(population.model), population, table.kind)
