"""The level of a source: what training and sweeps by hand set most, so the checks' cost counts here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labtrain.roles.permit import ROUNDING
from labtrain.roles.source_control import CHANGING
from labtrain.roles.worst_case import Mode

if TYPE_CHECKING:
    from labtrain.roles.source_meter import SourceMeter


def level_setting(mode: Mode, doc: str) -> Any:
    """Make the property of a source's level in one mode.

    A level inside a :class:`~labtrain.roles.permit.Permit` that still holds is sent at once; every other
    one goes through all checks, which renew the permit.
    """
    name, in_voltage = f"source_{mode}", mode == "voltage"

    def ask(self: SourceMeter) -> float:
        with self._call:
            return float(getattr(self._control.believed(), name))

    def change(self: SourceMeter, level: float) -> None:
        with self._call:
            memory = self._memory
            state: Any = memory.state
            permit, seen = memory.permit, memory.seen
            if (
                permit.state is state
                and permit.mode is mode
                and permit.closed is self._routes.closed
                and seen == self._port.incidents
                and level.__class__ is float  # anything else may compare as it likes
                and permit.lowest <= level <= permit.largest
            ):
                rounded = (level * permit.per_unit + ROUNDING - ROUNDING) / permit.per_unit
                if permit.step is not None and not abs(rounded - getattr(state, name)) <= permit.step:
                    rounded = self._checks.level(mode, level, self._control.believed())
            else:
                state = self._control.believed()
                rounded = self._checks.level(mode, level, state)
                seen = memory.seen
            memory.seen = CHANGING
            if in_voltage:  # the driver first: what it refuses is not remembered
                self._driver.source_voltage = state.source_voltage = rounded
            else:
                self._driver.source_current = state.source_current = rounded
            memory.seen = seen

    return property(ask, change, doc=doc)
