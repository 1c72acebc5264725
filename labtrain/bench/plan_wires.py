"""Permanent wires of a bench file, checked node by node."""

from __future__ import annotations

from collections.abc import Mapping

from labtrain.bench.nodes import check_node, source_nodes
from labtrain.bench.problems import Problems
from labtrain.bench.schema import BenchTable
from labtrain.errors import LabtrainError
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import GROUND, Wire


def plan_wires(tables: BenchTable, specs: Mapping[str, DriverSpec], problems: Problems) -> tuple[Wire, ...]:
    """Plan every wire; a source meter's ``lo`` that the file leaves out is tied to ground."""
    wires = []
    for start, table in tables.wires.items():
        path = ("wires", start)
        if not table.to:
            problems.missing((*path, "to"))
            continue
        for key, node in ((path, start), ((*path, "to"), table.to)):
            _check(key, node, tables, specs, problems)
        if start == table.to:
            problems.add((*path, "to"), f"the wire from {start} ends where it starts", "name the other end")
        wires.append(Wire(start, table.to, table.resistance, table.attenuation, table.bandwidth))
    wired = {end for wire in wires for end in (wire.start, wire.end)}
    _whole_pairs(wired, problems)
    for alias, spec in specs.items():
        lows = [node for node in source_nodes(alias, spec) if node.endswith(".lo")]
        wires += [Wire(node, GROUND) for node in lows if node not in wired]
    return tuple(wires)


def _whole_pairs(wired: set[str], problems: Problems) -> None:
    """Demand both sense leads of a source meter, or none."""
    for node in sorted(wired):
        for one, other in (("sense_hi", "sense_lo"), ("sense_lo", "sense_hi")):
            if node.endswith(f".{one}") and node.removesuffix(one) + other not in wired:
                missing = node.removesuffix(one) + other
                remedy = f'wire it as well: [wires."{missing}"] to = "ground", or a row of a matrix'
                problems.add(("wires", node), f"{node} is wired and {missing} is not", remedy)


def _check(
    key: tuple[str, ...], node: str, tables: BenchTable, specs: Mapping[str, DriverSpec], problems: Problems
) -> None:
    alias = node.partition(".")[0]
    if alias in tables.instruments and alias not in specs:
        return  # its unknown model has been reported already
    try:
        check_node(node, specs)
    except LabtrainError as error:
        problems.add_error(key, error)
