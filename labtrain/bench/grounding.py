"""``safe_state = "grounded"``: at the end every device terminal hangs on ground, and no charge collects.

Floating pads of a thin barrier charge up; grounded ones do not. The lines that close those relays
belong to the safe state of their matrix, so every way into it sends them: the open bench, the guard
and ``labtrain bench off``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labtrain.bench.circuit import Circuit
from labtrain.bench.problems import Problems
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import BenchPlan, Crosspoint


def grounding_relays(circuit: Circuit, plan: BenchPlan, specs: Mapping[str, DriverSpec]) -> list[Crosspoint]:
    """Return the relays between a grounded row and the column of a device terminal."""
    columns = {
        (terminal.crosspoint.matrix, terminal.crosspoint.column)
        for array in plan.arrays.values()
        for device in array.devices
        for terminal in device.terminals.values()
        if terminal.crosspoint is not None
    }
    found = []
    for alias, spec in specs.items():
        own = sorted(column for matrix, column in columns if matrix == alias)
        for row in spec.rows if own else ():
            if circuit.is_grounded_row(Crosspoint(alias, row, own[0])):
                found += [Crosspoint(alias, row, column) for column in own]
                break  # one grounded row is enough
    return found


def grounded_specs(
    plan: BenchPlan, specs: Mapping[str, DriverSpec], problems: Problems
) -> dict[str, DriverSpec]:
    """Return the specifications with safe states that ground what the bench file asks to be grounded."""
    grounded = dict(specs)
    if plan.hazards["safe_state"] != "grounded":
        return grounded
    relays = grounding_relays(Circuit(plan, specs), plan, specs)
    path = ("hazards", "safe_state")
    if not relays:
        problems.add(
            path,
            "no matrix has a row that is wired to ground",
            'wire one: [wires."matrix.row7"] to = "ground"; or write safe_state = "open"',
        )
    for relay in relays:
        spec = grounded[relay.matrix]
        if spec.closing is None:
            problems.add(
                path, f"a {spec.model} cannot be grounded by its driver", 'write safe_state = "open"'
            )
            break
        line = spec.closing(relay.row, relay.column)
        grounded[relay.matrix] = replace(spec, safe_off=(*spec.safe_off, line))
    return grounded
