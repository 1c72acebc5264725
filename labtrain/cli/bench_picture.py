"""A bench for people: tables of instruments, devices and limits."""

from __future__ import annotations

from typing import Any

from labtrain.units import format_quantity


def bench_tables(described: dict[str, Any]) -> Any:
    """Draw what ``describe_plan`` says."""
    from rich.console import Group
    from rich.table import Table

    instruments = Table("instrument", "model", "address", box=None, title="Instruments", title_justify="left")
    for name, item in described["instruments"].items():
        instruments.add_row(name, item["model"], item.get("resource") or "simulated")
    wires = Table("from", "to", "resistance", box=None, title="Wires", title_justify="left")
    for wire in described["wires"]:
        wires.add_row(wire["start"], wire["end"], format_quantity(wire["resistance"], "ohm"))
    devices = Table(
        "device", "kind", "terminal", "reached by", "limits", box=None, title="Devices", title_justify="left"
    )
    for name, device in described["devices"].items():
        for terminal, item in device["terminals"].items():
            devices.add_row(name, device["kind"], terminal, item["reached_by"], _limits(item["limits"]))
    return Group(instruments, "", wires, "", devices)


_UNITS = {
    "voltage": "V",
    "current": "A",
    "power": "W",
    "pulse_energy": "J",
    "pulse_width": "s",
    "step": "V",
    "slew": "V/s",
}


def _limits(limits: dict[str, float]) -> str:
    said = [
        f"{name.replace('_', ' ')} {format_quantity(value, _UNITS.get(name, ''))}"
        for name, value in limits.items()
    ]
    return ", ".join(said)
