"""``--set name=value`` as typed."""

from __future__ import annotations

from collections.abc import Sequence

from labtrain.errors import UsageError


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """Split each ``name=value``; a name given twice keeps its last value.

    Raises
    ------
    UsageError
        For one without ``=`` or without a name.
    """
    settings: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"--set {text!r} is not of the form name=value", remedy="for instance --set amplitude=0.8V"
            )
        settings[name.strip()] = value.strip()
    return settings
