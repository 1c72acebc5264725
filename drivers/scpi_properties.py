"""What drivers of SCPI instruments share: properties that print nine digits, and the error queue."""

from __future__ import annotations

from typing import Any

from pymeasure.instruments import Instrument


def number(header: str, doc: str) -> Any:
    """Make a property of a number, sent with nine digits (PyMeasure's own have six, or ``%f``)."""
    return Instrument.control(f"{header}?", f"{header} %.9g", doc, get_process=float)


def switch(header: str, doc: str) -> Any:
    """Make a property of an on/off setting."""
    return Instrument.control(f"{header}?", f"{header} %d", doc, values={True: 1, False: 0}, map_values=True)


def drained(instrument: Any) -> list[str]:
    """Empty an error queue that answers ``0,"No error"`` at its end."""
    found = []
    while not (entry := instrument.ask("SYST:ERR?").strip()).startswith(("0,", "+0,")):
        found.append(entry)
    return found
