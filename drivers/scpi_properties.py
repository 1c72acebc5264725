"""What drivers of SCPI instruments share: properties that print nine digits, and the error queue."""

from __future__ import annotations

from typing import Any

from drivers.direct import asked_number, asked_switch


def number(header: str, doc: str) -> Any:
    """Make a property of a number, sent with nine digits (PyMeasure's own have six, or ``%f``)."""
    return asked_number(f"{header}?", f"{header} %.9g", doc)


def switch(header: str, doc: str) -> Any:
    """Make a property of an on/off setting."""
    return asked_switch(f"{header}?", f"{header} %d", doc)


def drained(instrument: Any) -> list[str]:
    """Empty an error queue that answers ``0,"No error"`` at its end."""
    found = []
    while not (entry := instrument.ask("SYST:ERR?").strip()).startswith(("0,", "+0,")):
        found.append(entry)
    return found
