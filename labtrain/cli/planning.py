"""What a command is about to do, shown before it is done; real addresses are confirmed."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from labtrain import entry_points
from labtrain.errors import UsageError
from labtrain.units import format_quantity

if TYPE_CHECKING:
    from labtrain.wiring import BenchPlan


@dataclass(frozen=True)
class Plan:
    """A command's plan; ``real`` names the real addresses that it would drive."""

    fields: dict[str, Any]
    text: str
    real: tuple[str, ...]


def plan_protocol(protocol: str, bench_file: Path, device: str | None, settings: Mapping[str, str]) -> Plan:
    """Plan a protocol from its settings and the bench file; nothing is opened."""
    from labtrain.bench import locate_bench, read_plan, select_devices
    from labtrain.cli.steps import every_device
    from labtrain.procedures import plan_procedure

    procedure = entry_points.load(entry_points.PROTOCOLS, protocol)
    bench = read_plan(locate_bench(bench_file))
    devices = select_devices(bench, device) if device else every_device(bench)
    figures = plan_procedure(procedure, bench, devices, settings)
    settled = figures.pop("settings")
    figures |= {"budget": _budget(bench, figures.pop("pulses_by_terminal")), "settings": settled}
    return _plan(f"protocol {protocol}", bench, figures)


def plan_training(recipe: str, bench_file: Path | None, settings: Mapping[str, str]) -> Plan:
    """Plan a training run; settings are checked here, before anything is opened."""
    from labtrain.bench import locate_bench, read_plan

    loaded = entry_points.load(entry_points.RECIPES, recipe)
    figures = {"settings": loaded.read_settings(settings)}
    if bench_file is None:
        return Plan({"plan": figures, "real": []}, f"recipe {recipe} on directly simulated arrays", ())
    bench = read_plan(locate_bench(bench_file))
    return _plan(f"recipe {recipe}", bench, _allowed(bench) | figures)


def _budget(bench: BenchPlan, pulses: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Say of every terminal what it would get, what the sample's logbook says that it had, and its total.

    Raises
    ------
    LimitExceeded
        Where that is more than the terminal may receive in its life.
    """
    from labtrain.bench.endurance import EnduranceBook, book_path

    book, budget = EnduranceBook(book_path(bench)), {}
    for where, count in pulses.items():
        name, _, terminal = where.rpartition(".")
        device = bench.device(name)
        assert device is not None
        limits = device.terminals[terminal].limits
        book.check(where, count, limits)
        total = None if math.isinf(limits.total_pulses) else limits.total_pulses
        budget[where] = {"pulses": count, "before": book.life(where).pulses, "total": total}
    return budget


def _allowed(bench: BenchPlan) -> dict[str, Any]:
    """Return the most that the bench lets any terminal of an array see, whatever a recipe asks for."""
    limits = [
        terminal.limits
        for array in bench.arrays.values()
        if not array.single
        for device in array.devices
        for terminal in device.terminals.values()
        if math.isfinite(terminal.limits.voltage)
    ]
    return {
        "max_volts": max((one.voltage for one in limits), default=0.0),
        "max_amperes": max((one.current for one in limits), default=0.0),
        "terminals": len(limits),
    }


def _plan(what: str, bench: BenchPlan, figures: dict[str, Any]) -> Plan:
    real = tuple(f"{i.alias} ({i.model}) at {i.resource}" for i in bench.instruments.values() if i.resource)
    lines = [f"{what} on {', '.join(real) if real else 'simulated instruments'}"]
    lines += [f"  {name.replace('_', ' ')}: {_figure(name, value)}" for name, value in figures.items()]
    return Plan({"plan": figures, "real": list(real)}, "\n".join(lines), real)


_UNITS = {"max_volts": "V", "max_amperes": "A", "pulse_energy": "J", "seconds": "s", "seconds_a_device": "s"}
_SHOWN = 8


def _told(budget: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        f"{where}: {one['pulses']} pulses, {one['before']} before"
        + (", no limit on their number" if one["total"] is None else f", of {one['total']:.0f} in its life")
        for where, one in budget.items()
    ]
    more = [f"and {len(lines) - _SHOWN} terminals more"] if len(lines) > _SHOWN else []
    return "; ".join(lines[:_SHOWN] + more) or "no pulses"


def _figure(name: str, value: Any) -> str:
    if name == "budget":
        return _told(value)
    if name == "notes":
        return "; ".join(value)
    return format_quantity(value, _UNITS[name]) if name in _UNITS and value is not None else str(value)


def confirm(plan: Plan, yes: bool) -> None:
    """Show the plan and ask before real addresses are driven.

    Raises
    ------
    UsageError
        Where nobody can be asked, or the answer is no.
    """
    if not plan.real or yes:
        return
    sys.stderr.write(plan.text + "\n")
    if not sys.stdin.isatty():
        raise UsageError(
            "real instruments would be driven and nobody can be asked",
            remedy="give --yes after reading the plan",
        )
    if not typer.confirm("Drive these instruments?", err=True):
        raise UsageError("not confirmed; nothing was sent")
