"""Four-wire routes: which channel may sense remotely just now, and whether its sense leads touch the device.

A source that has lost a sense lead sees no voltage and drives its output to the end: level and voltage limit
hold nothing any more, the current still is held. So remote sense is given only to a channel whose sense route
is closed and whose device has just been measured by two wires, and only currents that the device bears at
the highest resistance that it may have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import numpy as np

from labtrain.bench.circuit import Channel
from labtrain.bench.contact import Contact, contact_amperes
from labtrain.bench.relays import RelayBoard
from labtrain.errors import CheckFailed, LimitExceeded, UsageError
from labtrain.roles.source_meter import SourceMeter
from labtrain.units import format_quantity
from labtrain.wiring import Crosspoint, DevicePlan, TerminalPlan

SENSE_VOLTS = 0.01
"""What a device may see while its sense leads are checked (docs/safety.md, 8)."""

_READINGS = 8
_TOLERANCE = 0.05  # of the two-wire resistance: gain errors of two ranges, and noise
_SURE = 5.0  # standard errors between a lead that touches and one that reads nothing


@dataclass(frozen=True, slots=True)
class SenseRoute:
    """A closed sense route: its relays, the terminal at its end and the most ohms expected there."""

    relays: frozenset[Crosspoint]
    where: str
    terminal: TerminalPlan
    most_ohms: float


@final
class SenseRoutes:
    """Remembers which channel's sense route is closed; asked before every current by four wires."""

    def __init__(self, board: RelayBoard) -> None:
        self._board = board
        self._open: dict[Channel, SenseRoute] = {}

    @contextmanager
    def given(self, channel: Channel, route: SenseRoute) -> Iterator[None]:
        """Allow remote sense to a channel for the length of the block."""
        self._open[channel] = route
        try:
            yield
        finally:
            del self._open[channel]

    def require(self, channel: Channel, amperes: float) -> None:
        """Raise unless ``amperes`` harm nothing when a sense lead of the channel is lost.

        Raises
        ------
        LimitExceeded
            Without a sense route, with one of its relays open, or for too large a current.
        """
        route = self._open.get(channel)
        if route is None or not route.relays <= self._board.closed:
            raise LimitExceeded(
                f"{channel} has no closed and checked sense route; nothing was sent",
                remedy="sense by four wires inside bench.route(device, terminal, sense=True) only",
                key=str(channel),
            )
        allowed = _most_amperes(route)
        if not amperes <= allowed:
            ohms = format_quantity(route.most_ohms, "ohm")
            raise LimitExceeded(
                f"{format_quantity(amperes, 'A')} by four wires: with a lost sense lead the expected {ohms}"
                " would see more than the terminal's limits allow; nothing was sent",
                remedy=f"ask for at most {format_quantity(allowed, 'A')} of current or compliance, or state a"
                " narrower expected_resistance in the bench file, or measure by two wires",
                key=route.where,
            )


def _most_amperes(route: SenseRoute) -> float:
    """What the highest expected resistance bears at any voltage."""
    limits = route.terminal.limits
    return min(limits.voltage / route.most_ohms, math.sqrt(limits.power / route.most_ohms))


def sense_route(device: DevicePlan, terminal: TerminalPlan) -> SenseRoute:
    """Return the sense route of a terminal.

    Raises
    ------
    UsageError
        Where the bench file states no sense lead, or no expected resistance.
    """
    where = f"{device.name}.{terminal.name}"
    if not terminal.sense:
        raise UsageError(
            f"{where} has no sense lead for four-wire measurements",
            remedy='state one in the bench file, such as sense = "matrix.2,5", and wire "smu.sense_hi" to'
            ' that row and "smu.sense_lo" to ground; or measure by two wires',
            key=where,
        )
    if terminal.expected_resistance is None or math.isinf(terminal.expected_resistance[1]):
        raise UsageError(
            f"{where} has no expected resistance, so nothing says what a lost sense lead would do",
            remedy='state one in the bench file, such as expected_resistance = ["5 ohm", "50 ohm"]',
            key=where,
        )
    relays = frozenset(lead.crosspoint for lead in terminal.sense if lead.crosspoint is not None)
    return SenseRoute(relays, where, terminal, terminal.expected_resistance[1])


def check_sense(meter: SourceMeter, route: SenseRoute, two_wires: Contact) -> float:
    """Measure by four wires at 10 mV or less across the device; return the resistance in ohm.

    In current mode: without a sense lead the device still sees no more than by two wires just before.

    Raises
    ------
    CheckFailed
        Where what is sensed is not the voltage of a device inside the two-wire path.
    """
    limits = route.terminal.limits
    amperes = min(contact_amperes(limits, SENSE_VOLTS), SENSE_VOLTS / two_wires.ohm)
    limit = min(2 * SENSE_VOLTS, limits.voltage)
    meter.configure("current", amperes, limit, limit, 1.0, remote_sense=True)
    meter.output_enabled = True
    try:
        volts = []
        for level in [amperes, -amperes] * _READINGS:
            meter.source_current = level
            volts.append(meter.measure().volts)
    finally:
        meter.output_enabled = False
    slopes = (np.array(volts[::2]) - np.array(volts[1::2])) / (2 * amperes)
    ohm, error = float(np.mean(slopes)), float(np.std(slopes, ddof=1)) / math.sqrt(_READINGS)
    if not _SURE * error < ohm <= (1 + _TOLERANCE) * two_wires.ohm:
        raise _failure(route.where, ohm, two_wires.ohm)
    return ohm


def _failure(where: str, ohm: float, two_wires: float) -> CheckFailed:
    found, path = (format_quantity(abs(value), "ohm") for value in (ohm, two_wires))
    return CheckFailed(
        f"the sense leads find {'-' if ohm < 0 else ''}{found} where two wires find {path}: a sense lead is"
        " open, crossed, or wired elsewhere; nothing more is driven there",
        remedy="look at the sense probe, its relay and its wires; two wires still work",
        key=where,
    )
