"""Switch matrices that answer questions only: after each command their error queue is heard."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from pymeasure.instruments import Instrument

from labtrain.errors import InstrumentReported

RELAY_OPTIONS = {
    "bandwidth": "hertz",
    "settle_time": "second",
    "relay_resistance": "ohm",
    "stuck_open": "",
    "stuck_closed": "",
}
"""Keys that the bench file may give; the last three tell a simulated matrix what its relays are like."""


class ReportingMatrix(Instrument):
    """The part of the dialect of :class:`labtrain.roles.SwitchMatrix` that such models share."""

    __getattribute__ = object.__getattribute__  # PyMeasure's guard of dynamic properties: there are none
    __setattr__ = object.__setattr__

    rows: range
    columns: range

    def __init__(self, adapter: Any, name: str, **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    @property
    def identity(self) -> str:
        """Get the instrument's identification."""
        return self.ask("*IDN?").strip()

    @abstractmethod
    def errors(self) -> list[str]:
        """Empty the error queue."""

    def keep_alive(self) -> None:
        """Nothing: there is no watchdog."""

    def _do(self, command: str) -> None:
        """Send a command and hear whether it was carried out."""
        self.write(command)
        found = self.errors()
        if found:
            raise InstrumentReported(
                f"reports {'; '.join(found)}",
                instrument=self.name,
                command=command,
                remedy="is the card of this channel in its slot?",
            )
