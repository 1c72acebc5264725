"""Parameters that several command tables of the virtual Keithley 2400 share."""

from __future__ import annotations

from typing import Final

from simulated_instruments.scpi_parameters import Number


def text(value: float) -> str:
    """Write a number as this model does."""
    return f"{value:+.6E}"


LEVELS: Final = {
    "VOLT": Number(-210.0, 210.0, 0.0, "V", text),
    "CURR": Number(-1.05, 1.05, 0.0, "A", text),
}
LONG: Final = {"VOLT": "VOLTage", "CURR": "CURRent"}
