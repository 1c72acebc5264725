"""Checks done once for many calls: the window of levels that nothing refuses while only the level changes."""

from __future__ import annotations

import math
from typing import final

from labtrain.limits import Limits
from labtrain.roles.source_state import SourceState
from labtrain.roles.worst_case import Mode
from labtrain.wiring import Crosspoint

ROUNDING = 1.5 * 2.0**52
"""Added and taken away again it rounds a float to the nearest whole number, halves to even, as ``round``
does, and leaves no negative zero; at a tenth of the price, and below 2**51 only."""

MOST_STEPS = 2.0**50


@final
class Permit:
    """A level from ``-largest`` to ``largest``, a change of up to ``step``: accepted by every check.

    Valid as long as the very same relays are ``closed`` (see :class:`labtrain.roles.envelope.Routes`) and the
    role holds the very same ``state`` (a limit, range or mode that changes gives another, see
    :class:`~labtrain.roles.source_control.Memory`). Judged as if the output were on, whether it is or not.
    Only ever narrower than the checks: what is outside goes to them, and they decide.

    Attributes
    ----------
    largest, step
        In V or A; ``step`` is None where no limit on steps or slew concerns this mode.
    per_unit
        The source's steps in one V or A; a whole number.
    """

    __slots__ = ("closed", "largest", "lowest", "mode", "per_unit", "state", "step")

    def __init__(
        self,
        mode: Mode,
        closed: frozenset[Crosspoint],
        state: SourceState | None,
        largest: float,
        per_unit: float,
        step: float,
    ) -> None:
        self.mode, self.closed, self.state = mode, closed, state
        self.lowest, self.largest, self.per_unit = -largest, largest, float(per_unit)
        self.step = None if math.isinf(step) else step


NOTHING = Permit("voltage", frozenset(), None, -1.0, 1.0, 0.0)
"""Permits no level."""


def largest_level(bound: float, compliance: float, power: float, per_unit: int) -> float:
    """Return the largest level on the source's grid within ``bound`` (V or A) and ``power`` (W).

    Negative where there is none. Compared as the checks do, so that no rounding error widens it.
    """
    steps = math.floor(min(bound, power / compliance, MOST_STEPS / per_unit) * per_unit)
    while steps >= 0 and not (steps / per_unit <= bound and steps / per_unit * compliance <= power):
        steps -= 1
    return steps / per_unit


def largest_step(mode: Mode, compliance: float, settle_seconds: float, limits: Limits) -> float:
    """Return the largest change of level that is within the limits on steps and slew whatever the load.

    In current mode the load decides the voltage: any change may swing it from one compliance to the other.
    """
    step = limits.step
    while not step / settle_seconds <= limits.slew:
        step = math.nextafter(min(step, limits.slew * settle_seconds), 0.0)
    if mode == "voltage":
        return step
    return math.inf if 2 * compliance <= step else 0.0
