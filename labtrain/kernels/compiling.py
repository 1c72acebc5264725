"""How labtrain's kernels are compiled: one set of options, kept on disk between runs.

numba keeps machine code by the source of one function's file, so code that calls into another file would
outlive a change there. Kept code therefore lies in a folder named by the sources of all that a
kernel's file imports: it is used for exactly those.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(rb"^from (labtrain[\w.]*) import (\([^)]*\)|[^\n]+)", re.MULTILINE)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on its first call.

    Divisions follow IEEE 754 as in NumPy and products may be fused with sums: results agree
    with the plain functions to rounding, not to the bit.

    A kernel that another calls is always inlined there. As a function by itself it would be compiled once for
    each caller, fused differently in each; which of these copies a call reaches depends on whether the
    machine code was just made or kept, and the last bits would with it.
    """
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}
    with _kept_in(_folder(Path(function.__code__.co_filename))):
        kernel: Callable[P, R] = njit(cache=True, nogil=True, **options)(function)
    return kernel


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a scalar function into the kernels that call it."""
    options: dict[str, Any] = {"inline": "always", "error_model": "numpy", "fastmath": {"contract"}}
    kernel: Callable[P, R] = njit(**options)(function)
    return kernel


def sources_of(file: Path) -> list[Path]:
    """Return a kernel's file and every file of labtrain that it imports, directly or not, in order."""
    found, pending = set[Path](), [file]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += _imported(one)
    return sorted(found)


def _imported(file: Path) -> list[Path]:
    modules = []
    for module, names in _IMPORT.findall(_content(file)):
        package = module.decode()
        parts = re.findall(r"\w+", re.sub(r" as \w+", "", names.decode()))
        modules += [package, *(f"{package}.{part}" for part in parts)]
    files = [_PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py") for module in modules]
    return [one for one in files if one.is_file()]


@lru_cache
def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""


@lru_cache
def _folder(file: Path) -> Path:
    """Where a file's machine code is kept, named by its sources."""
    import platformdirs

    stamp = blake2b(b"\0".join(map(_content, sources_of(file))), digest_size=8).hexdigest()
    given = os.environ.get("NUMBA_CACHE_DIR")
    place = Path(given) if given else platformdirs.user_cache_path("labtrain") / "kernels"
    return place / f"{file.stem}-{stamp}"


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Let numba keep what is declared meanwhile in ``folder``; other users' setting stays as it is."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
