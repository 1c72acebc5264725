"""Which terminals a source meter can reach, and what it may ask of them at most."""

from __future__ import annotations

import math

from labtrain.errors import UsageError
from labtrain.limits import Limits
from labtrain.procedures import terminal_of
from labtrain.wiring import DevicePlan, TerminalPlan

ALL = "all"
_ROUNDING = 1 - 1e-3  # keeps a derived compliance inside the limit after an instrument rounds it


def chosen_terminals(device: DevicePlan, wanted: str) -> list[str]:
    """Return ``wanted``, or for ``"all"`` every terminal behind a relay or tied to a source meter.

    Raises
    ------
    UsageError
        For a terminal that the device does not have, or a device without a reachable one.
    """
    if wanted != ALL:
        return [terminal_of(device, wanted).name]
    found = [name for name, terminal in device.terminals.items() if _reachable(terminal)]
    if not found:
        raise UsageError(
            f"no terminal of {device.name} is wired to a source meter",
            remedy="wire one in the bench file, or choose other devices with --device",
        )
    return found


def _reachable(terminal: TerminalPlan) -> bool:
    return terminal.crosspoint is not None or terminal.node.endswith(".hi")


def compliance_voltage(limits: Limits, amperes: float, wanted: float) -> float:
    """Return the voltage limit of a current sweep: ``wanted``, or (0) the most that the terminal allows.

    In current mode an open circuit rises to this, so it is the device's own limit and no default;
    voltage times current must stay within the power limit too.

    Raises
    ------
    UsageError
        Where nothing was wanted and the terminal states no limit.
    """
    if wanted > 0:
        return wanted
    allowed = min(limits.voltage, limits.power / amperes if amperes > 0 else math.inf)
    if math.isinf(allowed):
        raise UsageError(
            "the terminal has no voltage limit", remedy="state one in the bench file", key="compliance"
        )
    return allowed * _ROUNDING


def compliance_current(limits: Limits, volts: float, wanted: float, usual: float) -> float:
    """Return the current limit of a voltage measurement: ``wanted``, or (0) ``usual`` within the limits."""
    if wanted > 0:
        return wanted
    return min(usual, limits.current * _ROUNDING, limits.power / volts * _ROUNDING if volts > 0 else math.inf)
