"""Arrays of a bench that recipes train with, asked for by role."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from labtrain.errors import UsageError

if TYPE_CHECKING:
    from labtrain.bench import Bench, FarBench

T = TypeVar("T")


def array_in_role(bench: Bench | FarBench, name: str, role: type[T], what: str, kind: str) -> T:
    """Return a bench's array, which must be one of ``what``.

    Raises
    ------
    UsageError
        For an array of another role.
    """
    array = bench.array(name)
    if isinstance(array, role):
        return array
    raise UsageError(
        f"array {name!r} of the bench is not one of {what}",
        remedy=f"give --device the name of an array of kind {kind}",
        key="device",
    )


def require_enough(present: int, count: int, name: str, what: str) -> None:
    """Refuse an array with fewer devices than the network's hidden neurons."""
    if present < count:
        raise UsageError(
            f"the network needs {count} {what}, array {name!r} has {present}",
            remedy=f"give hidden= at most {present} neurons in all",
            key="hidden",
        )
