"""Keithley 2700 with one 7709 card: a matrix of 6 rows by 8 columns.

Knows SCPI; does not know devices, limits or routes. Row r and column c of the card in slot s are channel
``100 s + 8 (r - 1) + c``. Only multiple-channel commands are used: plain ``ROUTe:CLOSe`` also opens what
it closed before and connects row 1 to the multimeter through backplane relay 50.

PyMeasure's ``Keithley2700`` is not the base here: it asks for cards and errors while it is built, keeps
the valid channels in a list that all its instances share, and its ``shutdown()`` sends nothing.

Source: Model 2700 User's Manual 2700-900-01, section 2; Model 7709 6x8 Matrix Module User's Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drivers.reporting_matrix import RELAY_OPTIONS, ReportingMatrix
from drivers.scpi_properties import drained
from labtrain.errors import InstrumentError, InstrumentStateChanged, UsageError
from labtrain.roles.spec import DriverSpec

_CARD = "7709"
_SLOTS = (1, 2)
_LAST_CROSSPOINT = 48
"""Channels 49 and 50 connect rows 2 and 1 to the multimeter."""


class Keithley2700(ReportingMatrix):
    """The dialect that :class:`labtrain.roles.SwitchMatrix` asks for.

    Parameters
    ----------
    adapter, name
        PyMeasure's.
    slot
        Where the 7709 is, 1 or 2.

    Raises
    ------
    UsageError
        For another slot.
    """

    rows = range(1, 7)
    columns = range(1, 9)

    def __init__(self, adapter: Any, name: str = "Keithley 2700", slot: int = 1, **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)
        if slot not in _SLOTS:
            raise UsageError(
                f"{name}: slot {slot!r}", remedy="a 2700 has slots 1 and 2", key=f"instruments.{name}"
            )
        self._slot = slot
        self._card_seen = False

    def closed(self) -> frozenset[tuple[int, int]]:
        """Ask which relays of the card are closed.

        Raises
        ------
        InstrumentError
            Where the slot holds another card, or none.
        InstrumentStateChanged
            Where a backplane relay connects the multimeter to the rows.
        """
        self._see_card()
        channels = [int(text) for text in re.findall(r"\d+", self.ask(":ROUT:MULT:CLOS?"))]
        mine = [channel % 100 for channel in channels if channel // 100 == self._slot]
        backplane = [str(100 * self._slot + one) for one in mine if one > _LAST_CROSSPOINT]
        if backplane:
            raise InstrumentStateChanged(
                f"has connected its multimeter to the rows (channel {', '.join(backplane)} is closed)",
                instrument=self.name,
                remedy="open all relays first: `labtrain bench off FILE`, or OPEN: ALL on the front panel",
            )
        return frozenset((1 + (one - 1) // 8, 1 + (one - 1) % 8) for one in mine)

    def close_relay(self, row: int, column: int) -> None:
        """Close one relay."""
        self._do(f":ROUT:MULT:CLOS (@{self._channel(row, column)})")

    def open_relay(self, row: int, column: int) -> None:
        """Open one relay."""
        self._do(f":ROUT:MULT:OPEN (@{self._channel(row, column)})")

    def open_all(self) -> None:
        """Open every relay, backplane included."""
        self._do(":ROUT:OPEN:ALL")

    def errors(self) -> list[str]:
        """Empty the error queue."""
        return drained(self)

    def _channel(self, row: int, column: int) -> int:
        return 100 * self._slot + 8 * (row - 1) + column

    def _see_card(self) -> None:
        """See once that the slot holds a 7709: on another card the same numbers mean other relays."""
        if self._card_seen:
            return
        cards = self.ask("*OPT?").strip().split(",")
        found = cards[self._slot - 1].strip() if len(cards) >= self._slot else "nothing"
        if found != _CARD:
            raise InstrumentError(
                f"has {found} in slot {self._slot}, not a {_CARD}",
                instrument=self.name,
                command="*OPT?",
                remedy="say slot = 1 or slot = 2 in the bench file",
            )
        self._card_seen = True


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keithley2700:
    return Keithley2700(adapter, name, slot=options.get("slot", 1))


SPEC = DriverSpec(
    model="2700",
    role="switch-matrix",
    open=_open,
    safe_off=(b":ROUT:OPEN:ALL\n",),
    settings={"cards": b"*OPT?", "closed": b":ROUT:MULT:CLOS?"},
    options={"slot": "", **RELAY_OPTIONS},
    rows=Keithley2700.rows,
    columns=Keithley2700.columns,
)
