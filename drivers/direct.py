"""Messages of a PyMeasure instrument, straight to its adapter and back.

PyMeasure's way from a property to the adapter (``values``, ``ask``, ``wait_for``, ``write``, ``read``) costs
more than everything behind it; what is sent and what is made of the answer is the same here.
"""

from __future__ import annotations

from typing import Any


class Direct:
    """Put in front of a PyMeasure instrument's class."""

    # PyMeasure guards the names of dynamic properties on every access, in Python; our drivers have none
    __getattribute__ = object.__getattribute__
    __setattr__ = object.__setattr__

    adapter: Any

    def write(self, command: str, **kwargs: Any) -> None:
        """Send a command."""
        self.adapter.write(command)

    def read(self, **kwargs: Any) -> str:
        """Return the next reply."""
        return str(self.adapter.read())

    def ask(self, command: str, query_delay: float | None = None) -> str:
        """Send a question and return its answer, as the adapter gives it."""
        adapter = self.adapter
        adapter.write(command)
        reply: str = adapter.read()
        return reply


def asked_number(question: str, setting: str, doc: str) -> Any:
    """Make a property of a number, asked by a question and sent by a ``%`` format."""

    def ask(self: Any) -> float:
        return float(self.ask(question))

    def tell(self: Any, value: float) -> None:
        self.write(setting % value)

    return property(ask, tell, doc=doc)


def asked_switch(question: str, setting: str, doc: str) -> Any:
    """Make a property of an on/off setting, answered by a number."""

    def ask(self: Any) -> bool:
        return _STATES[float(self.ask(question))]

    def tell(self: Any, value: bool) -> None:
        self.write(setting % _NUMBERS[value])

    return property(ask, tell, doc=doc)


_STATES = {1.0: True, 0.0: False}
_NUMBERS = {True: 1, False: 0}
