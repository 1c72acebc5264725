"""Where a record comes from, gathered without being asked: code, packages, machine, command line.

Parts of labtrain that know more (the home of torch its flags and threads) say
so through :func:`register_provenance`.
"""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import labtrain

_SOURCE = Path(__file__).resolve().parents[2]
_GIT_SECONDS = 10
_MAX_DIFF = 4 * 2**20
_hooks: dict[str, Callable[[], Mapping[str, Any]]] = {}


def register_provenance(name: str, gather: Callable[[], Mapping[str, Any]]) -> None:
    """Let ``gather()`` add the entry ``name`` to every session from now on.

    Parameters
    ----------
    name
        The entry's name; a second registration under it replaces the first.
    gather
        Returns a JSON-able mapping. Called whenever a session is created.
    """
    _hooks[name] = gather


def gather_provenance() -> dict[str, Any]:
    """Return everything known about where this run comes from; never fails for want of git or a user name."""
    return {
        "labtrain": labtrain.__version__,
        "git": dict(_git()),
        "python": sys.version,
        "executable": sys.executable,
        "argv": sys.argv,
        "packages": dict(_packages()),
        "host": platform.node(),
        "user": _user(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "pid": os.getpid(),
        **{name: dict(gather()) for name, gather in _hooks.items()},
    }


@lru_cache(maxsize=1)
def _packages() -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(d.name, d.version) for d in distributions() if d.name}))


@lru_cache(maxsize=1)
def _git() -> tuple[tuple[str, Any], ...]:
    """Commit, dirty flag and diff of labtrain's own source tree, as it was when first asked for."""
    if not (_SOURCE / ".git").exists():
        return (("commit", None), ("why", "labtrain does not run from a git checkout"))
    try:
        commit = _ask_git("rev-parse", "HEAD").strip()
        status = _ask_git("status", "--porcelain")
        diff = _ask_git("diff", "HEAD") if status else ""
    except (OSError, subprocess.SubprocessError) as error:
        return (("commit", None), ("why", f"git could not be asked: {type(error).__name__}"))
    kept = (
        diff
        if len(diff) <= _MAX_DIFF
        else diff[:_MAX_DIFF] + f"\n... {len(diff) - _MAX_DIFF} characters more"
    )
    return (("commit", commit), ("dirty", bool(status)), ("status", status), ("diff", kept))


def _ask_git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", "--no-optional-locks", "-c", "diff.autoRefreshIndex=false", "-C", str(_SOURCE), *arguments],
        capture_output=True,
        check=True,
        timeout=_GIT_SECONDS,
    )
    return answer.stdout.decode(errors="replace")


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
