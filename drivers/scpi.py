"""What SCPI drivers share: properties that lose no digits, and the error queue."""

from __future__ import annotations

from typing import Any

from pymeasure.instruments import Instrument


def number(header: str, doc: str) -> Any:
    """Make a property of a number in SI; nine digits on the wire, not the six of ``%g`` or ``%f``."""
    return Instrument.control(f"{header}?", f"{header} %.9g", doc)


def switch(header: str, doc: str) -> Any:
    """Make a property of something that is on or off."""
    return Instrument.control(f"{header}?", f"{header} %d", doc, values={True: 1, False: 0}, map_values=True)


def empty_error_queue(instrument: Any, question: str = ":SYST:ERR?") -> list[str]:
    """Ask until the instrument says ``0,"No error"``; return what came before."""
    found = []
    while not (entry := instrument.ask(question).strip()).startswith(("0,", "+0,")):
        found.append(entry)
    return found
