"""What a Keithley 2450 is set to; the defaults are those after ``*RST``."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulated_instruments.smu_accuracy import Quantity


@dataclass(slots=True)
class Source:
    """Settings of one source function; ``limit`` is of the other quantity."""

    limit: float
    range: float
    level: float = 0.0
    auto: bool = True
    delay: float = 0.0
    delay_auto: bool = True
    readback: bool = True
    off_state: str = "NORM"


@dataclass(slots=True)
class Sense:
    """Settings of one measure function."""

    range: float
    auto: bool = True
    nplc: float = 1.0
    remote: bool = False


@dataclass(slots=True)
class Settings:
    """All that ``*RST`` brings back."""

    function: Quantity = "VOLT"
    measured: str = "CURR"
    output: bool = False
    sources: dict[str, Source] = field(
        default_factory=lambda: {"VOLT": Source(105e-6, 0.02), "CURR": Source(21.0, 10e-9)}
    )
    senses: dict[str, Sense] = field(
        default_factory=lambda: {"VOLT": Sense(0.02), "CURR": Sense(100e-6), "RES": Sense(200e3)}
    )
    protection: str = "NONE"
    terminals: str = "FRON"
    format: str = "ASC"
    byte_order: str = "SWAP"
    count: int = 1
