"""The contact check: each terminal's resistance against what was expected."""

from __future__ import annotations

from typing import Any

from labtrain.report.runs import Run
from labtrain.report.sections import Section, Table, quantity
from labtrain.report.style import BLUE, RED, Picture, new_figure, picture


def contact_section(run: Run) -> Section:
    """Draw the check and list every terminal."""
    terminals: dict[str, dict[str, Any]] = run.result["terminals"]
    outside = run.result["out_of_specification"]
    lead = f"All {len(terminals)} terminals are as expected." if not outside else ""
    if outside:
        lead = f"{len(outside)} of {len(terminals)} terminals out of specification: {', '.join(outside)}."
    return Section("Contact check", lead, [_draw(terminals)], [_table(terminals)])


def _draw(terminals: dict[str, dict[str, Any]]) -> Picture:
    figure = new_figure(7.6, 2.6)
    axes = figure.add_subplot()
    for place, found in enumerate(terminals.values()):
        if found["expected_ohm"]:
            axes.vlines(place, *found["expected_ohm"], color="#d5dde6", linewidth=7)
    highest = max((f["expected_ohm"] or [0, 1e3])[1] for f in terminals.values())
    for place, found in enumerate(terminals.values()):
        ohm = found["ohm"]
        if ohm is None or not 0 < ohm < 100 * highest:
            axes.plot(place, 2 * highest, marker="^", color=RED, markersize=6)
        else:
            axes.plot(place, ohm, marker="o", color=BLUE if found["ok"] else RED, markersize=4.5)
    axes.set_yscale("log")
    axes.set_ylabel("resistance (Ω)")
    axes.set_xticks(range(len(terminals)), list(terminals), rotation=60, ha="right", fontsize=7)
    axes.grid(axis="x", visible=False)
    axes.plot([], [], marker="o", linestyle="", color=BLUE, label="measured")
    axes.plot([], [], color="#d5dde6", linewidth=7, label="expected")
    if any(not found["ok"] for found in terminals.values()):
        axes.plot([], [], marker="^", linestyle="", color=RED, label="open, or out of specification")
    figure.legend(loc="outside upper right", ncols=3)
    return picture(figure, "Resistance of every terminal", "Two polarities at 20 mV or less; slope dV/dI.")


def _table(terminals: dict[str, dict[str, Any]]) -> Table:
    rows = [
        (
            name,
            quantity(found["ohm"], None, "ohm") if found["ohm"] is not None else "open",
            _range(found["expected_ohm"]),
            found["reason"],
        )
        for name, found in terminals.items()
    ]
    marks = frozenset(i for i, found in enumerate(terminals.values()) if not found["ok"])
    return Table(("terminal", "measured", "expected", "judgement"), rows, "All terminals", marks, folded=True)


def _range(expected: list[float] | None) -> str:
    if not expected:
        return "—"
    return f"{quantity(expected[0], None, 'ohm')} to {quantity(expected[1], None, 'ohm')}"
