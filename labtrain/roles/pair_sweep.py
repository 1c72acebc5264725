"""Two source meters (or two channels of one) that sweep at the same time."""

from __future__ import annotations

from numpy.typing import ArrayLike

from labtrain.errors import UsageError
from labtrain.roles.readings import Sweep
from labtrain.roles.source_meter import SourceMeter


def sweep_together(
    first: SourceMeter,
    second: SourceMeter,
    levels: ArrayLike,
    second_levels: ArrayLike,
    *,
    delay: float = 0.0,
    abort_on_compliance: bool = True,
) -> tuple[Sweep, Sweep]:
    """Run two list sweeps side by side: both loaded, both started, then both read back.

    Each is checked and limited as :meth:`SourceMeter.sweep` is. They start one right after the other
    (a few messages apart), not by a common trigger.

    Parameters
    ----------
    levels, second_levels
        ``[n]`` each, in V or A by each meter's mode.
    delay, abort_on_compliance
        As for :meth:`SourceMeter.sweep`, for both.

    Raises
    ------
    UsageError
        For one meter twice.
    LimitExceeded
        From the check of either: neither has been started.
    """
    if first is second:
        raise UsageError(f"{first.name} cannot sweep beside itself", remedy="give two channels")
    with (
        first.sweeping(levels, delay=delay, abort_on_compliance=abort_on_compliance) as one,
        second.sweeping(second_levels, delay=delay, abort_on_compliance=abort_on_compliance) as other,
    ):
        one.start()
        other.start()
        sweep = one.finish()
        other.look()  # most of its time has passed meanwhile
        return sweep, other.finish()
