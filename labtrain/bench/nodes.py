"""Names of places on the bench: nodes of instruments, crosspoints, device terminals."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.roles.spec import DriverSpec
from labtrain.wiring import GROUND, Crosspoint

_CROSSPOINT = re.compile(r"^(\w+)\.\s*(-?\d+)\s*,\s*(-?\d+)$")
_LINE = re.compile(r"^(row|col)(-?\d+)$")


def parse_crosspoint(text: str, specs: Mapping[str, DriverSpec]) -> Crosspoint | None:
    """Read ``"matrix.1,4"``; None where the text has another shape.

    Raises
    ------
    UsageError
        When the matrix is no instrument of the bench, is no matrix, or has no such crosspoint.
    """
    match = _CROSSPOINT.match(text)
    if match is None:
        return None
    matrix, row, column = match[1], int(match[2]), int(match[3])
    spec = _instrument(matrix, specs)
    if spec.role != "switch-matrix":
        raise UsageError(
            f"{matrix} is a {spec.role}, not a switch matrix", remedy=f"its nodes: {_nodes(matrix, spec)}"
        )
    if row not in spec.rows or column not in spec.columns:
        raise UsageError(f"there is no crosspoint {row},{column} in {matrix}", remedy=_size(matrix, spec))
    return Crosspoint(matrix, row, column)


def check_node(text: str, specs: Mapping[str, DriverSpec]) -> None:
    """Accept the name of a node that an instrument of the bench has, or ``"ground"``.

    Raises
    ------
    UsageError
        Naming the nodes that are allowed.
    """
    if text == GROUND:
        return
    alias, _, rest = text.partition(".")
    spec = _instrument(alias, specs)
    if spec.role == "switch-matrix":
        line = _LINE.match(rest)
        if line is None or int(line[2]) not in (spec.rows if line[1] == "row" else spec.columns):
            raise UsageError(f"there is no node {text!r}", remedy=_size(alias, spec))
    elif text not in source_nodes(alias, spec):
        raise UsageError(f"there is no node {text!r}", remedy=f"the nodes of {alias}: {_nodes(alias, spec)}")


def source_nodes(alias: str, spec: DriverSpec) -> dict[str, str]:
    """Map every node of an instrument to the channel that it belongs to."""
    return {
        node_name(alias, channel, node): channel for channel in spec.channels for node in spec.nodes(channel)
    }


def node_name(alias: str, channel: str, node: str) -> str:
    """Write a node: ``smu.hi``, ``smu.a.hi`` by channel, ``pulser.1`` where node and channel are one."""
    return f"{alias}.{node}" if channel in ("", node) else f"{alias}.{channel}.{node}"


def row_node(crosspoint: Crosspoint) -> str:
    """Return the node of the crosspoint's row."""
    return f"{crosspoint.matrix}.row{crosspoint.row}"


def column_node(crosspoint: Crosspoint) -> str:
    """Return the node of the crosspoint's column."""
    return f"{crosspoint.matrix}.col{crosspoint.column}"


def _instrument(alias: str, specs: Mapping[str, DriverSpec]) -> DriverSpec:
    if alias not in specs:
        raise UsageError(f"there is no instrument {alias!r}", remedy=nearest(alias, specs))
    return specs[alias]


def _nodes(alias: str, spec: DriverSpec) -> str:
    return ", ".join(source_nodes(alias, spec)) or "none"


def _size(alias: str, spec: DriverSpec) -> str:
    return (
        f"{alias} ({spec.model}) has rows {spec.rows.start} to {spec.rows.stop - 1} and columns"
        f" {spec.columns.start} to {spec.columns.stop - 1}: {alias}.ROW,COLUMN for a crosspoint,"
        f" {alias}.rowN or {alias}.colN for a node"
    )
