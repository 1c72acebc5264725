"""Names of the 707B's relays: ``1A01`` and lists of them, as scripts and replies write them.

Rows A to H are 1 to 8; columns count on from slot to slot, twelve each, as the backplane joins the rows of
all cards. Grammar from the 707B Reference Manual (707B-901-01), section 2, "Channel identification".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from simulated_instruments.relays import Place
from simulated_instruments.tsp_errors import TspError

ROWS: Final = 8
COLUMNS_OF_SLOT: Final = 12
SLOTS: Final = 6

_CHANNEL: Final = re.compile(r"([1-6])([A-H])(\d\d)", re.ASCII)
_SLOT: Final = re.compile(r"SLOT([1-6])", re.ASCII)


def refused(what: str) -> TspError:
    """Make the error of a list that names what is not there."""
    return TspError(1115, f"Parameter error: {what}")


def name_of(place: Place) -> str:
    """Write a relay: (1, 14) is ``2A02``."""
    slot, column = divmod(place[1] - 1, COLUMNS_OF_SLOT)
    return f"{slot + 1}{chr(ord('A') + place[0] - 1)}{column + 1:02d}"


def names_of(places: Iterable[Place]) -> str | None:
    """Write several in the order of slots, rows and columns; nil where there is none."""
    return ";".join(sorted(map(name_of, places))) or None


def read_list(value: Any, fitted: int) -> list[Place]:
    """Read ``'1A01, 1B02:1B05'``, ``'slot2'`` or ``'allslots'``.

    Parameters
    ----------
    value
        What the script gave.
    fitted
        How many slots hold a card, from slot 1 on.

    Raises
    ------
    TspError
        1115 for what is no channel, or in no fitted slot.
    """
    if not isinstance(value, str):
        raise refused("a channel list is a string")
    places: list[Place] = []
    for piece in value.upper().replace(";", ",").split(","):
        places += _piece(piece.strip(), fitted)
    return places


def _piece(text: str, fitted: int) -> list[Place]:
    slot = _SLOT.fullmatch(text)
    if text == "ALLSLOTS" or slot is not None:
        slots = range(1, fitted + 1) if slot is None else [int(slot[1])]
        if slot is not None and slots[0] > fitted:
            raise refused(f"slot {slots[0]} is empty")
        columns = [COLUMNS_OF_SLOT * (s - 1) + c for s in slots for c in range(1, COLUMNS_OF_SLOT + 1)]
        return [(row, column) for row in range(1, ROWS + 1) for column in columns]
    first, colon, last = text.partition(":")
    start = _one(first, fitted)
    if not colon:
        return [start]
    stop = _one(last, fitted)
    if stop < start or stop[0] != start[0]:
        raise refused(f"{text[:40]} is no range within a row")
    return [(start[0], column) for column in range(start[1], stop[1] + 1)]


def _one(text: str, fitted: int) -> Place:
    match = _CHANNEL.fullmatch(text.strip())
    if match is None or not 1 <= int(match[3]) <= COLUMNS_OF_SLOT:
        raise refused(f"there is no channel {text[:40]!r}")
    slot = int(match[1])
    if slot > fitted:
        raise refused(f"slot {slot} is empty")
    return ord(match[2]) - ord("A") + 1, COLUMNS_OF_SLOT * (slot - 1) + int(match[3])
