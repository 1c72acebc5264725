"""The table at the top of RESULTS.md: what was asked, what was measured, met or why not.

    python benchmarks/summary.py

Goals are in ``goals.toml``; what was measured is read from the sections of RESULTS.md, so the table says
nothing that they do not. :func:`harness.publish` writes it anew with every section.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from published import anchor, found, sections, value, write_section

HERE = Path(__file__).parent
TITLE = "What was asked, and what was measured"
NOTE = """\
Every speed that was asked for, read from the section that its line links to: command, date, commit, machine,
versions and quartiles are there. Both sides of a ratio run in one process, in turn, and the median of the
pairs' ratios counts. Goals in us and ms were set on a machine on which an echo over TCP takes 8 us and the
matrix product beside stochastic computing 0.47 ms; what they take on the machine at hand the sections say."""


@dataclass(frozen=True)
class Goal:
    """One thing asked, and where it is measured.

    ``limit`` is compared: an operator and a number with its unit; ``asked`` is what is shown for it. ``why``
    is shown where it is not met, or not measured. What is no speed is checked by a ``test``.
    """

    area: str
    what: str
    asked: str
    section: str = ""
    row: str = ""
    column: str = ""
    limit: str = ""
    why: str = ""
    test: str = ""

    def measured(self, known: dict[str, str]) -> str:
        """Return what the section says; empty where it says nothing."""
        return found(known.get(self.section, ""), self.row, self.column) or ""

    def is_met(self, measured: str) -> bool:
        """Compare what was measured with what was asked."""
        sign, _, bound = (self.limit or self.asked).partition(" ")
        reached, wanted = value(measured, self.column), value(bound, self.column)
        return reached <= wanted if sign == "<=" else reached >= wanted

    def line(self, known: dict[str, str]) -> str:
        """Return the goal's line of the table."""
        measured = self.measured(known)
        if self.test:
            shown, verdict = "-", f"checked by `{self.test}`"
        elif not measured:
            shown, verdict = "-", f"not measured: {self.why}"
        else:
            unit = self.column.rpartition(" ")[2] if self.column.endswith((" us", " ms")) else ""
            shown = f"[{measured} {unit}".strip() + f"](#{anchor(self.section)})"
            verdict = "met" if self.is_met(measured) else f"**not met**: {self.why}"
        return f"| {self.area} | {self.what} | {self.asked} | {shown} | {verdict} |"


def goals(file: Path = HERE / "goals.toml") -> list[Goal]:
    """Read the goals."""
    return [Goal(**one) for one in tomllib.loads(file.read_text())["goal"]]


def lines(results: Path) -> Iterator[str]:
    """Return the section's text."""
    known, asked = sections(results), goals()
    yield from (NOTE, "", "| area | what | asked | measured | |", "|---|---|---|---|---|")
    yield from (goal.line(known) for goal in asked)


def write(results: Path = HERE / "RESULTS.md") -> None:
    """Write the section anew."""
    write_section(results, TITLE, "\n".join(lines(results)), first=True)


if __name__ == "__main__":
    write()
