"""``labtrain session export`` and ``labtrain session note``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labtrain.cli.options import ForceOption, SessionArgument
from labtrain.cli.outcome import JsonFlag, ending, shown


def export(
    session: SessionArgument,
    to: Annotated[str, typer.Option("--to", help="csv, netcdf, pandas, tensorboard or checkpoint.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write; default: beside the session.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a session in the format of another program; the session stays as it is.

    Example: labtrain session export labtrain-demo/demo.h5 --to csv
    """
    with ending(as_json) as end:
        from labtrain.session import Recording
        from labtrain.session.export import export as write

        with Recording.open(session) as recording:
            files = write(recording, to, out or session.with_name(f"{session.stem}_{to}"), force=force)
        end.with_({"files": files, "session": session}, "\n".join(map(shown, files)))


def note(
    session: SessionArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the record should say besides.")],
    as_json: JsonFlag = False,
) -> None:
    """Add an operator's note to a sealed session; data and digest of the journal stay as they are.

    Example: labtrain session note labtrain-demo/demo.h5 "probe 2 was lifted after this run"
    """
    with ending(as_json) as end:
        from labtrain.session import Recording, annotate

        annotate(session, text)
        with Recording.open(session) as recording:
            notes, digest = recording.notes, recording.journal_digest
        end.with_(
            {"session": session, "notes": notes, "journal_digest": digest},
            f"{shown(session)}: {len(notes)} notes",
        )
