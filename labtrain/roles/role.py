"""What all roles share: final, closed to unknown attributes, and owning their driver."""

from __future__ import annotations

from typing import Any

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentReported


class Role:
    """A bench instrument's public face: checks, then calls the driver that it owns.

    A role is composed with its driver, never derived from it: inherited setters would go round
    the checks. Roles are final at run time too (``typing.final`` alone does nothing there).

    Their slots refuse unknown attributes. No ``__getattr__`` or ``__setattr__`` of their own for a kinder
    message: with one, each access to an attribute of a role costs ten times as much, and a checked call
    1 us more than the check.
    """

    __slots__ = ("_alias", "_call", "_channel", "_clock", "_port")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__bases__:
            if base is not Role and issubclass(base, Role):
                raise TypeError(
                    f"{base.__name__} is final: give it a driver of your own (entry point labtrain.drivers)"
                    " instead of deriving from it"
                )

    def __init__(self, port: Port, clock: Clock, alias: str, channel: str) -> None:
        self._port = port
        self._call = port.role_call()
        self._clock = clock
        self._alias = alias
        self._channel = channel

    @property
    def alias(self) -> str:
        """The instrument's name in the bench file."""
        return self._alias

    @property
    def channel(self) -> str:
        """The instrument's channel that this role owns; empty for an instrument without."""
        return self._channel

    @property
    def name(self) -> str:
        """The alias, and the channel where there is one: ``"pulser.1"``."""
        return f"{self._alias}.{self._channel}" if self._channel else self._alias

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._alias!r} {self._channel}>".replace(" >", ">")

    def _report(self, errors: list[str]) -> None:
        """Raise what the instrument has put into its error queue."""
        if errors:
            raise InstrumentReported(
                f"reports {'; '.join(errors)}",
                instrument=self._alias,
                remedy="see the instrument's manual; what was asked last was not carried out",
            )
