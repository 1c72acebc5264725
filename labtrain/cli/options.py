"""The options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BenchOption = Annotated[Path | None, typer.Option("--bench", help="A bench file, or a shipped bench's name.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="name=value; SI numbers or quantities such as 0.8V. Repeatable."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Draws everything but the chip.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="The session file to write.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an existing --out.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Drive real addresses without asking.")]
NoteOption = Annotated[str | None, typer.Option("--note", help="An operator's note for the record.")]
SessionArgument = Annotated[Path, typer.Argument(metavar="S.h5", help="A session file.")]
