"""How labtrain's kernels are compiled: one set of options, kept on disk between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on its first call.

    Divisions follow IEEE 754 as in NumPy and products may be fused with sums: results agree
    with the plain functions to rounding, not to the bit.
    """
    kernel: Callable[P, R] = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(
        function
    )
    return kernel


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a scalar function into the kernels that call it."""
    options: dict[str, Any] = {"inline": "always", "error_model": "numpy", "fastmath": {"contract"}}
    kernel: Callable[P, R] = njit(**options)(function)
    return kernel
