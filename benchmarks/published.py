"""Reading RESULTS.md back: its sections, the tables in them, a figure by row and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "%": 0.01}
NUMBER = re.compile(r"(?P<number>[+-]?\d[\d,]*(?: \d{3})*(?:\.\d+)?(?:e[+-]?\d+)?) ?(?P<unit>[a-z%]+)?")


@dataclass(frozen=True)
class Table:
    """A table of a section: its headings, and cells by row."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def cell(self, row: str, column: str) -> str | None:
        """Return the cell of a row (its first cell) under a heading; None where there is none."""
        for cells in self.rows:
            if cells[0] == row and column in self.headings:
                return cells[self.headings.index(column)]
        return None


def sections(file: Path) -> dict[str, str]:
    """Return the text of every section by its title, in the order of the file."""
    parts = file.read_text().split("\n## ")[1:] if file.exists() else []
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def write_section(file: Path, title: str, text: str, *, first: bool = False) -> None:
    """Replace a section where it stands; a new one comes last, or first."""
    known = {name: body.strip() for name, body in sections(file).items()}
    if first and title not in known:
        known = {title: "", **known}
    known[title] = text.strip()
    head = file.read_text().partition("\n## ")[0].rstrip() if file.exists() else "# Measured results"
    file.write_text("\n\n".join([head, *(f"## {name}\n\n{body}" for name, body in known.items())]) + "\n")


def tables(text: str) -> Iterator[Table]:
    """Return the tables of a section."""
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        lines = [_cells(line) for line in block.strip().splitlines()]
        yield Table(lines[0], tuple(lines[2:]))


def found(text: str, row: str, column: str) -> str | None:
    """Return the cell of the first table of a section that has the row and the column."""
    cells = (table.cell(row, column) for table in tables(text))
    return next((cell for cell in cells if cell), None)


def value(text: str, heading: str = "") -> float:
    """Return the first number of a text in SI units; the unit may stand at the heading's end.

    >>> value("9.73 ms"), value("34.5 (31.5)", "median us"), value("885,177 queries/s")
    (0.00973, 3.45e-05, 885177.0)
    """
    match = NUMBER.search(text)
    if match is None:
        raise ValueError(f"no number in {text!r}")
    stated = re.sub(r" \(.*\)$", "", heading).rpartition(" ")[2]
    unit = match["unit"] if match["unit"] in UNITS else stated
    return float(re.sub("[, ]", "", match["number"])) * UNITS.get(unit, 1.0)


def anchor(title: str) -> str:
    """Return the name by which a section is linked, as GitHub and the site make it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
