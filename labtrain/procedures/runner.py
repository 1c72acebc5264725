"""Runs a procedure in the calling thread: bound to the bench, every row recorded, always shut down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import CheckFailed, UsageError
from labtrain.procedures.demand import Demand, summarise
from labtrain.procedures.drift import DriftWatch
from labtrain.procedures.parameters import parameters_of, read_settings
from labtrain.procedures.procedure import DeviceProcedure
from labtrain.progress import Progress, SilentProgress
from labtrain.session.sink import Column, NullSink, RowStream, Sink
from labtrain.wiring import DevicePlan

if TYPE_CHECKING:
    from labtrain.bench import Bench
    from labtrain.wiring import BenchPlan


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """What came of a run.

    Attributes
    ----------
    status
        ``"complete"``, or ``"aborted"`` where it was asked to stop.
    points
        Rows recorded.
    result
        What ``analyse`` made of them.
    not_driven
        Terminals that did not pass their contact check (``"neurons[3].top"``): nothing was measured on
        their devices.
    drifted
        What had moved beyond the limit and so ended the run, in words; empty where nothing had.
    failed
        Devices that failed a check while they were measured, each with the reason; the others went on.
    """

    status: str
    points: int
    result: dict[str, Any]
    not_driven: tuple[str, ...] = ()
    drifted: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)


def plan_procedure(
    procedure_class: type[DeviceProcedure],
    plan: BenchPlan,
    devices: Sequence[DevicePlan],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Check settings and limits and add up what a run would do; nothing is opened or sent.

    Returns
    -------
    dict
        ``devices``, ``points``, ``max_volts``, ``max_amperes``, ``pulse_energy``, ``pulses``,
        ``pulses_by_terminal``, ``seconds_a_device``, ``seconds``, ``settings``, and where there are any
        ``notes``.

    Raises
    ------
    UsageError, LimitExceeded
        As :func:`run_procedure`.
    """
    procedure, values = _prepare(procedure_class, settings)
    demands = _demands(procedure, plan, devices)
    notes = {"notes": list(procedure.notes())} if procedure.notes() else {}
    return summarise(demands, len(devices)) | {"settings": values} | notes


