"""``labtrain gui``: a protocol in PyMeasure's window, with live curves; every run is a recorded session."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from labtrain.cli.options import SeedOption, YesOption
from labtrain.cli.outcome import JsonFlag, ending
from labtrain.errors import UsageError


def gui(
    protocol: Annotated[str, typer.Argument(help="See labtrain protocol list.")],
    bench: Annotated[Path, typer.Option("--bench", help="A bench file, or a shipped bench's name.")],
    device: Annotated[str | None, typer.Option("--device", help="NAME or ARRAY[0:8]; default: all.")] = None,
    seed: SeedOption = 0,
    folder: Annotated[Path, typer.Option("--folder", help="Where sessions are written.")] = Path("runs"),
    yes: YesOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Open a protocol in a window: settings, queue, abort, live curves. Needs the extra "gui".

    Example: labtrain gui iv-curve --bench demo --device "neurons[0]"
    """
    with ending(as_json) as end:
        require_display()
        from labtrain.cli.window import Place, show

        sessions = show(protocol, Place(bench, device, seed, folder, yes))
        text = "\n".join(f"recorded in {session}" for session in sessions) or "nothing was run"
        end.with_({"sessions": sessions}, text)


def require_display() -> None:
    """Raise where no window can be opened: Qt itself would end the process without a word.

    Raises
    ------
    UsageError
        With what to install, or how to do without a window.
    """
    try:
        import pyqtgraph  # noqa: F401
        import qtpy.QtWidgets  # noqa: F401
    except Exception as error:  # qtpy has its own exceptions for a missing Qt
        raise UsageError(
            f"there is no Qt to draw a window with: {error}", remedy='pip install "labtrain[gui]"'
        ) from None
    hidden = not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform.startswith("linux") and hidden:
        raise UsageError(
            "there is no display to open a window on",
            remedy="log in with one (ssh -X), or use labtrain run and labtrain session watch",
        )
