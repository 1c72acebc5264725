"""Limits follow the route: what a source channel may do is decided by what it reaches now."""

from __future__ import annotations

import math
from typing import final

from labtrain.bench.circuit import Channel, Circuit, Closed, Reached
from labtrain.bench.contacts import Contacts
from labtrain.bench.endurance import EnduranceBook
from labtrain.bench.nodes import column_node
from labtrain.bench.relays import RelayBoard
from labtrain.bench.sense import SenseRoutes
from labtrain.bench.worst_case import GENERATOR_OHMS, at_generator, at_source_meter
from labtrain.errors import LimitExceeded
from labtrain.limits import Limits, tightest
from labtrain.roles.envelope import Envelope

_NOTHING_ALLOWED = Limits(voltage=0.0, current=0.0, power=0.0)


@final
class ChannelEnvelope(Envelope):
    """The limits of one source channel as the relays stand.

    The tightest over every terminal in reach, each transformed to the channel at its worst
    case. A source that reaches nothing charges cables that are connected later, so it is
    held to the tightest limits of everything that some relay could connect it to; one that
    can reach no device at all may not be driven.

    Parameters
    ----------
    stiff
        A source meter (no source resistance of its own); False for a generator.
    contacts
        Say which devices have passed their contact check.
    book
        Is charged with pulses before they are sent.
    senses
        Say which channel may sense by four wires.
    """

    def __init__(
        self,
        circuit: Circuit,
        board: RelayBoard,
        channel: Channel,
        contacts: Contacts,
        book: EnduranceBook,
        senses: SenseRoutes | None = None,
        *,
        stiff: bool,
    ) -> None:
        self._circuit, self._board, self._contacts, self._book = circuit, board, contacts, book
        self._senses = senses or SenseRoutes(board)
        self._channel, self._stiff, self.routes = channel, stiff, board
        self._known: dict[Closed, tuple[Limits, str]] = {}

    def limits(self) -> tuple[Limits, str]:
        """Return the limits at the channel and the terminal that decides them."""
        return self.limits_with(self._board.closed)

    def limits_with(self, closed: Closed) -> tuple[Limits, str]:
        """Return what :meth:`limits` would return with these relays closed."""
        answer = self._known.get(closed)
        if answer is None:
            if len(self._known) > 4096:
                self._known.clear()
            answer = self._known[closed] = self._limits(closed)
        return answer

    def before_drive(self) -> None:
        """Raise unless every device in reach has passed its contact check, and a pulse has one way only."""
        reached = self._reached()
        self._contacts.before_drive(reached)
        if not self._stiff:
            self._refuse_side_paths(reached)

    def _refuse_side_paths(self, reached: tuple[Reached, ...]) -> None:
        """Refuse to pulse a device whose other terminals are connected to anything but ground.

        Through such a relay the pulse would leave by the other terminal (a barrier) and enter whatever
        hangs on that row.
        """
        ends = {one.name for one in reached}
        for one in reached:
            for other in one.device.terminals.values():
                if f"{one.device.name}.{other.name}" in ends:
                    continue
                for relay in self._board.closed:
                    if column_node(relay) in other.nodes and not self._circuit.is_grounded_row(relay):
                        raise LimitExceeded(
                            f"a pulse on {one.name} would leave by {other.name} through {relay};"
                            " nothing was sent",
                            remedy=f"open {relay} first, or use bench.pulse_path",
                            key=one.name,
                        )

    def before_remote_sense(self, amperes: float) -> None:
        """Raise unless the channel's sense route is closed and its device bears ``amperes`` at any volts."""
        self._senses.require(self._channel, amperes)

    def before_arming(self, pulses: int, trigger_source: str) -> None:
        """Raise where a device in reach would get more pulses than it may, or nobody could count them."""
        for one in self._reached():
            self._book.check(one.name, pulses, one.terminal.limits)
            if trigger_source == "external" and one.terminal.limits.total_pulses < math.inf:
                raise LimitExceeded(
                    "pulses triggered from outside cannot be counted, and this terminal has a total of"
                    f" {one.terminal.limits.total_pulses:g}; nothing was sent",
                    remedy="trigger manually",
                    key=one.name,
                )

    def before_pulses(self, pulses: int, emf: float, seconds: float) -> None:
        """Charge pulses to every terminal in reach, in volts at the device."""
        reached = self._reached()
        for one in reached:
            self._book.check(one.name, pulses, one.terminal.limits)
        for one in reached:
            volts = emf * one.path.gain * _share(one)
            self._book.charge(one.name, pulses, volts, seconds, one.terminal.limits)

    def _reached(self) -> tuple[Reached, ...]:
        return self._circuit.reached(self._channel, self._board.closed)

    def _limits(self, closed: Closed) -> tuple[Limits, str]:
        reached = self._circuit.reached(self._channel, closed)
        if reached:
            return self._tightest(reached, "")
        possible = self._circuit.reached(self._channel, self._circuit.everything)
        if possible:
            return self._tightest(possible, " (no route is closed: the tightest that one could reach)")
        return _NOTHING_ALLOWED, f"{self._channel} (it reaches no device terminal)"

    def _tightest(self, reached: tuple[Reached, ...], note: str) -> tuple[Limits, str]:
        each = [self._at_channel(one) for one in reached]
        decisive = min(zip(each, reached, strict=True), key=lambda pair: pair[0].voltage)[1]
        more = f" and {len(reached) - 1} more" if len(reached) > 1 else ""
        return tightest(each), f"{decisive.name}{more}, reached from {self._channel}{note}"

    def _at_channel(self, one: Reached) -> Limits:
        if self._stiff:
            return at_source_meter(one.terminal.limits, one.path)
        return at_generator(one.terminal.limits, one.path, one.terminal.expected_resistance)


def _share(one: Reached) -> float:
    """Return what of the EMF falls on the device, at the centre of its expected range; all where unknown."""
    low, high = one.terminal.expected_resistance or (math.inf, math.inf)
    ohm = math.sqrt(low * high)
    return 1.0 if math.isinf(ohm) else ohm / (ohm + GENERATOR_OHMS + one.path.resistance)
