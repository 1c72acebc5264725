"""Arrays and single devices of a bench file: terminals, crosspoints, limits, model settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from labtrain import entry_points
from labtrain.bench.attached import names_a_file
from labtrain.bench.nodes import check_node, column_node, parse_crosspoint
from labtrain.bench.plan_populations import StatedPopulations
from labtrain.bench.problems import Problems
from labtrain.bench.quantities import quantity, refuse
from labtrain.bench.schema import BenchTable, DeviceTable, LimitsTable, TerminalTable
from labtrain.bench.templates import expand
from labtrain.errors import LabtrainError
from labtrain.limits import Limits, tightest
from labtrain.naming import nearest
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import (
    CONTACT_RESISTANCE,
    GROUND,
    ArrayPlan,
    Crosspoint,
    DevicePlan,
    SenseLead,
    TerminalPlan,
)

Path = tuple[str, ...]
Ohms = tuple[float, float]


def plan_arrays(
    tables: BenchTable,
    specs: Mapping[str, DriverSpec],
    problems: Problems,
    files: Mapping[str, bytes] | None = None,
) -> dict[str, ArrayPlan]:
    """Plan every array and device; a single device is an array of one.

    ``files`` are the twins and tables that a ``kind`` may name.
    """
    planner = _Planner(tables, specs, problems, files or {})
    plans: dict[str, ArrayPlan] = {}
    for name, array in tables.arrays.items():
        if array.count is None:
            problems.missing(("arrays", name, "count"))
        plans[name] = planner.array(("arrays", name), name, array, array.count or 1)
    for name, device in tables.devices.items():
        if name in plans:
            problems.add(
                ("devices", name), f"{name!r} is an array too", "give every device and array its own name"
            )
        plans[name] = planner.array(("devices", name), name, device, None)
    if not plans:
        problems.add((), "the file has no devices", "add a table such as [arrays.neurons] or [devices.sot]")
    return plans


class _Planner:
    def __init__(
        self,
        tables: BenchTable,
        specs: Mapping[str, DriverSpec],
        problems: Problems,
        files: Mapping[str, bytes],
    ) -> None:
        self._known_aliases = set(tables.instruments)
        self._stated = StatedPopulations(files, tables.seed, problems)
        self._specs = specs
        self._problems = problems
        self._taken: dict[str, str] = {}

    def array(self, path: Path, name: str, table: DeviceTable, count: int | None) -> ArrayPlan:
        """Plan ``count`` like devices (None: a single one)."""
        if not name.isidentifier():
            self._problems.add(path, f"{name!r} is not a name", "use letters, digits and underscores")
        if names_a_file(table.kind):
            return self._from_a_file(path, name, table, count)
        model = self._model(path, table)
        if table.twins:
            remedy = 'give kind = "FILE.toml", or leave it out'
            self._problems.add((*path, "twins"), f"the kind {table.kind!r} is no twin's file", remedy)
        plan = self._devices(path, name, table, count, model)
        if model is None:
            return plan
        return replace(plan, settings={**plan.settings, **self._settings(path, table, model)})

    def _from_a_file(self, path: Path, name: str, table: DeviceTable, count: int | None) -> ArrayPlan:
        """Plan devices whose model and parameters a twin or a table states."""
        stated = self._stated.find(path, name, table, count or 1)
        if stated is None:
            return self._devices(path, name, table, count, None)
        plan = self._devices(path, name, table, count, stated.model)
        for terminal, given in table.terminals.items():
            if terminal in plan.devices[0].terminals:
                limits = plan.devices[0].terminals[terminal].limits
                own = () if given.limits is None else ("terminals", terminal)
                self._stated.check_reach((*path, *own, "limits"), stated, terminal, limits)
        cells = {key: tuple(values.tolist()) for key, values in stated.population.parameters.items()}
        return replace(plan, source=stated.source, cells=cells)

    def _devices(self, path: Path, name: str, table: DeviceTable, count: int | None, model: Any) -> ArrayPlan:
        kind = table.kind if model is None or not names_a_file(table.kind) else model.name
        names = tuple(table.terminals) if model is None else tuple(model.terminals)
        self._terminal_names(path, table, names)
        expected = table.expected_resistance or (None if model is None else model.expected_resistance)
        devices = tuple(
            self._device(
                path,
                name if count is None else f"{name}[{index}]",
                (name, kind, index),
                table,
                names,
                expected,
            )
            for index in range(1 if count is None else count)
        )
        contact = table.contact_resistance
        settings = {} if contact is None else {CONTACT_RESISTANCE: contact}
        return ArrayPlan(name, kind, len(devices), devices, settings, single=count is None)

    def _model(self, path: Path, table: DeviceTable) -> Any:
        if not table.kind:
            self._problems.missing((*path, "kind"))
            for key in table.own():
                allowed = nearest(key, type(table).model_fields)
                self._problems.add((*path, key), f"unknown key {key!r}", allowed)
            return None
        try:
            return entry_points.load(entry_points.DEVICE_MODELS, table.kind)
        except LabtrainError as error:
            self._problems.add_error((*path, "kind"), error)
            return None

    def _settings(self, path: Path, table: DeviceTable, model: Any) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        for key, value in table.own().items():
            if key not in model.settings:
                own = {*type(table).model_fields, *model.settings}
                self._problems.add((*path, key), f"unknown key {key!r} for a {table.kind}", nearest(key, own))
                continue
            try:
                settings[key] = _setting(value, model.settings[key])
            except Exception as error:  # pydantic's error, carrying the message and the remedy
                context = getattr(error, "context", None) or {}
                self._problems.add((*path, key), str(error), context.get("remedy"))
        return settings

    def _terminal_names(self, path: Path, table: DeviceTable, names: tuple[str, ...]) -> None:
        for given in table.terminals:
            if given not in names:
                message = f"a {table.kind} has no terminal {given!r}"
                self._problems.add((*path, "terminals", given), message, nearest(given, names))
        if not table.terminals:
            remedy = f"connect its terminals: terminals = {{ {', '.join(names) or 'NAME'} = ... }}"
            self._problems.add(path, "no terminal is connected", remedy)

    def _device(
        self,
        path: Path,
        name: str,
        place: tuple[str, str, int],
        table: DeviceTable,
        names: tuple[str, ...],
        expected: Ohms | None,
    ) -> DevicePlan:
        array, kind, index = place
        terminals = {}
        for terminal in names:
            given = table.terminals.get(terminal)
            if given is None:
                terminals[terminal] = TerminalPlan(terminal, GROUND)
                continue
            key = (*path, "terminals", terminal)
            limits = self._limits(path, key, table, given, first=index == 0)
            planned = self._terminal(key, terminal, f"{name}.{terminal}", given, index, limits)
            planned = replace(planned, sense=self._sense(key, f"{name}.{terminal}", given, index))
            terminals[terminal] = replace(planned, expected_resistance=given.expected_resistance or expected)
        return DevicePlan(name, kind, terminals, array, index, expected)

    def _limits(
        self, path: Path, key: Path, table: DeviceTable, given: TerminalTable, *, first: bool
    ) -> Limits:
        limits = tightest([_limits(table.limits), _limits(given.limits)])
        lacking = [name for name in ("voltage", "current") if getattr(limits, name) == float("inf")]
        if lacking and first and given.to and given.to != GROUND:
            self._problems.add(
                (*key, "limits") if given.limits is not None else (*path, "limits"),
                f"the terminal {key[-1]!r} has no limit of {' and '.join(lacking)}; a chip needs them",
                'state them, such as limits = { voltage = "0.5 V", current = "50 uA" }',
            )
        return limits

    def _terminal(
        self, key: Path, terminal: str, where: str, given: TerminalTable, index: int, limits: Limits
    ) -> TerminalPlan:
        if not given.to:
            self._problems.missing((*key, "to"))
            return TerminalPlan(terminal, GROUND, None, limits)
        try:
            text = expand(given.to, index)
            node, crosspoint = self._place(text)
        except LabtrainError as error:
            self._problems.add_error(key, error)
            return TerminalPlan(terminal, GROUND, None, limits)
        if crosspoint is not None:
            self._take(key, node, where)
        return TerminalPlan(terminal, node, crosspoint, limits)

    def _sense(self, key: Path, where: str, given: TerminalTable, index: int) -> tuple[SenseLead, ...]:
        """Plan the sense leads of a terminal and of its device's return."""
        leads = []
        for name, text, at in (("sense", given.sense, where), ("sense_return", given.sense_return, GROUND)):
            if not text:
                continue
            try:
                node, crosspoint = self._place(expand(text, index))
            except LabtrainError as error:
                self._problems.add_error((*key, name), error)
                continue
            if crosspoint is not None:
                self._take((*key, name), node, f"{where} ({name})")
            leads.append(SenseLead(at, node, crosspoint))
        if given.sense_return and not given.sense:
            self._problems.add((*key, "sense_return"), "sense_return without sense", "give sense as well")
        return tuple(leads)

    def _take(self, key: Path, node: str, where: str) -> None:
        other = self._taken.setdefault(node, where)
        if other != where:
            remedy = "give every terminal its own column, or use a template such as {2i}"
            self._problems.add(key, f"{where} and {other} are both connected to {node}", remedy)

    def _place(self, text: str) -> tuple[str, Crosspoint | None]:
        alias = text.partition(".")[0]
        if alias in self._known_aliases and alias not in self._specs:
            return GROUND, None  # its unknown model has been reported already
        crosspoint = parse_crosspoint(text, self._specs)
        if crosspoint is not None:
            return column_node(crosspoint), crosspoint
        check_node(text, self._specs)
        return text, None


def _limits(table: LimitsTable | None) -> Limits:
    given = {} if table is None else table.model_dump(exclude_none=True)
    return Limits(**{f.name: given[f.name] for f in fields(Limits) if f.name in given})


def _setting(value: Any, setting: Any) -> Any:
    number = quantity(value, setting.unit or "dimensionless")
    if not setting.low <= number <= setting.high:
        allowed = f"allowed: {setting.low:g} to {setting.high:g} {setting.unit}".rstrip()
        raise refuse(f"{value!r} is out of range", f"{allowed}; {setting.doc}")
    return number
