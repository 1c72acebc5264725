"""Virtual serial switch matrix: 8 rows (0-7) by 32 columns (0-31) of reed relays, our own firmware.

ASCII lines at 115200 baud, one answer a line: ``CLOSE r,c``, ``OPEN r,c``, ``ONLY r,c``, ``OPENALL`` and
``PING`` answer ``OK`` or ``ERR n text``; ``STATE?`` answers ``r,c;r,c`` (an empty line when all are open),
``ERR?`` the last error, ``*IDN?`` the identity. A watchdog opens everything when no line came for its
period.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from labtrain.clock import Clock
from simulated_instruments.instrument import VirtualInstrument
from simulated_instruments.relays import Relays
from simulated_instruments.world import World

ROWS: Final = 8
COLUMNS: Final = 32
SETTLE_SECONDS: Final = 1e-3
"""From a command until the contact has stopped bouncing; option ``settle_time``."""
WATCHDOG_SECONDS: Final = 60.0
"""Silence after which all relays open; option ``watchdog``, 0 switches it off."""
BYTE_SECONDS: Final = 10 / 115200

_CROSSPOINT: Final = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*")
_LONGEST: Final = 64


class _Refused(Exception):
    """A line that the firmware refuses: number and text."""


class VirtualSerialMatrix(VirtualInstrument):
    """Relays between ``<alias>.row<r>`` and ``<alias>.col<c>``.

    A relay that is told to move is where it was until ``settle_time`` has passed. Options:
    ``settle_time``, ``watchdog`` (s), ``relay_resistance`` (ohm), ``stuck_open`` and ``stuck_closed``
    (``"r,c;r,c"``): relays that do not follow, though ``STATE?`` says so.
    """

    transport = "serial"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self._relays = Relays(alias, world, options, SETTLE_SECONDS)
        self._watchdog_ns = round(float(options.get("watchdog", WATCHDOG_SECONDS)) * 1e9)
        self._last_line_ns = clock.now_ns()
        self._error = "0 no error"
        world.add_process(self._catch_up)

    @property
    def coils(self) -> frozenset[tuple[int, int]]:
        """The relays that were told to be closed."""
        return self._relays.coils

    def _catch_up(self, now_ns: int) -> None:
        expiry = self._last_line_ns + self._watchdog_ns
        if self._watchdog_ns and self.coils and now_ns > expiry:
            self._relays.open_all(expiry)
            self._error = "7 watchdog opened all relays"
        self._relays.catch_up(now_ns)

    # --- lines -----------------------------------------------------------------------------

    def _come_back(self) -> None:
        self._open_all()

    def _carry_out(self, message: bytes) -> bytes | None:
        replies = [self._line(line) for line in message.split(b"\n") if line.strip(b" \t\r\0")]
        if not replies:
            return None
        answer = "".join(f"{reply}\n" for reply in replies).encode("ascii")
        self._wait((len(message) + len(answer)) * BYTE_SECONDS)
        return answer

    def _line(self, line: bytes) -> str:
        self._last_line_ns = self._world.now_ns()
        try:
            return self._obey(line.decode("latin-1").strip(" \t\r\0"))
        except _Refused as refusal:
            self._error = " ".join(map(str, refusal.args))
            return f"ERR {self._error}"

    def _obey(self, line: str) -> str:
        if len(line) > _LONGEST:
            raise _Refused(1, "line too long")
        word, _, rest = line.partition(" ")
        if word.upper() in self._WITH_CROSSPOINT:
            self._WITH_CROSSPOINT[word.upper()](self, self._crosspoint(rest))
            return "OK"
        if rest.strip():
            raise _Refused(3 if word.upper() in self._PLAIN else 1, "unexpected parameter or unknown command")
        if word.upper() not in self._PLAIN:
            raise _Refused(1, "unknown command")
        return self._PLAIN[word.upper()](self)

    @staticmethod
    def _crosspoint(text: str) -> tuple[int, int]:
        match = _CROSSPOINT.fullmatch(text) if text.isascii() else None
        if match is None:
            raise _Refused(3, "expected row,column")
        row, column = int(match[1]), int(match[2])
        if row >= ROWS or column >= COLUMNS:
            raise _Refused(2, f"rows are 0-{ROWS - 1}, columns 0-{COLUMNS - 1}")
        return row, column

    def _open_all(self) -> str:
        self._relays.open_all()
        return "OK"

    def _state(self) -> str:
        return ";".join(f"{row},{column}" for row, column in sorted(self.coils))

    def _take_error(self) -> str:
        error, self._error = self._error, "0 no error"
        return error

    def _only(self, crosspoint: tuple[int, int]) -> None:
        """Break before make: what was closed opens a settling time before the new one closes."""
        self._relays.open_all()
        self._wait(self._relays.settle_seconds)
        self._relays.close([crosspoint])

    def _close(self, crosspoint: tuple[int, int]) -> None:
        self._relays.close([crosspoint])

    def _open(self, crosspoint: tuple[int, int]) -> None:
        self._relays.open([crosspoint])

    def _identify(self) -> str:
        return f"LABTRAIN,SERIAL-MATRIX,{self.alias.upper()},1.0"

    def _ping(self) -> str:
        return "OK"

    _WITH_CROSSPOINT: ClassVar = {"CLOSE": _close, "OPEN": _open, "ONLY": _only}
    _PLAIN: ClassVar = {
        "*IDN?": _identify,
        "OPENALL": _open_all,
        "STATE?": _state,
        "ERR?": _take_error,
        "PING": _ping,
    }

    def state_dict(self) -> dict[str, Any]:
        """Nothing: relays are set again by the bench."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to take back."""
