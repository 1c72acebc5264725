"""What a role asks of the bench before it acts: the limits that hold now, and leave to close a route."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

from labtrain.errors import LimitExceeded
from labtrain.limits import Limits
from labtrain.wiring import Crosspoint


class Routes:
    """Which relays are closed; :class:`FixedEnvelope` has none.

    Attributes
    ----------
    closed
        Replaced by another object whenever a relay has, or may have, moved; never changed in place.
    """

    closed: frozenset[Crosspoint] = frozenset()


class Envelope(ABC):
    """The limits of one source channel, as the routes stand at this moment.

    Attributes
    ----------
    routes
        As long as ``routes.closed`` is the same object, :meth:`limits` answers the same.
    """

    routes: Routes

    @abstractmethod
    def limits(self) -> tuple[Limits, str]:
        """Return the tightest limits over every terminal in reach, at the channel, and where they hold."""

    def before_drive(self) -> None:  # noqa: B027 - optional
        """Raise where something in reach may not be driven yet; asked before an output goes on."""

    def before_remote_sense(self, amperes: float) -> None:
        """Raise unless a sense route is closed and checked to a device that bears ``amperes`` at any voltage.

        Raises
        ------
        LimitExceeded
            By default: there is no sense route.
        """
        raise LimitExceeded(
            "four-wire sensing without a sense route; nothing was sent",
            remedy="use bench.route(device, terminal, sense=True), of a terminal that states `sense`",
        )

    def before_arming(self, pulses: int, trigger_source: str) -> None:  # noqa: B027 - optional
        """Raise where a device in reach may not receive so many more pulses; nothing is charged yet."""

    def before_pulses(self, pulses: int, emf: float, seconds: float) -> None:  # noqa: B027 - optional
        """Charge pulses that are about to be sent to every device in reach; raise where it has had its share.

        Parameters
        ----------
        pulses
            How many; the whole burst counts, whatever becomes of it.
        emf, seconds
            Open-circuit volts and width of each.
        """


class RouteGate(ABC):
    """Leave to move relays, asked before a byte is sent."""

    @abstractmethod
    def before_close(self, matrix: str, closed_after: frozenset[Crosspoint]) -> None:
        """Raise :class:`labtrain.errors.LimitExceeded` where ``closed_after`` would endanger a device.

        Parameters
        ----------
        matrix
            The matrix's alias.
        closed_after
            Every relay of it that would then be closed.
        """

    def before_move(self, matrix: str, closing: frozenset[Crosspoint]) -> None:  # noqa: B027 - optional
        """Raise where exactly these relays must not close now (a hot route); asked before ``before_close``.

        The matrix itself says which relays move: a bench that plays safe counts relays as closed that may
        have opened since.
        """

    def before_open(self, matrix: str, opening: frozenset[Crosspoint]) -> None:  # noqa: B027 - optional
        """Raise where these relays must not open now (a hot route); by default they may.

        Opening all relays at once is the safe state and is never asked.
        """


@final
class FixedEnvelope(Envelope):
    """Limits that do not depend on routes.

    Parameters
    ----------
    limits
        At the channel.
    where
        For messages, for instance ``"smu (no routes)"``.
    """

    def __init__(self, limits: Limits, where: str) -> None:
        self._answer = (limits, where)
        self.routes = Routes()

    def limits(self) -> tuple[Limits, str]:
        """Return what was given."""
        return self._answer


@final
class OpenGate(RouteGate):
    """Lets every route close: for a matrix that no source reaches."""

    def before_close(self, matrix: str, closed_after: frozenset[Crosspoint]) -> None:
        """Raise nothing."""
