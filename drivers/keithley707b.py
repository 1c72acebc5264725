"""Keithley 707B switching matrix with 7072 (or like 8 x 12) cards: 8 rows by 72 columns.

Knows TSP; does not know devices, limits or routes. Rows A to H are 1 to 8 here, and one through all slots
(the mainframe's backplane joins them); columns count on from slot to slot: 1 to 12 are slot 1's, 13 to 24
slot 2's. Relay (1, 14) is channel ``2A02``.

PyMeasure has no driver for it. Relays move one at a time by ``channel.close`` and ``channel.open``, so what
breaks before what makes is the role's business and not ``channel.connectrule``'s.

Source: Models 707B and 708B Switching Matrix Reference Manual 707B-901-01 Rev. A, sections 2 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from drivers.reporting_matrix import RELAY_OPTIONS, ReportingMatrix
from labtrain.errors import InstrumentReported
from labtrain.roles.spec import DriverSpec

_COLUMNS_OF_SLOT = 12
_CHANNEL = re.compile(r"([1-6])([A-H])(\d{2})")


class Keithley707B(ReportingMatrix):
    """The dialect that :class:`labtrain.roles.SwitchMatrix` asks for."""

    rows = range(1, 9)
    columns = range(1, 73)

    def closed(self) -> frozenset[tuple[int, int]]:
        """Ask which relays are closed: ``1A01;1A02``, or ``nil``."""
        reply = self.ask("print(channel.getclose('allslots'))").strip()
        if reply == "nil":
            return frozenset()
        return frozenset(self._place(name) for name in reply.split(";"))

    def close_relay(self, row: int, column: int) -> None:
        """Close one relay."""
        self._do(f"channel.close('{channel(row, column)}')")

    def open_relay(self, row: int, column: int) -> None:
        """Open one relay."""
        self._do(f"channel.open('{channel(row, column)}')")

    def open_all(self) -> None:
        """Open every relay."""
        self._do("channel.open('allslots')")

    def errors(self) -> list[str]:
        """Empty the error queue: code, message, severity and node, separated by tabs."""
        found = []
        while float((entry := self.ask("print(errorqueue.next())").strip()).split("\t")[0]):
            found.append(entry.replace("\t", ", "))
        return found

    def _place(self, name: str) -> tuple[int, int]:
        match = _CHANNEL.fullmatch(name.strip().upper())
        if match is None:
            raise InstrumentReported(
                f"says that {name!r} is closed, which is no channel of an 8 x 12 card",
                instrument=self.name,
                command="print(channel.getclose('allslots'))",
                remedy="only 8 x 12 cards are supported",
            )
        column = _COLUMNS_OF_SLOT * (int(match[1]) - 1) + int(match[3])
        return ord(match[2]) - ord("A") + 1, column


def channel(row: int, column: int) -> str:
    """Name a relay as the instrument does: (1, 14) is ``2A02``."""
    slot, place = divmod(column - 1, _COLUMNS_OF_SLOT)
    return f"{slot + 1}{chr(ord('A') + row - 1)}{place + 1:02d}"


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keithley707B:
    return Keithley707B(adapter, name)


SPEC = DriverSpec(
    model="707B",
    role="switch-matrix",
    open=_open,
    safe_off=(b"abort\n", b"channel.open('allslots')\n"),
    settings={"closed": b"print(channel.getclose('allslots'))"},
    options={"slots": "", **RELAY_OPTIONS},
    rows=Keithley707B.rows,
    columns=Keithley707B.columns,
)
