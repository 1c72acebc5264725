"""What a page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from labtrain.report.style import Picture


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; ``marks`` holds the rows that stand out, ``folded`` hides it at first."""

    headings: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""
    marks: frozenset[int] = frozenset()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One section: words, pictures, tables, in this order."""

    title: str
    lead: str = ""
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


def quantity(value: float | None, uncertainty: float | None, unit: str) -> str:
    """Write a value with its uncertainty and an engineering prefix: ``30.02 ± 0.11 µA``."""
    if value is None:
        return "—"
    scale, prefix = _prefix(max(abs(value), abs(uncertainty or 0.0)), unit)
    name = f"{prefix}{_sign(unit)}"
    gap = " " if name else ""
    if not uncertainty:
        return f"{value / scale:.4g}{gap}{name}"
    return f"{_with_digits(value / scale, uncertainty / scale)}{gap}{name}"


_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def _prefix(value: float, unit: str) -> tuple[float, str]:
    if not unit or "/" in unit or unit in ("percent", "%") or value == 0:
        return 1.0, ""
    return next(((s, p) for s, p in _PREFIXES if abs(value) >= s * 0.9995), (1e-12, "p"))


def _sign(unit: str) -> str:
    return {"ohm": "Ω", "1/V": "/V", "percent": "%"}.get(unit, unit)


def _with_digits(value: float, uncertainty: float) -> str:
    """Two significant digits of uncertainty, the value to the same place."""
    places = 0
    while places < 9 and uncertainty * 10**places < 9.5:
        places += 1
    return f"{value:.{places}f} ± {uncertainty:.{places}f}"
