"""Tables for people: settings of protocols and recipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def parameters_table(what: str, entries: Sequence[dict[str, Any]]) -> Any:
    """Draw one table: each entry has ``name``, ``doc`` and ``parameters``."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in (what, "setting", "default", "unit", "allowed", "meaning"):
        table.add_column(heading, overflow="fold", no_wrap=heading in (what, "setting"))
    for entry in entries:
        table.add_row(f"[bold]{entry['name']}[/]", "", "", "", "", entry.get("doc", ""))
        for parameter in entry["parameters"]:
            table.add_row(
                "",
                parameter["name"],
                _short(parameter.get("default")),
                parameter.get("unit") or "",
                _allowed(parameter),
                parameter.get("doc", ""),
            )
    return table


def _short(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(parameter: dict[str, Any]) -> str:
    if parameter.get("choices"):
        return ", ".join(str(choice) for choice in parameter["choices"])
    low, high = parameter.get("low"), parameter.get("high")
    if low is None and high is None:
        return ""
    return f"{_short(low)} .. {_short(high)}"
