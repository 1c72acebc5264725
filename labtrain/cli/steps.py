"""What a recorded command does, as plain data that a replay can do again.

A session's start document holds ``steps``. ``labtrain run`` and ``labtrain
train`` have one, ``labtrain demo`` has several; all of them, and every replay,
go through :func:`carry_out`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain import entry_points
from labtrain.errors import CheckFailed, UsageError
from labtrain.progress import Progress
from labtrain.session.sink import Sink

if TYPE_CHECKING:
    from labtrain.bench import Bench
    from labtrain.training.processes import Processes
    from labtrain.wiring import BenchPlan, DevicePlan


@dataclass(frozen=True)
class Surroundings:
    """What steps run in."""

    sink: Sink
    progress: Progress
    seed: int
    bench: Bench | None = None
    data_dir: Path | None = None
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: Processes | None = None


def protocol_step(
    protocol: str, device: str | None, settings: Mapping[str, str], order: int
) -> dict[str, Any]:
    """Describe one run of a protocol."""
    name = f"{order:04d}_{protocol}"
    return {
        "kind": "protocol",
        "name": name,
        "protocol": protocol,
        "device": device,
        "settings": dict(settings),
    }


def train_step(
    recipe: str, device: str | None, settings: Mapping[str, str], baseline: bool, twin: str | None = None
) -> dict[str, Any]:
    """Describe one training run."""
    return {
        "kind": "train",
        "name": recipe,
        "recipe": recipe,
        "device": device,
        "settings": dict(settings),
        "baseline": baseline,
        "twin": twin,
    }


def carry_out(steps: Sequence[Mapping[str, Any]], around: Surroundings) -> dict[str, dict[str, Any]]:
    """Do the steps in order and return each one's result by name."""
    for step in steps:
        kind = step.get("kind")
        if kind not in _STEPS:
            raise UsageError(f"a recorded step of kind {kind!r} is not known to this version of labtrain")
        around.results[step["name"]] = _STEPS[kind](step, around)
    return around.results


def carry_out_on(
    bench: Bench,
    steps: Sequence[Mapping[str, Any]],
    sink: Sink,
    progress: Progress,
    seed: int,
    data: Path | None,
) -> tuple[dict[str, dict[str, Any]], float]:
    """Do the steps on an open bench; return results and the bench's own seconds.

    Recording and replaying both come here: the clock's last reading is part of the record.
    """
    bench.note_settings("start")
    results = carry_out(steps, Surroundings(sink, progress, seed, bench, data))
    seconds = bench.elapsed_seconds
    bench.note_settings("end")  # of a run that comes to its end; else the safe state comes first
    return results, seconds


def _protocol(step: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    from labtrain.procedures import run_procedure

    if around.bench is None:
        raise UsageError("a protocol needs a bench", remedy="give --bench FILE")
    procedure = entry_points.load(entry_points.PROTOCOLS, step["protocol"])
    devices = around.bench.select(step["device"]) if step["device"] else every_device(around.bench.plan)
    outcome = run_procedure(
        procedure,
        around.bench,
        devices,
        step["settings"],
        seed=around.seed,
        run_name=step["name"],
        sink=around.sink,
        progress=around.progress,
    )
    return {
        "status": outcome.status,
        "points": outcome.points,
        "result": outcome.result,
        "not_driven": list(outcome.not_driven),
        "drifted": outcome.drifted,
        "failed": dict(outcome.failed),
    }


def every_device(plan: BenchPlan) -> list[DevicePlan]:
    """Return every device of a bench, in the file's order."""
    return [device for array in plan.arrays.values() for device in array.devices]


def _train(step: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    from labtrain.training import Context
    from labtrain.training.processes import Alone

    recipe = entry_points.load(entry_points.RECIPES, step["recipe"])
    context = Context(
        bench=around.bench,
        sink=around.sink,
        settings=recipe.read_settings(step["settings"]),
        seed=around.seed,
        progress=around.progress,
        data_dir=around.data_dir,
        device=step["device"],
        baseline=step["baseline"],
        twin=step["twin"],
        processes=around.processes or Alone(),
    )
    result: dict[str, Any] = recipe.run(context)
    return result


_STEPS = {"protocol": _protocol, "train": _train}


def failed_checks(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name what ran but is out of specification."""
    failed = []
    for name, result in results.items():
        outside = list(result.get("not_driven", ()))
        outside += [result["drifted"]] if result.get("drifted") else []
        outside += dict(result.get("failed") or {}).values()
        if isinstance(result.get("result"), Mapping) and result["result"].get("ok") is False:
            outside += result["result"].get("out_of_specification", [])
        if outside:
            failed.append(f"{name}: {', '.join(outside)}")
    return failed


def check_failed(results: Mapping[str, Mapping[str, Any]]) -> CheckFailed | None:
    """Return the error for devices out of specification, None where all are in."""
    failed = failed_checks(results)
    return CheckFailed("; ".join(failed)) if failed else None
