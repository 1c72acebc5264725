"""The devices of a bench, drawn from their populations and tied to the bench's nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from labtrain import entry_points, populations
from labtrain.errors import UsageError
from labtrain.wiring import CONTACT_RESISTANCE, ArrayPlan, BenchPlan, DevicePlan
from simulated_instruments.circuit import Edge
from simulated_instruments.devices import Circumstances, Device

CONTACT_OHMS: Final = 1.0
"""Of a terminal's contact and a sense lead's, unless the array's settings say ``contact_resistance``."""


def devices(plan: BenchPlan, seconds: Callable[[], float]) -> Iterable[tuple[str, Device]]:
    """Draw every device of the bench, with its faults.

    Raises
    ------
    UsageError
        For a kind that cannot be simulated, or a fault of a device that is not there.
    """
    faults = plan.faults
    named = {device.name for array in plan.arrays.values() for device in array.devices}
    for name in (*faults.dead, *faults.stuck, *faults.drifting):
        if name not in named:
            raise UsageError(
                f"the fault of device {name!r} has no device",
                remedy=f"devices: {', '.join(sorted(named)) or 'none'}",
                key="faults",
            )
    for array in plan.arrays.values():
        simulate = _simulated(array)
        population = populations.population_of_plan(array, plan.seed)
        terminals = populations.model_named(array.kind).terminals
        for device in array.devices:
            what = Circumstances(
                device.name,
                population,
                device.index,
                seconds,
                dead=device.name in faults.dead,
                stuck=device.name in faults.stuck,
                drift_per_hour=float(faults.drifting.get(device.name, 0.0)),
            )
            yield device.name, simulate(what, terminals)


def _simulated(array: ArrayPlan) -> Callable[[Circumstances, tuple[str, ...]], Device]:
    known = entry_points.names(entry_points.SIMULATED_DEVICES)
    if array.kind not in known:
        raise UsageError(
            f"devices of kind {array.kind!r} cannot be simulated on a bench",
            remedy=f"known: {', '.join(known)}",
            key=f"arrays.{array.name}.kind",
        )
    simulate: Callable[[Circumstances, tuple[str, ...]], Device] = entry_points.load(
        entry_points.SIMULATED_DEVICES, array.kind
    )
    return simulate


def ties(plan: BenchPlan) -> Iterable[Edge]:
    """Tie every terminal to its node of the bench through its contact."""
    for array in plan.arrays.values():
        ohms = float(array.settings.get(CONTACT_RESISTANCE, CONTACT_OHMS))
        for device in array.devices:
            yield from _ties_of(device, ohms)


def _ties_of(device: DevicePlan, ohms: float) -> Iterable[Edge]:
    for terminal in device.terminals.values():
        yield f"{device.name}.{terminal.name}", terminal.node, ohms
        for lead in terminal.sense:
            yield lead.device_node, lead.node, ohms
