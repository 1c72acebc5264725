"""A bench for people: tables of instruments, wires, devices and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.units import format_quantity

_UNITS = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "pulse_energy": "J",
    "pulse_width": "s",
    "step": "V",
    "slew": "V/s",
}


def bench_tables(described: Mapping[str, Any]) -> Any:
    """Draw what ``labtrain.bench.describe_plan`` says."""
    from rich.console import Group
    from rich.table import Table

    def table(title: str, *headings: str) -> Table:
        return Table(*headings, box=None, title=title, title_justify="left", pad_edge=False)

    instruments = table("Instruments", "name", "model", "address")
    for name, item in described["instruments"].items():
        instruments.add_row(name, item["model"], item["resource"] or "simulated")
    wires = table("Wires", "from", "to", "resistance")
    for wire in described["wires"]:
        wires.add_row(wire["from"], wire["to"], format_quantity(wire["resistance"], "ohm"))
    devices = table("Devices", "terminal", "kind", "reached by", "limits")
    for array in described["arrays"].values():
        for name, device in array["devices"].items():
            for terminal, item in device["terminals"].items():
                reached = item["crosspoint"] or item["node"]
                reached += "".join(f", sense {lead}" for lead in item["sense"])
                devices.add_row(f"{name}.{terminal}", array["kind"], reached, _limits(item["limits"]))
    return Group(instruments, "", wires, "", devices)


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {format_quantity(value, _UNITS.get(name, ''))}"
        for name, value in limits.items()
    )
