"""Where a session stands: its file, its journal, and whether a new one may begin there."""

from __future__ import annotations

from pathlib import Path

from labtrain.errors import RecordError, UsageError
from labtrain.session.locks import is_locked


def journal_path(path: Path) -> Path:
    """Where the journal of the session ``path`` stands while it runs."""
    return path.with_name(path.name + ".journal")


def is_there(path: Path) -> bool:
    """Whether something stands at a path.

    Raises
    ------
    UsageError
        For a name that the file system cannot hold.
    """
    reason = "a null byte" if "\0" in str(path) else None
    try:
        if reason is None:
            return path.exists()
    except OSError as error:
        reason = error.strerror
    raise UsageError(f"no file can have this name: {reason}", file=path, remedy="choose another --out")


def check_place(path: Path, force: bool) -> None:
    """Make the folder of a new session and accept its path if nothing of value stands there.

    Raises
    ------
    UsageError
        For a file that exists (unless ``force``) or an unsealed journal.
    RecordError
        When the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"the folder cannot be made: {error.strerror}", file=path.parent) from error
    journal = journal_path(path)
    if is_there(journal):
        if is_locked(journal):
            raise UsageError(
                "another program is writing this session", file=path, remedy="choose another --out"
            )
        raise UsageError(
            "the unsealed record of a run that died stands here",
            file=journal,
            remedy=f"seal it with `labtrain session recover {path}`, or choose another --out",
        )
    if is_there(path) and not force:
        raise UsageError(
            "this file exists", file=path, remedy="choose another --out, or replace it with --force"
        )
