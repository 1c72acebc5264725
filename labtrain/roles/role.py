"""What all roles share: final, closed to unknown attributes, and owning their driver."""

from __future__ import annotations

from typing import Any, NoReturn

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentReported
from labtrain.naming import nearest


class Role:
    """A bench instrument's public face: checks, then calls the driver that it owns.

    A role is composed with its driver, never derived from it: inherited setters would go round
    the checks. Roles are final at run time too (``typing.final`` alone does nothing there).
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

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            object.__setattr__(self, name, value)
        except AttributeError:
            if isinstance(getattr(type(self), name, None), property):
                raise AttributeError(f"{type(self).__name__}.{name} can be read but not set") from None
            self._unknown(name)

    def __getattr__(self, name: str) -> NoReturn:
        self._unknown(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._alias!r} {self._channel}>".replace(" >", ">")

    def _unknown(self, name: str) -> NoReturn:
        public = [word for word in dir(type(self)) if not word.startswith("_")]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}: {nearest(name, public)}")

    def _report(self, errors: list[str]) -> None:
        """Raise what the instrument has put into its error queue."""
        if errors:
            raise InstrumentReported(
                f"reports {'; '.join(errors)}",
                instrument=self._alias,
                remedy="see the instrument's manual; what was asked last was not carried out",
            )
