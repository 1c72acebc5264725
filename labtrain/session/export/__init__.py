"""Sessions in the formats of other programs; the record itself stays as it is.

An exporter is a function ``(recording, place) -> files``: ``place`` is a path without suffix, to which it
adds one, or makes a folder of. Exporters are found by entry points (``labtrain.exporters``), so that the
one for torch lives with torch, and others can add their own.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from labtrain import entry_points
from labtrain.errors import RecordError, UsageError
from labtrain.session.recording import Recording


def export(recording: Recording, kind: str, place: Path, *, force: bool = False) -> list[Path]:
    """Write a session in another format.

    Parameters
    ----------
    kind
        ``"csv"``, ``"netcdf"``, ``"pandas"``, ``"tensorboard"``, ``"checkpoint"``, or one that a
        third party registered.
    place
        Where to: a new folder.
    force
        Write into a folder that exists; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UsageError
        For an unknown kind, a package that is not installed, a session without anything to export so,
        or a folder that exists.
    RecordError
        When a file cannot be written.
    """
    exporter = entry_points.load(entry_points.EXPORTERS, kind)
    if place.exists() and not force:
        raise UsageError(
            f"{place} exists", file=place, remedy="choose another --out, or --force to write into it"
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
        files: list[Path] = exporter(recording, place)
    except OSError as error:
        why = error.strerror or error
        raise RecordError(f"cannot be written: {why}", file=place, remedy="choose another --out") from error
    finally:
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    if not files:
        raise UsageError(
            f"the session holds nothing to export as {kind}",
            file=recording.path,
            remedy="see labtrain session inspect",
        )
    return files


def need(module: str, package: str, kind: str) -> Any:
    """Import an optional package.

    Raises
    ------
    UsageError
        Saying what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(
            f"exporting to {kind} needs the package {package}, which is not installed",
            remedy=f"pip install {package} (or labtrain[export] for all of them)",
        ) from error


def flat(name: str) -> str:
    """Return a stream's or array's name as one part of a path."""
    return name.replace("/", ".")
