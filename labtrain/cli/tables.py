"""Settings of protocols and recipes, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def parameters_table(entries: Sequence[Mapping[str, Any]]) -> Any:
    """Draw one table an entry; each entry has ``name``, ``doc`` and ``parameters``."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = []
    for entry in entries:
        table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=False)
        for column in ("setting", "default", "allowed", "meaning"):
            table.add_column(column, overflow="fold", no_wrap=column == "setting")
        for parameter in entry["parameters"]:
            default, unit = _short(parameter.get("default")), parameter.get("unit") or ""
            table.add_row(
                "  " + parameter["name"],
                f"{default} {unit}".strip() if default else "",
                _allowed(parameter),
                parameter.get("doc", ""),
            )
        parts += [Text.assemble((entry["name"], "bold"), "  ", entry.get("doc", "")), table, ""]
    return Group(*parts)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(_short(item) for item in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _allowed(parameter: Mapping[str, Any]) -> str:
    if parameter.get("choices"):
        return ", ".join(str(choice) for choice in parameter["choices"])
    low, high = parameter.get("low"), parameter.get("high")
    return "" if low is None and high is None else f"{_short(low)} .. {_short(high)}"