def run_procedure(
    procedure_class: type[DeviceProcedure],
    bench: Bench,
    devices: Sequence[DevicePlan],
    settings: Mapping[str, Any],
    *,
    seed: int = 0,
    run_name: str,
    sink: Sink | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ProcedureResult:
    """Run a procedure on some devices, one after another.

    Parameters
    ----------
    settings
        Name -> text or SI number; defaults for the rest.
    seed
        Of whatever order the procedure randomises.
    run_name
        Such as ``"0001_iv-curve"``: rows go to ``runs/<run_name>/points``, the result to the
        document ``analysis/<run_name>``.
    should_stop
        Asked by the procedure between measurements; true ends the run as "aborted". By default ``progress``
        is asked.

    Raises
    ------
    UsageError
        For bad settings, no devices, or a device that the procedure does not suit.
    LimitExceeded
        Where the plan exceeds a limit of a device; nothing has been sent then.
    CheckFailed
        Where no device passed its contact check, or every one failed while it was measured.
    """
    sink = sink or NullSink()
    procedure, values = _prepare(procedure_class, settings)
    demands = [demand for _, demand in _demands(procedure, bench.plan, devices)]
    lifted = {} if procedure.CHECKS_CONTACT else _out_of_contact(bench, devices)
    devices = [device for device in devices if device.name not in lifted]
    attributes = _attributes(procedure, values, devices, seed)
    progress = progress or SilentProgress()
    progress.start(procedure_class.NAME, sum(demand.points for demand in demands))
    stream = sink.stream(f"runs/{run_name}/points", procedure_class.COLUMNS, attributes)
    rows = _Outlet(procedure_class.COLUMNS, stream, progress)
    watch = DriftWatch.of(procedure, bench, devices, demands, sink, run_name)
    ask = should_stop or progress.stopping
    stopped = _Stop(lambda: bool(watch.moved), ask, sink.stopped)
    procedure.bind(bench, seed, rows.emit, stopped, watch.between)
    _execute(procedure, devices, watch, stopped)
    if procedure.failed:
        sink.document(f"failed/{run_name}", procedure.failed)
    result = procedure_class.analyse(rows.columns(), attributes) if rows.count else {}
    sink.document(f"analysis/{run_name}", result)
    not_driven = tuple(name for names in lifted.values() for name in names)
    status = "aborted" if stopped.asked else "complete"
    return ProcedureResult(status, rows.count, result, not_driven, watch.moved, dict(procedure.failed))


def _prepare(
    procedure_class: type[DeviceProcedure], settings: Mapping[str, Any]
) -> tuple[DeviceProcedure, dict[str, Any]]:
    values = read_settings(procedure_class, settings)
    procedure = procedure_class()
    for name, value in values.items():
        setattr(procedure, name, value)
    return procedure, values


def _demands(
    procedure: DeviceProcedure, plan: BenchPlan, devices: Sequence[DevicePlan]
) -> list[tuple[DevicePlan, Demand]]:
    from labtrain.bench import roles_at_terminals

    if not devices:
        raise UsageError("no devices to measure", remedy="name devices of the bench with --device")
    demands = []
    procedure.expected_resistance = _expected(devices)
    procedure.sources = roles_at_terminals(plan)
    for device in devices:
        procedure.device = device
        for demand in procedure.plan():
            demand.check(device)
            demands.append((device, demand))
    return demands


def _out_of_contact(bench: Bench, devices: Sequence[DevicePlan]) -> dict[str, list[str]]:
    """Check contacts that have not been checked; return device -> terminals that did not pass."""
    lifted = {device.name: names for device in devices if (names := bench.out_of_contact(device))}
    if len(lifted) == len(devices):
        found = ", ".join(name for names in lifted.values() for name in names)
        raise CheckFailed(
            f"no device passed its contact check ({found}); nothing more was driven",
            remedy="look at probes, bonds and wiring; `labtrain run contact-check` shows every resistance",
        )
    return lifted


def _attributes(
    procedure: DeviceProcedure,
    values: Mapping[str, Any],
    devices: Sequence[DevicePlan],
    seed: int,
) -> dict[str, Any]:
    units = {
        name: getattr(parameter, "units", None) or ""
        for name, parameter in parameters_of(type(procedure)).items()
    }
    return {
        "protocol": procedure.NAME,
        "parameters": dict(values),
        "parameter_units": units,
        "devices": [device.name for device in devices],
        "expected_resistance": {name: list(span) for name, span in procedure.expected_resistance.items()},
        "seed": seed,
        "fit": dict(procedure.fit_hint()),
    }


def _expected(devices: Sequence[DevicePlan]) -> dict[str, tuple[float, float]]:
    """Return device terminal -> (low, high) in ohm where the bench file says one, per terminal or device."""
    return {
        f"{device.name}.{terminal.name}": terminal.expected_resistance
        for device in devices
        for terminal in device.terminals.values()
        if terminal.expected_resistance is not None
    }


def _execute(
    procedure: DeviceProcedure, devices: Sequence[DevicePlan], watch: DriftWatch, stopped: _Stop
) -> None:
    try:
        procedure.startup()
        watch.begin()
        procedure.alone = len(devices) == 1
        procedure.measure_all(devices)
        procedure.require_one_whole(devices)
        if not stopped.asked:  # else nothing more is measured: a replay ends where the stop was asked for
            watch.end()
    finally:
        procedure.shutdown()


class _Stop:
    """Remembers that the run is to stop. A wish is marked in the record; drift comes again in a replay."""

    def __init__(self, moved: Callable[[], bool], ask: Callable[[], bool], mark: Callable[[], None]) -> None:
        self._moved, self._ask, self._mark = moved, ask, mark
        self.asked = False

    def __call__(self) -> bool:
        if not self.asked:
            if self._moved():
                self.asked = True
            elif self._ask():
                self._mark()
                self.asked = True
        return self.asked


class _Outlet:
    """Takes rows from a procedure: to the record, to memory for ``analyse``, to the progress bar."""

    def __init__(self, columns: Mapping[str, Column], stream: RowStream, progress: Progress) -> None:
        self._columns = columns
        self._stream = stream
        self._progress = progress
        self._values: dict[str, list[Any]] = {name: [] for name in columns}
        self.count = 0

    def emit(self, topic: str, record: Any) -> None:
        """PyMeasure's signature; other topics than results (progress, log) are its GUI's."""
        if topic != "results":
            return
        if record.keys() != self._columns.keys():
            odd = ", ".join(sorted(record.keys() ^ self._columns.keys()))
            raise UsageError(f"a row has other columns than the procedure declares: {odd}")
        self._stream.append(record)
        for name, value in record.items():
            self._values[name].append(value)
        self.count += 1
        self._progress.advance(1, str(record.get("device", "")))
        self._progress.row(record)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return what was emitted in the dtypes that a recording would give back."""
        return {
            name: np.array(
                values, dtype=object if self._columns[name].dtype == "str" else self._columns[name].dtype
            )
            for name, values in self._values.items()
        }
