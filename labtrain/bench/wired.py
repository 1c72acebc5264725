"""Which kinds of instrument reach which terminals, from the bench file alone."""

from __future__ import annotations

from collections.abc import Mapping

from labtrain import entry_points
from labtrain.bench.circuit import Circuit
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import BenchPlan


def roles_at_terminals(plan: BenchPlan) -> Mapping[str, frozenset[str]]:
    """Return ``"sot.line"`` -> the roles of all sources that its own relay can connect to it.

    Drivers are asked only what they declare; nothing is opened.
    """
    specs: dict[str, DriverSpec] = {
        alias: entry_points.load(entry_points.DRIVERS, one.model) for alias, one in plan.instruments.items()
    }
    circuit = Circuit(plan, specs)
    return {
        f"{device.name}.{terminal.name}": frozenset(
            specs[channel.alias].role for channel, _ in circuit.sources_at(terminal)
        )
        for array in plan.arrays.values()
        for device in array.devices
        for terminal in device.terminals.values()
    }
