"""A bench as plain data, for ``labtrain bench show`` and for the record."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from labtrain.limits import Limits
from labtrain.wiring import ArrayPlan, BenchPlan, TerminalPlan


def describe_plan(plan: BenchPlan) -> dict[str, Any]:
    """Return instruments, wires, arrays with terminals and limits, sample and surroundings; SI numbers."""
    return {
        "seed": plan.seed,
        "mount": plan.mount,
        "instruments": {
            alias: {"model": one.model, "resource": one.resource, "options": _strict(dict(one.options))}
            for alias, one in plan.instruments.items()
        },
        "wires": [
            {
                "from": wire.start,
                "to": wire.end,
                "resistance": wire.resistance,
                "attenuation": wire.attenuation,
                "bandwidth": _number(wire.bandwidth),
            }
            for wire in plan.wires
        ],
        "arrays": {name: _array(array) for name, array in plan.arrays.items()},
        "sample": dict(plan.sample),
        "environment": {name: dict(entry) for name, entry in plan.environment.items()},
        "faults": {
            "dead": list(plan.faults.dead),
            "stuck": list(plan.faults.stuck),
            "drifting": dict(plan.faults.drifting),
        },
        "hazards": _strict(
            {**plan.hazards, "forbidden": sorted(map(str, plan.hazards.get("forbidden", ())))}
        ),
    }


def _array(array: ArrayPlan) -> dict[str, Any]:
    return {
        "kind": array.kind,
        "count": array.count,
        "single": array.single,
        "settings": _strict(dict(array.settings)),
        "source": array.source,
        "cells": {name: list(values) for name, values in array.cells.items()},
        "devices": {
            device.name: {
                "expected_resistance": _strict(device.expected_resistance),
                "terminals": {name: _terminal(one) for name, one in device.terminals.items()},
            }
            for device in array.devices
        },
    }


def _terminal(terminal: TerminalPlan) -> dict[str, Any]:
    return {
        "node": terminal.node,
        "crosspoint": None if terminal.crosspoint is None else str(terminal.crosspoint),
        "sense": [str(lead.crosspoint or lead.node) for lead in terminal.sense],
        "limits": _limits(terminal.limits),
        "expected_resistance": _strict(terminal.expected_resistance),
    }


def _limits(limits: Limits) -> dict[str, float]:
    stated = {one.name: getattr(limits, one.name) for one in fields(Limits)}
    return {name: value for name, value in stated.items() if math.isfinite(value)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _strict(value: Any) -> Any:
    """Write infinities as null and tuples as lists, for strict JSON."""
    if isinstance(value, dict):
        return {key: _strict(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(one) for one in value]
    return _number(value) if isinstance(value, float) else value
