"""The serial switch matrix: labtrain's own firmware protocol, 8 rows by 32 columns.

Knows the protocol; does not know devices, limits or routes. ASCII lines at 115200 8N1; every line is
answered, by ``OK``, by ``ERR n text`` or by what was asked. Rows and columns count from 0, as the
firmware's arrays do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymeasure.instruments import Instrument

from labtrain.errors import InstrumentReported
from labtrain.roles.spec import DriverSpec


class SerialMatrix(Instrument):
    """The dialect that :class:`labtrain.roles.SwitchMatrix` asks for."""

    __getattribute__ = object.__getattribute__  # PyMeasure's guard of dynamic properties: there are none
    __setattr__ = object.__setattr__

    rows = range(8)
    columns = range(32)

    def __init__(self, adapter: Any, name: str = "serial matrix", **kwargs: Any) -> None:
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    @property
    def identity(self) -> str:
        """Get the firmware's identification."""
        return self.ask("*IDN?").strip()

    def closed(self) -> frozenset[tuple[int, int]]:
        """Ask for the closed relays: ``1,2;3,4``, or an empty line."""
        reply = self.ask("STATE?").strip()
        try:
            pairs = [pair.split(",") for pair in reply.split(";") if pair]
            return frozenset((int(row), int(column)) for row, column in pairs)
        except ValueError:
            raise self._refusal("STATE?", reply) from None

    def close_relay(self, row: int, column: int) -> None:
        """Close one relay."""
        self._do(f"CLOSE {row},{column}")

    def open_relay(self, row: int, column: int) -> None:
        """Open one relay."""
        self._do(f"OPEN {row},{column}")

    def open_all(self) -> None:
        """Open every relay."""
        self._do("OPENALL")

    def keep_alive(self) -> None:
        """Tell the firmware's watchdog that somebody is there."""
        self._do("PING")

    def errors(self) -> list[str]:
        """Ask for the last error; every command's reply has been checked already."""
        reply = self.ask("ERR?").strip()
        return [] if reply.upper().startswith(("OK", "0")) else [reply]

    def _do(self, command: str) -> None:
        reply = self.ask(command).strip()
        if reply != "OK":
            raise self._refusal(command, reply)

    def _refusal(self, command: str, reply: str) -> InstrumentReported:
        return InstrumentReported(
            f"answers {reply!r}",
            instrument=self.name,
            command=command,
            remedy="OK was expected; see the matrix's protocol in the documentation",
        )


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> SerialMatrix:
    return SerialMatrix(adapter, name)


SPEC = DriverSpec(
    model="serial-matrix",
    role="switch-matrix",
    open=_open,
    transport="serial",
    synchronise=None,
    event_status=None,
    safe_off=(b"OPENALL\n",),
    keep_alive=b"PING\n",
    settings={"closed": b"STATE?"},
    closing=lambda row, column: b"CLOSE %d,%d\n" % (row, column),
    answers_every_line=True,
    options={
        "bandwidth": "hertz",
        "settle_time": "second",
        # of the simulated firmware and its relays
        "watchdog": "second",
        "relay_resistance": "ohm",
        "stuck_open": "",
        "stuck_closed": "",
    },
    rows=SerialMatrix.rows,
    columns=SerialMatrix.columns,
)
